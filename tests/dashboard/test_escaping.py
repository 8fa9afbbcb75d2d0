"""Texts of a store read as they are written, where Streamlit or Plotly would read more in them."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from streamlit.testing.v1 import AppTest

from dashboard.escaping import markdown
from search.visualization.plain_text import one_line, plain
from tests.dashboard.stores import NASTY

JOINER = "\u2060"
PARSER = MarkdownIt("commonmark").enable("strikethrough")
LETTERS = st.text(st.sampled_from("ab1 _*`~$:[]()!<>&#+-.\\/@%{}|=\n\t\u202e") | st.characters())
# What Streamlit replaces in a text after it has been read as Markdown.
REPLACED = re.compile(r":[\w+-][\w/+-]*:|->|<-|--|[<>~]=|www\.|http://|https://|@\w", re.IGNORECASE)


def parsed(text: str) -> str:
    """What another implementation of Markdown reads: one paragraph of nothing but text."""
    tokens = PARSER.parse(text)
    if not tokens:
        return ""
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    parts = tokens[1].children or []
    assert {part.type for part in parts} <= {"text", "text_special"}
    return "".join(part.content for part in parts)


@given(LETTERS)
def test_markdown_reads_as_the_text(text: str) -> None:
    assert parsed(markdown(text)).replace(JOINER, "") == one_line(text)
    assert not REPLACED.search(parsed(markdown(text)))


@given(LETTERS, LETTERS)
def test_markdown_within_a_sentence_too(before: str, text: str) -> None:
    made = parsed(f"trial 1 of {markdown(text)} and {markdown(before)}").replace(JOINER, "")
    assert made == f"trial 1 of {one_line(text)} and {one_line(before)}".strip()


@pytest.mark.parametrize("text", ["$x$", "a :red[b]", ":blue-badge[x]", "::x", ":rainbow[a]"])
def test_what_only_streamlit_reads_is_escaped(text: str) -> None:
    """Formulas and directives: a backslash stands before what begins them."""
    assert not re.search(r"(?<!\\)\$|(?<!\\):(?=[\w:])|(?<!\\)\[", markdown(text))


@given(LETTERS)
def test_plotly_is_given_no_tags_formulas_or_variables(text: str) -> None:
    made = plain(text)
    assert not set("<>$%") & set(made)
    assert html.unescape(made) == one_line(text)


def test_plain_names_stay_as_they_are() -> None:
    for name in ("quickstart-2", "my_study.v1", "Pyramid MS Conv. + MLP", "global/dense/full"):
        assert markdown(name) == plain(name) == name


def drawn(element: object) -> list[str]:
    """All texts that an element hands to the browser as Markdown."""
    proto = element.proto  # type: ignore[attr-defined]
    return [str(getattr(proto, name)) for name in ("body", "label", "help") if hasattr(proto, name)]


@pytest.mark.parametrize("file", ["progress", "architecture", "leaderboard", "learning_curves"])
def test_no_page_hands_a_name_over_as_markdown(
    opened: object, store_files: dict[str, object], file: str
) -> None:
    test: AppTest = opened(file, store_files["nasty"])  # type: ignore[operator]
    assert not test.exception
    assert not test.error
    kinds = (test.markdown, test.caption, test.subheader, test.title, test.info, test.metric)
    texts = [text for kind in kinds for element in kind for text in drawn(element)]
    assert not [text for text in texts if "**bold**" in text or ":material/home:" in text]
    if file in ("progress", "architecture"):
        assert any(markdown(NASTY) in text for text in texts)
