"""Reading YAML and JSON: plain values or the house's error, whatever the text."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from space import Architecture, DesignSpace, InputError, Mixer
from space.input.plain_files import read_json, read_yaml
from space.input.plain_values import from_json, from_yaml
from tests.space.spaces import EVERYTHING

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


class QuotingDumper(yaml.SafeDumper):
    """Quotes all text: PyYAML leaves bare what is text in YAML 1.1 alone, such as 1e3."""


QuotingDumper.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)


@given(PLAIN)
@settings(max_examples=100, deadline=None)
def test_what_was_written_is_read(values: Any) -> None:
    assert from_json(json.dumps(values), "file") == values
    assert from_yaml(yaml.dump(values, Dumper=QuotingDumper), "file") == values


YAML_TEXT = st.text(alphabet="ab10:.-_ \n\t[]{}&*<>!|?,'\"#%=~\x00é\ud800", max_size=40)
YAML_WORDS = st.lists(
    st.sampled_from(
        [
            *("a", ": ", "\n", "  ", "- ", "? ", "&x ", "*x", "<<", "[", "]", "{", "}", ", ", "="),
            *("!!map ", "!!timestamp ", "!!set ", "2020-99-99", "0b_", "1:2", "---\n", "|\n"),
            "9" * 5000,
        ]
    ),
    max_size=20,
).map("".join)


@given(YAML_TEXT | YAML_WORDS | st.text(max_size=30))
@settings(max_examples=400, deadline=None)
def test_junk_gives_plain_values_or_the_houses_error(text: str) -> None:
    for read in (from_yaml, from_json):
        with suppress(InputError):
            json.dumps(read(text, "file"), default=str)


@given(st.binary(max_size=60), st.sampled_from([read_yaml, read_json]))
@settings(max_examples=100, deadline=None)
def test_bytes_of_any_kind(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, read: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "junk"
    path.write_bytes(content)
    with suppress(InputError):
        read(path)


JUNK = PLAIN | st.binary() | st.sets(st.integers()) | st.just(object()) | st.dates()


@given(JUNK)
@settings(max_examples=150, deadline=None)
def test_no_reader_takes_junk_or_raises_anything_else(junk: Any) -> None:
    for read in (Architecture.from_json, Architecture.from_dict, DesignSpace.from_dict):
        with pytest.raises(InputError):
            read(junk)
    with pytest.raises(InputError):
        Mixer.from_dict(junk)


@pytest.mark.parametrize("text", [None, 3, b"{}", [], {}])
def test_what_is_no_text_is_no_architecture(text: Any) -> None:
    with pytest.raises(InputError, match="architecture: is not JSON text but"):
        Architecture.from_json(text)


def problems(read: Any, *arguments: Any) -> list[str]:
    with pytest.raises(InputError) as refused:
        read(*arguments)
    return [str(problem) for problem in refused.value.problems]


def test_every_key_that_stands_twice_is_named_with_its_path() -> None:
    text = "a: 1\nb:\n  - {c: 1}\n  - {c: 1, d: 2, c: 3}\n1: 2\n0x1: 3\na: 2"
    assert sorted(problems(from_yaml, text, "f.yaml")) == [
        "f.yaml: line 4: the key 'b[1].c' stands there twice",
        "f.yaml: line 6: the key '[1]' stands there twice",
        "f.yaml: line 7: the key 'a' stands there twice",
    ]
    text = '{"a": [0, {"b": {"c": 1, "c": 1}}]}'
    assert problems(from_json, text, "f.json") == ["f.json: the key 'a[1].b.c' stands there twice"]
    twice = Architecture.from_json, '{"version": 1, "version": 1}'
    assert problems(*twice) == ["architecture: the key 'version' stands there twice"]


def test_a_merge_may_be_overridden() -> None:
    text = "x: {y: {z: &z {<<: &w {k: 1, m: 1}, k: 2}}}\na: {<<: *z, k: 3}"
    assert from_yaml(text, "f")["a"] == {"k": 3, "m": 1}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\ta: 1", "cannot start any token"),
        ("a: \x00", "unacceptable character"),
        ("a: &a [*a]", "nested too deeply; at most 40 levels"),
        ("[" * 50_000, "nested too deeply; at most 40 levels"),
        ("a: !!set {b}", "line 1: there is a tag, 'tag:yaml.org,2002:set'"),
        ("a: !!timestamp x", "there is a tag"),
        ("a: 0x" + "f" * 101, "a number of more than a hundred digits"),
        ("a: {? [1] : 2}", "unhashable key"),
        ("--- 1\n--- 2", "expected a single document"),
    ],
)
def test_odd_yaml_has_one_message(text: str, message: str) -> None:
    (problem,) = problems(from_yaml, text, "f.yaml")
    assert problem.startswith("f.yaml: ")
    assert message in problem


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text('{"a": 1}', encoding="utf-8-sig")
    assert read_json(path) == read_yaml(path) == {"a": 1}


def test_a_space_file_may_tell_its_version() -> None:
    space = DesignSpace.from_dict(EVERYTHING)
    assert DesignSpace.from_dict(EVERYTHING | {"version": 1}).to_dict() == space.to_dict()
    for version in (2, True, "1", 1.0, None, 10**5000):
        (problem,) = problems(DesignSpace.from_dict, {"version": version, "colour": 3}, "space")
        assert problem.startswith("space.version: ")
        assert problem.endswith("is not known; allowed: 1")
