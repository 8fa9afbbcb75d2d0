"""What is said of a mistake in a where-clause, word by word."""

import pytest

from search.query import FIELDS
from tests.query.test_where import message

ALL = ", ".join(FIELDS)
OF_MIXERS = ", ".join(name for name, field in FIELDS.items() if field.of_mixer)
ORDER = "= != < <= > >="


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("parms < 3", f"unknown field 'parms'; did you mean 'params'? Allowed: {ALL}"),
        ("Foo < 3", f"unknown field 'Foo'. Allowed: {ALL}"),
        (
            "validation_los < 1",
            "unknown field 'validation_los': of the metrics only validation_accuracy, params, "
            f"macs, latency can be asked for. Allowed: {ALL}",
        ),
        ("and", f"expected a field: {ALL}"),
        ("'params' < 3", f"expected a field: {ALL}"),
        ("in < 3", f"expected a field: {ALL}"),
        ("stage 1 stage < 3", f"expected a field: {ALL}"),
        ("any params < 3", f"'any' goes with fields of mixers: {OF_MIXERS}"),
        ("stage 2 params < 3", f"'stage' goes with fields of mixers: {OF_MIXERS}"),
        ("any stage 2 params < 3", f"'stage' goes with fields of mixers: {OF_MIXERS}"),
        ("params at 3 < 3", "'at' an epoch goes with accuracy"),
        ("stage 0 kernel = 3", "expected the number of a stage, 1 to 8, after 'stage'"),
        ("accuracy at 0 < 1", "expected the number of an epoch, 1 to 100000, after 'at'"),
        ("accuracy at '3' < 1", "expected the number of an epoch, 1 to 100000, after 'at'"),
        ("params", f"expected one of {ORDER} or in after 'params'"),
        ("created", f"expected one of {ORDER} or in after 'date'"),
        ("study < a", "expected one of = != or in after 'study'"),
        ("depth not 3", f"expected one of {ORDER} or in after 'depth'"),
        ("depth in 3", "expected '(' and the values, such as in (a, b)"),
        ("depth in (3", "expected ')'"),
        ("(params < 3", "expected ')'"),
        ("params < 3)", "expected 'and', 'or' or the end"),
        ("study = 'open", "this quotation mark is never closed"),
        ("study =   'open", "this quotation mark is never closed"),
        ('study = "open', "this quotation mark is never closed"),
        ("params < 3; DROP", "';' means nothing here"),
        (f"depth in ({','.join('1' * 201)})", "more than 200 values"),
        ("not " * 51 + "depth = 1", "nested deeper than 50"),
        ("accuracy > 120%", "120% is no accuracy: accuracies are shares from 0 to 1"),
        (
            "accuracy > 86",
            "86 is no accuracy: accuracies are shares from 0 to 1; did you mean 0.86 or 86%?",
        ),
    ],
)
def test_a_mistake_is_said_word_by_word(text: str, said: str) -> None:
    assert message(text).split("\n")[0] == said


def test_what_is_too_long_or_empty_is_said_without_a_mark() -> None:
    empty = "empty; leave it out, or write a condition: params < 200k"
    assert message(" ") == empty
    assert message("params < 3" + " " * 1991) == "longer than 2000 characters (2001)"
    assert message("parms < 3" + " " * 1991).startswith("unknown field")


def test_as_much_as_is_allowed_is_taken() -> None:
    from search.query import parse_where

    parse_where("params < 3" + " " * 1990)
    parse_where(f"depth in ({','.join('1' * 200)})")
    parse_where("not " * 49 + "depth = 1")
    parse_where("stage 8 kernel = 3 and stage 1 kernel = 3")
    parse_where("accuracy at 100000 < 1 and accuracy at 1 > 0")


def test_a_mixer_that_nobody_knows_is_named_in_quotes() -> None:
    first = message("name = thing").split("\n")[0]
    assert first.startswith("no operator is named 'thing'; allowed: MLP, LR MLP, ")
    assert first.endswith("; that of a mixer of your own stands in quotes")


def test_a_long_text_is_shown_around_the_mistake() -> None:
    before, after = "params < 1 and ", " and params < 4"
    text = before * 3 + "oops = 1" + after * 3
    _, line, caret = message(text).split("\n")
    place = len(before * 3)
    assert line == "    …" + text[place - 40 : place + 40] + "…"
    assert caret == "    " + " " * 41 + "^"
    _, line, caret = message("oops = 1" + after * 3).split("\n")
    assert (line, caret) == ("    " + ("oops = 1" + after * 3)[:40] + "…", "    ^")
    short = "depth = 1 and depth = 1 and depth = 1 an"
    _, line, _ = message(short + "d oops").split("\n")
    assert line == "    …" + (short + "d oops")[2:]
