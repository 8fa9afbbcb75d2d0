"""A safe YAML loader for plain values: the core schema of YAML 1.2 (section 10.3.2), nothing else.

Tags are refused, and keys that stand twice are noted.

PyYAML follows YAML 1.1, which takes `on` and `yes` for true, 010 for 8, 1:30 for 90, 1_000 for
1000, 2024-01-01 for a date, and 1e-3 for text.
"""

import re
from collections.abc import Callable, Generator, Hashable, Iterable
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_FIRST: dict[str, tuple[str, list[str]]] = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
        r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
    ),
    # Not of the core schema, but files share parts by it, as YAML 1.1 lets them.
    "merge": (r"<<", ["<"]),
}
"""By type: its texts, and the characters that they begin with. What fits the first is that type."""


def _whole(text: str) -> int:
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _real(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_READ: dict[str, Callable[[str], object]] = {
    "null": lambda _: None,
    "bool": lambda text: text.lower() == "true",
    "int": _whole,
    "float": _real,
}


class RepeatedKeys(dict[Any, Any]):
    """A mapping in whose text some keys stand twice: (key, line or None) of each second one."""

    twice: tuple[tuple[object, int | None], ...] = ()


class PlainLoader(yaml.SafeLoader):
    """A safe loader without tags whose plain scalars are null, true, false, a number or text.

    It notes the keys that stand twice; plain YAML keeps the last.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012

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
        self._twice[id(node)] = repeated((self._key(key), key.start_mark.line + 1) for key in keys)
        return node

    def _key(self, node: yaml.ScalarNode) -> Hashable:
        found: Hashable = node.value if node.tag == _MERGE else self.construct_object(node)
        return found

    def construct_yaml_map(self, node: yaml.MappingNode) -> Generator[dict[Any, Any], None, None]:
        values = RepeatedKeys() if self._twice[id(node)] else {}
        if isinstance(values, RepeatedKeys):
            values.twice = self._twice[id(node)]
        yield values
        values.update(self.construct_mapping(node))


def _constructor(read: Callable[[str], object]) -> Callable[[Any, yaml.ScalarNode], object]:
    return lambda loader, node: read(loader.construct_scalar(node))


for _name, (_texts, _starts) in _FIRST.items():
    PlainLoader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_texts})\Z"), _starts)
for _name, _read in _READ.items():
    PlainLoader.add_constructor(_TAG + _name, _constructor(_read))
PlainLoader.add_constructor(f"{_TAG}map", PlainLoader.construct_yaml_map)


def repeated(keys: Iterable[tuple[object, int | None]]) -> tuple[tuple[object, int | None], ...]:
    """Each second one of equal keys, with its line."""
    seen: set[object] = set()
    found = []
    for key, line in keys:
        if key in seen:
            found.append((key, line))
        seen.add(key)
    return tuple(found)
