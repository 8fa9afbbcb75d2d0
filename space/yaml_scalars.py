"""What a plain scalar of YAML is: the core schema of YAML 1.2 (section 10.3.2), and nothing else.

PyYAML follows YAML 1.1, which takes `on` and `yes` for true, 010 for 8, 1:30 for 90, 1_000 for
1000, 2024-01-01 for a date, and 1e-3 for text.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

_TAG = "tag:yaml.org,2002:"
MERGE = f"{_TAG}merge"
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


class CoreLoader(yaml.SafeLoader):
    """A safe loader whose plain scalars are null, true, false, a number or text."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


def _constructor(read: Callable[[str], object]) -> Callable[[Any, yaml.ScalarNode], object]:
    return lambda loader, node: read(loader.construct_scalar(node))


for _name, (_texts, _starts) in _FIRST.items():
    CoreLoader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_texts})\Z"), _starts)
for _name, _read in _READ.items():
    CoreLoader.add_constructor(_TAG + _name, _constructor(_read))
