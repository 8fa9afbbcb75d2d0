"""Texts out of a store, shown as they are written: no Markdown, no HTML, no links.

Names of studies, reasons of failures and what else stands in a store were written by others.
Streamlit reads most of what it is given as Markdown; for figures see
`search.visualization.plain_text`.
"""

import re

from search.visualization.plain_text import one_line

_INVISIBLE = "\u2060"
"""A word joiner: it takes apart what Streamlit replaces after it has read the Markdown."""
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


def markdown(text: str) -> str:
    """Markdown that reads as the text, in one line; fit for labels and parts of sentences."""
    escaped = _NUMBER.sub(r"\1\\", _MARKDOWN.sub(r"\\\g<0>", one_line(text)))
    return _REPLACED.sub(_INVISIBLE, escaped)
