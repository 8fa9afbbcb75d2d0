"""Refusals as text for people, and any text in the characters that a stream has."""

import re
from functools import lru_cache
from io import StringIO

import click
from rich.cells import cell_len

from space.errors import InputError, Problem

MOST_PROBLEMS = 100
LONGEST = 600


def describe(error: InputError) -> str:
    """All problems: one line for one, a list for more."""
    if len(error.problems) == 1:
        return f"error: {plain(error.problems[0])}"
    lines = [f"error: {len(error.problems)} problems"]
    lines += [f"  {plain(problem)}" for problem in error.problems[:MOST_PROBLEMS]]
    if len(error.problems) > MOST_PROBLEMS:
        lines.append(f"  and {len(error.problems) - MOST_PROBLEMS:,} more")
    return "\n".join(lines)


_PLACE = re.compile(r"\n( {4}[^\n]*\n {4} *\^)$")
"""At the end of a message: a line of the input, and below it a caret at the place that is meant."""


def plain(problem: Problem) -> str:
    """A problem on one line of printable characters, cut where it is endless.

    Below it, where the message has them, a line of the input with a caret at the place.
    """
    said = str(problem)
    place = _PLACE.search(said)
    text = printable(" ".join(said[: place.start()].split() if place else said.split()))
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
    return f"{shown}\n{printable(place[1])}" if place else shown


def usage(error: click.ClickException) -> str:
    """What click says of a command line that it refuses."""
    said = StringIO()
    error.show(said)
    return printable(said.getvalue().rstrip("\n"))


def printable(text: str) -> str:
    """A text of several lines without what would steer a terminal or turn letters around."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else escaped(letter) for letter in text
    )


def escaped(letter: str) -> str:
    """A character that no terminal should see, as its code."""
    return letter.encode("unicode_escape").decode("ascii")


_IN_ASCII = {
    "·": "|",
    "×": "x",
    "±": "+-",
    "−": "-",
    "–": "-",
    "—": "-",
    "…": "...",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "→": "->",
    "←": "<-",
    "✓": "y",
    "√": "sqrt ",
    "²": "^2",
    "³": "^3",
    "σ": "sigma",
    "Σ": "sum",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "\N{NO-BREAK SPACE}": " ",
    **dict.fromkeys("─━═╌┄", "-"),
    **dict.fromkeys("│┃║╎┆", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼┏┓┗┛┡┩╇╞╪╡╭╮╯╰", "+"),
}


def carried(text: str, encoding: str, *, escape: bool = False) -> str:
    """The text with other characters in the place of those that the encoding lacks.

    Args:
        text: anything, bytes of a path that are no text (surrogates) included.
        encoding: of the stream that it goes to.
        escape: write what has no likeness in ASCII as its code, as Python does on stderr; else as
            question marks, which are as wide.
    """
    if can_carry(encoding, text):
        return text
    return "".join(_letter(letter, encoding, escape) for letter in text)


def can_carry(encoding: str, text: str) -> bool:
    """Whether the encoding has all characters of the text."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=4096)
def _letter(letter: str, encoding: str, escape: bool) -> str:
    if can_carry(encoding, letter):
        return letter
    if letter in _IN_ASCII:
        return _IN_ASCII[letter]
    is_surrogate = "\ud800" <= letter <= "\udfff"
    return escaped(letter) if escape or is_surrogate else "?" * cell_len(letter)
