"""Text for a stream whose encoding lacks some of its characters: written otherwise."""

from functools import lru_cache

from rich.cells import cell_len

from space.cli.messages import escaped

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
