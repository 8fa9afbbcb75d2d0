"""Hides what may be a password in text that is printed, however well or badly it was written."""

import re

MASK = "***"
"""Stands for a password."""
SECRET_WORDS = ("pass", "pwd", "secret", "token", "scram")
"""Options whose name holds one of these are never shown, and neither is `pw`."""

_NAMES = rf"(?:\w*(?:{'|'.join(SECRET_WORDS)})\w*|\bpw)"
# A blank may belong to a password, so all goes up to the last "@" of what stands together.
_WITH_HOST = re.compile(r"(://[^\s@/:'\"]*:)[^'\"\n]*@|(:)(?!//)\S*@")
_WITHOUT_HOST = re.compile(r"(://[^\s@/:'\"]*:)(?!\*\*\*)(?!\d{1,5}(?:[/?\s,;:)'\"]|$))[^\s/@'\"]+")
_OPTION = re.compile(
    rf"({_NAMES}\s*=\s*)(?:\"[^\"\n]*\"?|'[^'\n]*'?|[^&;,'\"\n]+?(?=\s+\w+\s*=|[&;,'\"\n]|$))",
    re.IGNORECASE,
)
NAMES_A_SECRET = re.compile(rf"(?:^|[\s?&;]){_NAMES}\s*=", re.IGNORECASE)
"""Text that sets an option which may be a password."""


def masked(text: str) -> str:
    """A text that may quote the URL of a store, without what may be a password."""
    text = _WITH_HOST.sub(lambda found: f"{found[1] or found[2]}{MASK}@", text)
    text = _WITHOUT_HOST.sub(rf"\1{MASK}", text)
    return _OPTION.sub(rf"\1{MASK}", text)
