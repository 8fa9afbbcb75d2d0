"""Texts out of a store, shown as they are written: no Markdown, no HTML, no links.

Names of studies, reasons of failures and what else stands in a store were written by others.
Streamlit reads most of what it is given as Markdown, Plotly as a few tags of HTML.
"""

import re

_INVISIBLE = "\u2060"
"""A word joiner: it takes apart what Streamlit replaces after it has read the Markdown."""
# What is not seen but changes what is: line breaks, control characters, turns of direction.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_MARKDOWN = re.compile(
    r"[\\`*\[\]<>&$~]"
    r"|(?<![^\W_])_|_(?![^\W_])"  # within a word it stands for itself
    r"|:(?=[\w:])"  # directives such as :red[...]
    r"|^[#+-]"  # headings and lists
)
_NUMBER = re.compile(r"^(\d{1,9})(?=[.)])")
_REPLACED = re.compile(
    r"(?<=:)(?=[\w+-][\w/+-]*\\?:)"  # :smile: and :material/home:
    r"|(?<=-)(?=\\?[->])|(?<=<)(?=-)|(?<=[<>~])(?==)"  # arrows and signs
    r"|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)(?=\w)",  # addresses
    re.IGNORECASE,
)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%": "&#37;"}


def markdown(text: str) -> str:
    """Markdown that reads as the text, in one line; fit for labels and parts of sentences."""
    escaped = _NUMBER.sub(r"\1\\", _MARKDOWN.sub(r"\\\g<0>", one_line(text)))
    return _REPLACED.sub(_INVISIBLE, escaped)


def hover(text: str) -> str:
    """What Plotly shows as the text, in one line: in hovers, legends, titles and labels."""
    return "".join(_ENTITIES.get(letter, letter) for letter in one_line(text))


def one_line(text: str) -> str:
    """The text without line breaks and without what turns or hides its other letters."""
    return " ".join(_CONTROL.sub(" ", text).split())
