"""Passwords in texts for people: a URL or an option that a message quotes is shown without one."""

import re

MASK = "***"
"""Stands for a password."""

_SECRET_WORDS = ("pass", "pwd", "pw", "secret", "token", "scram")
"""Options whose name holds one of these are never shown: password, passwd, PGPASSWORD and so on."""
SECRET_NAME = rf"\w*(?:{'|'.join(_SECRET_WORDS)})\w*"
"""Such a name, as a regular expression that ignores case."""

# A password that was not escaped may hold blanks, slashes and "@" itself: up to the last one.
_BEFORE_PASSWORD = r"://[^@/:\n'\"\[]*:"
_UP_TO_HOST = re.compile(rf"({_BEFORE_PASSWORD})[^\n]*@|(:(?!//))\S*@")
# Without a host it goes to the next slash, quote or end, where it is no port.
_WITHOUT_HOST = re.compile(
    rf"({_BEFORE_PASSWORD})(?!\*\*\*@|\d{{1,5}}(?:[/?'\"\s),;:]|$))[^/'\"\n]+", re.MULTILINE
)
_VALUE_TO_NEXT = r"[^'\"\n&;,]+?(?=\s+\w+\s*=|['\"\n&;,]|$)"
_OPTION = re.compile(
    rf"({SECRET_NAME}\s*=\s*)(?:\\?\"[^\"\n]*\"?|\\?'[^'\n]*'?|{_VALUE_TO_NEXT})", re.IGNORECASE
)
# As YAML and JSON write it; only names that mean nothing else, for "tokens: 49" is no secret.
_FIELD = re.compile(
    r"(\w*(?:password|passwd|passphrase|secret)\w*['\"]?\s*:\s*)"
    r"(?:\"[^\"\n]*\"?|'[^'\n]*'?|[^'\"\n,;&}\s][^'\"\n,;&}]*)",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text without what may be the password of a URL or an option, well written or not."""
    text = _UP_TO_HOST.sub(lambda found: f"{found[1] or found[2]}{MASK}@", text)
    text = _WITHOUT_HOST.sub(rf"\1{MASK}", text)
    return _FIELD.sub(rf"\1{MASK}", _OPTION.sub(rf"\1{MASK}", text))


def is_secret(option: str) -> bool:
    """Whether an option of this name holds something that must not be shown."""
    return any(word in option.lower() for word in _SECRET_WORDS)
