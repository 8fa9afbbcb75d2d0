"""Texts out of a store, shown in figures as they are written: Plotly reads a few tags of HTML."""

import re

# What is not seen but changes what is: line breaks, control characters, turns of direction.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;", "%": "&#37;"}


def plain(text: str) -> str:
    """What Plotly shows as the text, in one line: in hovers, legends, titles and labels."""
    return "".join(_ENTITIES.get(letter, letter) for letter in one_line(text))


def one_line(text: str) -> str:
    """The text without line breaks and without what turns or hides its other letters."""
    return " ".join(_CONTROL.sub(" ", text).split())
