"""YAML and JSON to plain values, whatever a person or a program wrote, or one clear refusal."""

import json
import re
from typing import Any

import yaml

from space.errors import InputError, Problem, join
from space.input.paths import shown_path
from space.input.yaml_loader import PlainLoader, RepeatedKeys, repeated

MOST_VALUES = 200_000
DEEPEST = 40
LONGEST_NUMBER = 400
"""In bits."""

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates."""
_TOO_DEEP = f"is nested too deeply; at most {DEEPEST} levels"


_SUSPECT = re.compile(r"[\0\ud800-\udfff]|\\u|\d{100}")
"""Without any of these JSON holds nothing that `_refuse_unusable` refuses."""


def _loaded(text: str) -> tuple[Any, bool]:
    """The values of a JSON document, and whether some mapping in it has a key twice."""
    doubled = False

    def from_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        values = dict(pairs)
        if len(values) == len(pairs):
            return values
        doubled = True
        found = RepeatedKeys(values)
        found.twice = repeated((key, None) for key, _ in pairs)
        return found

    return json.loads(text, object_pairs_hook=from_pairs), doubled


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
        values = yaml.load(text, PlainLoader)  # noqa: S506 - a SafeLoader
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
        values, doubled = _loaded(text)
    except RecursionError:
        raise InputError.of(where, _TOO_DEEP) from None
    except ValueError as error:
        raise InputError.of(where, f"is not valid JSON: {_shortened(error)}") from None
    return _checked(values, where) if doubled or _is_suspect(text) else values


def _is_suspect(text: str) -> bool:
    """Whether a document may hold what is refused; a look at its text, as networks are read by the
    ten thousand."""
    opened = text.count("{") + text.count("[")
    return opened > DEEPEST or len(text) > MOST_VALUES or _SUSPECT.search(text) is not None


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
        if isinstance(value, RepeatedKeys):
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


def _double_problems(values: RepeatedKeys, path: _Path, where: str) -> list[Problem]:
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


VERSION = 1
"""Of the files that describe networks and spaces."""


def without_version(values: object, where: str) -> Any:
    """The values of a file without its `version`, which may be left out.

    Nothing else of a file of another version can be judged, so nothing else is told.

    Args:
        values: as they were read; what is no mapping is given back as it is.
        where: path of the values.

    Raises:
        InputError: for a version that this release does not know.
    """
    if not isinstance(values, dict):
        return values
    rest = dict(values)
    version = rest.pop("version", VERSION)
    if type(version) is not int or version != VERSION:
        short = isinstance(version, str) and len(version) < 20
        small = isinstance(version, int) and abs(version) < 10**12
        shown = repr(version) if short or small else "this version"
        raise InputError.of(join(where, "version"), f"{shown} is not known; allowed: {VERSION}")
    return rest
