"""The pieces of a where-clause: tokens, numbers as people write them, and marks at mistakes."""

import math
import re
from dataclasses import dataclass

from space.errors import InputError
from space.surface import surface

MAX_LENGTH = 2000
_SHOWN = 40
"""Characters shown on either side of a mistake."""

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates, which no database takes as text."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>"[^"]*"|'[^']*')
      | (?P<operator><=|>=|!=|==|<>|=|<|>)
      | (?P<punctuation>[(),])
      | (?P<word>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?\ ?(?:%|[mu]s\b)
               | [-+]?[A-Za-z0-9_.][A-Za-z0-9_.+:/-]*)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text: its kind (quoted, operator, punctuation, word, end) and place."""

    kind: str
    text: str
    start: int

    @property
    def keyword(self) -> str:
        """The word in lower case; empty for what is no word, so a quoted "and" is a value."""
        return self.text.lower() if self.kind == "word" else ""


def tokens(text: str) -> list[Token]:
    """The tokens of the text and a last one of kind "end".

    Raises:
        InputError: the text is empty, too long, or holds a character that means nothing.
    """
    if not text.strip():
        raise InputError.of(
            surface().field("where"), "empty; leave it out, or write a condition: params < 200k"
        )
    if len(text) > MAX_LENGTH:
        raise InputError.of(
            surface().field("where"), f"longer than {MAX_LENGTH} characters ({len(text)})"
        )
    unstorable = _UNSTORABLE.search(text)
    if unstorable is not None:
        raise mistake(text, unstorable.start(), f"{unstorable[0]!r} is not allowed in text")
    found: list[Token] = []
    place, end = 0, len(text.rstrip())
    while place < end:
        match = _TOKEN.match(text, place)
        if match is None:
            raise _unreadable(text, place)
        kind = match.lastgroup or ""
        value = match[kind]
        found.append(Token(kind, value[1:-1] if kind == "quoted" else value, match.start(kind)))
        place = match.end()
    return [*found, Token("end", "", end)]


def mistake(text: str, place: int, message: str) -> InputError:
    """An error that shows the text with a caret below the place."""
    shown = "".join(char if char.isprintable() else " " for char in text)
    start = max(0, place - _SHOWN)
    before = "…" if start > 0 else ""
    after = "…" if place + _SHOWN < len(shown) else ""
    line = before + shown[start : place + _SHOWN] + after
    caret = " " * (len(before) + place - start) + "^"
    return InputError.of(surface().field("where"), f"{message}\n    {line}\n    {caret}")


def _unreadable(text: str, place: int) -> InputError:
    while text[place].isspace():
        place += 1
    if text[place] in "\"'":
        return mistake(text, place, "this quotation mark is never closed")
    return mistake(text, place, f"{text[place]!r} means nothing here")


_NUMBER = re.compile(r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)([kKMG]?| ?%)")
_SUFFIX = {"": 0, "k": 3, "K": 3, "M": 6, "G": 9, "%": -2}


def parse_number(text: str) -> float | None:
    """The finite number that the text is, suffix applied; None when it is none."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    number, exponent = match[1], _SUFFIX[match[2].strip()]
    # Multiplying would round twice: 0.07 * 1000 is not 70. Text shifts the exponent exactly.
    mantissa, _, shift = number.lower().partition("e")
    value = float(f"{mantissa}e{int(shift or 0) + exponent}") if len(shift) < 6 else math.inf
    return value if math.isfinite(value) else None


SHARE_RULE = "accuracies are shares from 0 to 1"
"""People think of them in per cent."""


def why_no_share(text: str, value: float) -> str | None:
    """Why no accuracy is compared with a number, with what may be meant; None for a share.

    Args:
        text: as it is written. value: what it says.
    """
    if 0 <= value <= 1:
        return None
    is_meant_as_share = 1 < value <= 100 and "%" not in text
    meant = f"; did you mean {value / 100:.10g} or {value:.10g}%?" if is_meant_as_share else ""
    return f"{text} is no accuracy: {SHARE_RULE}{meant}"
