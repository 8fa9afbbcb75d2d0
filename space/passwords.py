"""Passwords in texts for people: a URL or an option that a message quotes is shown without one."""

import re

MASK = "***"
"""Stands for a password."""

_SECRET_WORDS = ("pass", "pwd", "pw", "secret", "token", "scram")
"""Options whose name holds one of these are never shown: password, passwd, PGPASSWORD and so on."""
SECRET_NAME = rf"(?=\w*(?:{'|'.join(_SECRET_WORDS)}))\w+"
"""Such a name, as a regular expression that ignores case."""
# Looked for from the beginning of a word alone: messages may be long.
_AT_WORD = r"(?<!\w)"

# A password that was not escaped may hold blanks, slashes and "@" itself: up to the last one.
_BEFORE_PASSWORD = r"://[^@/:\n'\"\[]*:"
_UP_TO_HOST = re.compile(rf"({_BEFORE_PASSWORD})[^\n]*@")
# In a word without "://"; tried once a word, as messages may be long.
_WORD_UP_TO_HOST = re.compile(r"(?<!\S)((?:[^\s:]|:(?=//))*:(?!//))\S*@")
# Without a host it goes to the next slash, quote or end, where it is no port.
_WITHOUT_HOST = re.compile(
    rf"({_BEFORE_PASSWORD})(?!\*\*\*@|\d{{1,5}}(?:[/?'\"\s),;:]|$))[^/'\"\n]+", re.MULTILINE
)
_VALUE_TO_NEXT = r"[^'\"\n&;,]+?(?=\s+\w+\s*=|['\"\n&;,]|$)"
_OPTION = re.compile(
    rf"({_AT_WORD}{SECRET_NAME}\s*=\s*)(?:\\?\"[^\"\n]*\"?|\\?'[^'\n]*'?|{_VALUE_TO_NEXT})",
    re.IGNORECASE,
)
# As YAML and JSON write it; only names that mean nothing else, for "tokens: 49" is no secret.
_FIELD = re.compile(
    rf"({_AT_WORD}(?=\w*(?:password|passwd|passphrase|secret))\w+['\"]?\s*:\s*)"
    r"(?:\"[^\"\n]*\"?|'[^'\n]*'?|[^'\"\n,;&}\s][^'\"\n,;&}]*)",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text without what may be the password of a URL or an option, well written or not."""
    text = "\n".join(map(_up_to_host, text.split("\n")))
    text = _WITHOUT_HOST.sub(rf"\1{MASK}", text)
    return _FIELD.sub(rf"\1{MASK}", _OPTION.sub(rf"\1{MASK}", text))


def _up_to_host(line: str) -> str:
    """A line without what stands between a colon and an "@"."""
    # Behind the last one nothing is looked for: that would take a while for every colon there.
    end = line.rfind("@") + 1
    before = _UP_TO_HOST.sub(rf"\1{MASK}@", line[:end])
    return _WORD_UP_TO_HOST.sub(rf"\1{MASK}@", before) + line[end:]


def is_secret(option: str) -> bool:
    """Whether an option of this name holds something that must not be shown."""
    return any(word in option.lower() for word in _SECRET_WORDS)
