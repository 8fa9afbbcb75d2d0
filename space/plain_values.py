"""YAML and JSON to plain values, whatever a person or a program wrote, or one clear refusal."""

import json
import re
from collections.abc import Generator, Hashable, Iterable
from typing import Any

import yaml

from space.errors import InputError, Problem
from space.paths import shown_path
from space.yaml_scalars import MERGE, CoreLoader

MOST_VALUES = 200_000
DEEPEST = 40
LONGEST_NUMBER = 400
"""In bits."""

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates."""
_TOO_DEEP = f"is nested too deeply; at most {DEEPEST} levels"


class _Doubled(dict[Any, Any]):
    """A mapping in whose text some keys stand twice: (key, line or None) of each second one."""

    twice: tuple[tuple[object, int | None], ...] = ()


class _Loader(CoreLoader):
    """Safe YAML without tags that notes the keys that stand twice; plain YAML keeps the last."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._twice: dict[int, tuple[tuple[object, int | None], ...]] = {}

    def compose_node(self, parent: Any, index: Any) -> yaml.Node | None:
        # A tag such as !!set or !!binary asks for more than plain values, or for a wrong reading.
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if tag := getattr(event, "tag", None):
            raise yaml.YAMLError(f"line {event.start_mark.line + 1}: there is a tag, {tag[:80]!r}")
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        # Noted here, before merge keys (`<<`) bring in fields that the mapping may well override.
        node = super().compose_mapping_node(anchor)
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        self._twice[id(node)] = _twice((self._key(key), key.start_mark.line + 1) for key in keys)
        return node

    def _key(self, node: yaml.ScalarNode) -> Hashable:
        found: Hashable = node.value if node.tag == MERGE else self.construct_object(node)
        return found

    def construct_yaml_map(self, node: yaml.MappingNode) -> Generator[dict[Any, Any], None, None]:
        values = _Doubled() if self._twice[id(node)] else {}
        if isinstance(values, _Doubled):
            values.twice = self._twice[id(node)]
        yield values
        values.update(self.construct_mapping(node))


_Loader.add_constructor("tag:yaml.org,2002:map", _Loader.construct_yaml_map)


def _twice(keys: Iterable[tuple[object, int | None]]) -> tuple[tuple[object, int | None], ...]:
    seen: set[object] = set()
    found = []
    for key, line in keys:
        if key in seen:
            found.append((key, line))
        seen.add(key)
    return tuple(found)


def _from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    doubled = _Doubled(values)
    doubled.twice = _twice((key, None) for key, _ in pairs)
    return doubled


def from_yaml(text: str, where: str) -> Any:
    """The plain values of a YAML document.

    Args:
        text: the document.
        where: what it is called in a refusal.

    Raises:
        InputError: for text that is no YAML, is nested too deeply, unfolds into too much, or has a
            mapping with a key that stands twice.
    """
    try:
        values = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except RecursionError:
        raise InputError.of(where, _TOO_DEEP) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise InputError.of(where, f"is not valid YAML: {_shortened(_unquoted(error))}") from None
    return _checked(values, where)


def _unquoted(error: Exception) -> Exception:
    """The error without the line that it quotes, which may hold a password."""
    if isinstance(error, yaml.MarkedYAMLError):
        for mark in (error.context_mark, error.problem_mark):
            if mark is not None:
                mark.buffer = None
    return error


def from_json(text: object, where: str) -> Any:
    """The plain values of a JSON document.

    Args:
        text: the document.
        where: what it is called in a refusal.

    Raises:
        InputError: for what is no text, and as `from_yaml` does.
    """
    if not isinstance(text, str):
        raise InputError.of(where, f"is not JSON text but {_named(text)}")
    try:
        values = json.loads(text, object_pairs_hook=_from_pairs)
    except RecursionError:
        raise InputError.of(where, _TOO_DEEP) from None
    except ValueError as error:
        raise InputError.of(where, f"is not valid JSON: {_shortened(error)}") from None
    return _checked(values, where)


def _named(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"


def _shortened(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 500 else f"{text[:500]} …"


_Path = tuple["_Path", object] | None
"""The steps from a value outwards, as a chain: most are never written out."""


def _checked(values: Any, where: str) -> Any:
    """The values, unless a few lines of aliases unfold into more than a file needs."""
    problems: dict[int, list[Problem]] = {}
    left, open_ = MOST_VALUES, [(values, 0, _start())]
    while open_:
        value, depth, path = open_.pop()
        inner = _items(value)
        if inner is None:
            _refuse_unusable(value, path, where)
            continue
        left -= len(inner)
        if depth >= DEEPEST:
            raise InputError.of(where, _TOO_DEEP)
        if left < 0:
            raise InputError.of(where, f"holds too much; at most {MOST_VALUES:,} values")
        if isinstance(value, _Doubled):
            problems[id(value)] = _double_problems(value, path, where)
        open_ += [(item, depth + 1, (path, step)) for step, item in inner]
    if problems:
        raise InputError([problem for found in problems.values() for problem in found])
    return values


def _refuse_unusable(value: Any, path: _Path, where: str) -> None:
    """Numbers that nothing can hold, and characters that no file, database or terminal takes."""
    if isinstance(value, int) and value.bit_length() > LONGEST_NUMBER:
        raise InputError.of(where, "holds a number of more than a hundred digits")
    found = _NO_TEXT.search(value) if isinstance(value, str) else None
    if found is not None:
        place = f"{shown_path(_written(path))}: " if path else ""
        raise InputError.of(where, f"{place}{found[0]!r} is not allowed in text")


def _start() -> _Path:
    return None


def _items(value: Any) -> list[tuple[object, Any]] | None:
    """What a container holds, each with the step to it; None for a single value."""
    if isinstance(value, dict):
        return [*((key, key) for key in value), *value.items()]
    if isinstance(value, set):
        return [(item, item) for item in value]
    return list(enumerate(value)) if isinstance(value, list | tuple) else None


def _double_problems(values: _Doubled, path: _Path, where: str) -> list[Problem]:
    problems = []
    for key, line in values.twice:
        place = "" if line is None else f"line {line}: "
        shown = _written((path, key))[:200]
        problems.append(Problem(where, f"{place}the key {shown!r} stands there twice"))
    return problems


def _written(path: _Path) -> str:
    """A path as people write it, such as stages[0].depth."""
    steps: list[str] = []
    while path is not None:
        path, step = path
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(reversed(steps)).removeprefix(".")
