"""Plain scalars are what the core schema of YAML 1.2 says, and nothing that only YAML 1.1 knows."""

import math
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from space import InputError
from space.input.plain_values import from_yaml

DIGITS = set(string.digits)
NOTHING = {"", "~", "null", "Null", "NULL"}
FLAGS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def core_schema(text: str) -> object:
    """Section 10.3.2 of the specification once more, character by character."""
    if text in NOTHING:
        return None
    if text in FLAGS:
        return FLAGS[text]
    for prefix, digits in (("0o", "01234567"), ("0x", string.hexdigits)):
        if text.startswith(prefix) and len(text) > 2 and set(text[2:]) <= set(digits):
            return sum(
                digits.lower().index(digit) * len(set(digits.lower())) ** place
                for place, digit in enumerate(reversed(text[2:].lower()))
            )
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest and set(rest) <= DIGITS:
        return sign * int(rest.lstrip("0") or "0")
    if rest in (".inf", ".Inf", ".INF"):
        return sign * math.inf
    if text in (".nan", ".NaN", ".NAN"):
        return math.nan
    return sign * float(rest) if is_decimal(rest) else text


def is_decimal(rest: str) -> bool:
    """Whether digits around at most one point, and an exponent if any, are all there is."""
    mantissa, mark, exponent = rest.replace("E", "e").partition("e")
    if mark and (exponent[:1] in ("-", "+")):
        exponent = exponent[1:]
    if mark and not (exponent and set(exponent) <= DIGITS):
        return False
    whole, _, part = mantissa.partition(".")
    return bool(whole or part) and set(whole + part) <= DIGITS


def same(one: object, other: object) -> bool:
    nans = [isinstance(value, float) and math.isnan(value) for value in (one, other)]
    return all(nans) or (type(one) is type(other) and one == other)


NUMBER_LIKE = st.text(alphabet="0123456789+-._eExXobafINF:", max_size=9)
WORDS = st.sampled_from(
    [
        *("on", "off", "yes", "no", "y", "n", "On", "NO", "true", "TRUE", "tRue", "null", "nUll"),
        *("~", "", "010", "0o10", "0O10", "0o8", "0x1F", "0X1F", "-0x1", "0b1", "1_000", "1:30"),
        *("190:20:30", "2024-01-01", "2024-01-01T00:00:00Z", ".5", "5.", "+1", "-0", "1e3", "1e-3"),
        *("1.e3", ".e3", "+.5", ".inf", "-.INF", "+.Inf", ".nan", "+.nan", "nan", "inf", "NaN"),
        *("=", "<", "0.1.0", "1e", "1e+", "08", "00", "1.5e+3", ".", "..", "e5", "1E5", "--1"),
    ]
)


def is_a_scalar(text: str) -> bool:
    """Whether the text behind `a: ` is one plain scalar, and no sequence, mapping or document."""
    return not (text in ("-", "?") or text.startswith((":", "- ", "---")) or text.endswith(":"))


@given(st.one_of(NUMBER_LIKE, WORDS))
@example("9" * 50)
@settings(max_examples=300, deadline=None)
def test_every_plain_scalar_is_what_yaml_1_2_says(text: str) -> None:
    if is_a_scalar(text):
        assert same(from_yaml(f"a: {text}", "file")["a"], core_schema(text)), text


@given(st.one_of(NUMBER_LIKE, WORDS))
@settings(max_examples=100, deadline=None)
def test_what_is_quoted_is_text(text: str) -> None:
    assert from_yaml(f"a: '{text}'\nb: \"{text}\"", "file") == {"a": text, "b": text}


@given(st.one_of(st.none(), st.booleans(), st.integers(-(10**18), 10**18), st.floats()))
@settings(max_examples=100, deadline=None)
def test_numbers_as_python_prints_them_are_read_back(value: object) -> None:
    names = {None: "null", True: "true", False: "false"}
    text = names[value] if value is None or isinstance(value, bool) else repr(value)  # type: ignore[index]
    text = text.replace("inf", ".inf").replace("nan", ".nan")
    assert same(from_yaml(text, "file"), value)


def test_keys_are_read_so_too() -> None:
    assert from_yaml("{on: 1, 010: 2, 1e3: 3, ~: 4, 1:30: 5}", "file") == {
        "on": 1,
        10: 2,
        1000.0: 3,
        None: 4,
        "1:30": 5,
    }
    with pytest.raises(InputError, match="stands there twice"):
        from_yaml("{010: 1, 10: 2}", "file")


@pytest.mark.parametrize("character", [r"\0", r"\ud800", r"\udcff"])
def test_text_that_nothing_can_keep_is_refused_with_its_place(character: str) -> None:
    with pytest.raises(InputError) as refused:
        from_yaml(f'a:\n  - b: "x{character}"', "file.yaml")
    (problem,) = refused.value.problems
    assert (problem.where, problem.message.split(":")[0]) == ("file.yaml", "a[0].b")
    assert "is not allowed in text" in problem.message
