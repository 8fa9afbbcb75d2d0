"""Text in the characters that a stream has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from space.cli.messages import can_carry, carried

ENCODINGS = ("ascii", "latin-1", "cp1252", "cp437", "koi8-r", "gb18030", "shift_jis", "utf-8")
ANY = st.text(st.characters() | st.characters(categories=["Cs"]))


@given(ANY, st.sampled_from(ENCODINGS), st.booleans())
def test_any_text_is_carried(text: str, encoding: str, escape: bool) -> None:
    shown = carried(text, encoding, escape=escape)
    assert shown.encode(encoding).decode(encoding) or not shown
    assert carried(shown, encoding, escape=escape) == shown
    assert shown == text or not can_carry(encoding, text)


@given(st.text(st.characters(max_codepoint=127)), st.sampled_from(ENCODINGS))
def test_what_the_encoding_has_stays(text: str, encoding: str) -> None:
    if can_carry(encoding, text):
        assert carried(text, encoding) == text


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)))
def test_question_marks_are_as_wide(text: str) -> None:
    assert cell_len(carried(text, "ascii")) == cell_len(text)


@pytest.mark.parametrize(
    ("text", "encoding", "shown"),
    [
        ("3×224 · ≤ 5 … ±1", "ascii", "3x224 | <= 5 ... +-1"),
        ("3×224 · ≤ 5 … ±1", "latin-1", "3×224 · <= 5 ... ±1"),
        ("┌─┐│", "ascii", "+-+|"),
        ("größe", "ascii", "gr??e"),
        ("caf\udce9", "utf-8", "caf\\udce9"),
    ],
)
def test_replacements_are_readable(text: str, encoding: str, shown: str) -> None:
    assert carried(text, encoding) == shown


def test_remarks_keep_what_a_name_is() -> None:
    assert carried("größe · ✓", "ascii", escape=True) == "gr\\xf6\\xdfe | y"
