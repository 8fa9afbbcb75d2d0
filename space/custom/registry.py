"""Who is registered: by `register_mixer` in a module that was imported, or by an entry point."""

import os
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TypeVar

from space.custom.definition import (
    Formula,
    MixerDefinition,
    Value,
    listed_names,
    listed_options,
    named_relatives,
)
from space.custom.marks import Marks
from space.errors import InputError
from space.input.dataclass_fields import shown
from space.mixer_types import is_operator_name, plain_name

ENTRY_POINTS = "mixspace.mixers"
"""The group of entry points: each names a module that registers mixers when it is imported."""

VARIABLE = "MIXSPACE_PLUGINS"
"""Names modules, with commas between, for programs that read no space, such as the dashboard."""

_REGISTERED: dict[str, MixerDefinition] = {}
_TIMES: Counter[str] = Counter()
"""How often each name was registered: what was computed of an earlier one is not of a later."""

Factory = TypeVar("Factory", bound=Callable[..., object])


def register_mixer(
    name: str,
    *,
    version: int = 1,
    options: Mapping[str, Value | Sequence[Value]] | None = None,
    divide_width: Sequence[str] = (),
    marks: Mapping[str, object] | Marks | None = None,
    relatives: Mapping[str, str] | Sequence[str] = (),
    paper: str = "",
    params: Formula | None = None,
    macs: Formula | None = None,
    unseen_macs: Formula | None = None,
) -> Callable[[Factory], Factory]:
    """Make a token mixer known by a name, to be used wherever those of the algebra are.

        @register_mixer("linear attention", options={"heads": 4}, divide_width=["heads"])
        class LinearAttention(nn.Module):
            def __init__(self, width, size, heads): ...
            def forward(self, values, context): ...  # (B, C, H, W) each, to the same shape

    For an `nn.Module` class, or a function that returns one: `(width, size, **options)`, with
    `size` the map's `height`, `width` and `positions`. A module whose weights do not depend on the
    image may take the map alone. Everything else is in `MixerDefinition`; a search checks the
    module and its marks before it trains anything.

    Args:
        name: not that of another mixer; case, spaces and punctuation do not tell names apart.
        version: raise it when the mixer computes something else.
        options: for each its default, or a list of the values that it may take, default first.
            `kernel_size`, `groups` and `heads` are what queries call them.
        divide_width: the options that must divide the width.
        marks: from axis to value, see `Marks`; an axis left out is not declared.
        relatives: names of operators that are one step away, or a mapping from name to what
            changes; a searcher moves along them, and the relation graph draws them.
        paper: where it is from.
        params, macs, unseen_macs: `(width, size, **options)` to the parameters, to the
            multiply-accumulates for one image, and to those that torch's counter does not see.
            Without `params` or `macs` the module is traced once a shape on the meta device.

    Raises:
        InputError: with everything that is wrong with the definition, or who has the name.
    """

    written: object = name
    if not isinstance(written, str):
        called = '@register_mixer("my mixer")'
        said = f"must be a text; got {shown(written)}. Write {called} above it"
        raise InputError.of("name", said)

    module = str(sys._getframe(1).f_globals.get("__name__", "?"))

    def register(factory: Factory) -> Factory:
        definition = MixerDefinition(
            name=name,
            version=version,
            factory=factory,
            options=listed_options(options or {}),
            divide_width=listed_names(divide_width),
            marks=Marks.of(marks or {}),
            relatives=named_relatives(relatives),
            paper=paper,
            params=params,
            macs=macs,
            unseen_macs=unseen_macs,
            registration=_TIMES[plain_name(name)],
            registered_in=module,
        )
        _refuse_taken(definition)
        _TIMES[plain_name(name)] += 1
        _REGISTERED[plain_name(name)] = definition
        return factory

    return register


def _refuse_taken(definition: MixerDefinition) -> None:
    """A module that is imported anew, as in a notebook, may define its own mixer again."""
    if is_operator_name(definition.name):
        raise InputError.of("name", f"{definition.name!r} is an operator of mixspace itself")
    other = _REGISTERED.get(plain_name(definition.name))
    if other is not None and other.place != definition.place:
        message = f"{definition.name!r} is registered by {other.place} already"
        raise InputError.of("name", f"{message}; {definition.place} cannot have it too")


def registered(name: str) -> MixerDefinition | None:
    """The definition of a name; None where nobody has registered it."""
    key = plain_name(name)
    if key not in _REGISTERED:
        _load_entry_points()
    return _REGISTERED.get(key)


def registered_mixers() -> tuple[MixerDefinition, ...]:
    """All that are registered, in the order of their names."""
    _load_entry_points()
    return tuple(_REGISTERED[key] for key in sorted(_REGISTERED))


def forget(name: str) -> None:
    """Take a mixer out of the registry."""
    _REGISTERED.pop(plain_name(name), None)


@cache
def _load_entry_points() -> None:
    """Import what `MIXSPACE_PLUGINS` names, and what other packages bring as far as that works.

    Raises:
        InputError: naming the module of the variable that cannot be imported.
    """
    named = os.environ.get(VARIABLE, "").split(",")
    import_module("space.custom.plugins").load_plugins(
        [module.strip() for module in named if module.strip()], VARIABLE
    )
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            entry.load()
        except Exception as error:  # noqa: BLE001  of others, and told when a mixer is missing
            whose = entry.name if entry.dist is None else entry.dist.name
            message = f"the mixers of the package {whose} ({entry.value}) cannot be imported"
            _BROKEN.append(f"{message}: {type(error).__name__}: {error}")


_BROKEN: list[str] = []


def broken_entry_points() -> tuple[str, ...]:
    """What is said of packages whose mixers cannot be imported."""
    return tuple(_BROKEN)


@cache
def modules_of_entry_points() -> frozenset[str]:
    """Modules that a space need not name, as every process finds them."""
    return frozenset(entry.module for entry in entry_points(group=ENTRY_POINTS))
