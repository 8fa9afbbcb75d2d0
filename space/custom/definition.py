"""What is said of a custom mixer once: its factory, its options, its costs, its place."""

import inspect
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from space.axes import AXES
from space.custom.marks import Marks
from space.errors import InputError, Problem, refuse
from space.input.dataclass_fields import shown
from space.mixer_types import plain_name

Value = bool | int | float | str
"""What an option may be."""
_MOST = 65536
_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
_RESERVED = ("operator", "custom", "version", "width", "size", *AXES)
SIZES = ("kernel_size", "groups", "heads")
"""Options that say the same as the fields of `space.Mixer` with these names."""


class Size(Protocol):
    """Height and width of a map, in positions."""

    @property
    def height(self) -> int: ...

    @property
    def width(self) -> int: ...

    @property
    def positions(self) -> int: ...


Formula = Callable[..., int]
"""`(width, size, **options)` to a number."""


@dataclass(frozen=True)
class MixerDefinition:
    """A registered mixer.

    Attributes:
        name: by which spaces, queries and people call it.
        version: a whole number to raise when it computes something else: another version is
            another operator.
        factory: `(width, size, **options)` to an `nn.Module` that maps (B, C, H, W) to the same
            shape, or (values, context) of that shape each, when its weights are dynamic.
        options: for each option the values that it may take, the default first; one value alone
            stands for all of its type.
        divide_width: the options that must divide the width.
        marks: what it declares on the axes.
        relatives: operators that are a step away, by name, each with what changes on the way.
        paper: where it is from.
        params, macs, unseen_macs: formulas of its cost for one image; without one it is traced.
        registration: how often its name was registered before in this process.
        registered_in: the module that did so.
    """

    name: str
    version: int
    factory: Callable[..., Any]
    options: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    divide_width: tuple[str, ...] = ()
    marks: Marks = field(default_factory=Marks)
    relatives: Mapping[str, str] = field(default_factory=dict)
    paper: str = ""
    params: Formula | None = None
    macs: Formula | None = None
    unseen_macs: Formula | None = None
    registration: int = 0
    registered_in: str = ""

    def __post_init__(self) -> None:
        refuse(self._problems())

    @property
    def module(self) -> str:
        """The module whose import registers it."""
        return self.registered_in or str(getattr(self.factory, "__module__", "?"))

    @property
    def place(self) -> str:
        """Where its factory is written."""
        return f"{self.module}.{getattr(self.factory, '__qualname__', '?')}"

    @property
    def defaults(self) -> dict[str, Value]:
        """The value of each option that is left out."""
        return {name: values[0] for name, values in self.options.items()}

    def off_default(self, options: Mapping[str, object]) -> tuple[tuple[str, Value], ...]:
        """The options that are not at their default, in the order of their names.

        Raises:
            InputError: for options that there are not, and values that are not allowed.
        """
        problems, kept = [], []
        for name, value in sorted(options.items()):
            try:
                read = self._value(name, value)
            except ValueError as error:
                problems.append(Problem(name, str(error)))
                continue
            if read != self.options[name][0]:
                kept.append((name, read))
        refuse(problems)
        return tuple(kept)

    def _value(self, name: str, value: object) -> Value:
        if name not in self.options:
            allowed = ", ".join(self.options) or "none"
            raise ValueError(f"is no option of {self.name}; its options: {allowed}")
        allowed_values = self.options[name]
        kind = type(allowed_values[0])
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            raise ValueError(f"{shown(value)} is not allowed; must be {_WORDS[kind]}")
        if len(allowed_values) > 1 and value not in allowed_values:
            listed = ", ".join(map(str, allowed_values))
            raise ValueError(f"{shown(value)} is not allowed; allowed: {listed}")
        is_size = name in (*SIZES, *self.divide_width)
        if is_size and isinstance(value, int) and not 1 <= value <= _MOST:
            raise ValueError(f"{shown(value)} is not allowed; must be from 1 to {_MOST}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must be a finite number")
        read: Any = value
        return read  # type: ignore[no-any-return]

    def width_problems(self, options: Mapping[str, Value], width: int) -> list[Problem]:
        """What makes it impossible at a width."""
        return [
            Problem(name, f"{options[name]} does not divide the width {width}")
            for name in self.divide_width
            if width % int(options[name])
        ]

    def _problems(self) -> Iterator[Problem]:
        if not MIXER_NAME.fullmatch(str(self.name)):
            message = "must be 1 to 60 letters, digits, spaces, dots or dashes, with a letter first"
            yield Problem("name", f"{shown(self.name)} is not allowed; {message}")
        if plain_name(self.name) in map(plain_name, self.relatives):
            yield Problem("relatives", f"{self.name!r} is no relative of itself")
        for field_name in ("params", "macs", "unseen_macs"):
            formula = getattr(self, field_name)
            if formula is not None and not callable(formula):
                message = f"must be a function (width, size, **options); got {formula!r}"
                yield Problem(field_name, message)
        if type(self.version) is not int or not 1 <= self.version <= _MOST:
            message = f"must be a whole number from 1; got {shown(self.version)}"
            yield Problem("version", message)
        yield from self._option_problems()
        for name in self.divide_width:
            if name not in self.options:
                yield Problem("divide_width", f"{name!r} is no option of it")
        if self.marks.locality in ("sliding", "window") and not self._has_size("kernel_size"):
            message = "is required by this locality: as an option, or in the marks"
            yield Problem("marks.kernel_size", message)
        if self.marks.channels == "grouped" and "groups" not in self.options:
            yield Problem("marks.channels", "grouped needs an option `groups`")
        yield from self._call_problems()

    def _has_size(self, name: str) -> bool:
        return name in self.options or self.marks.kernel_size is not None

    def _option_problems(self) -> Iterator[Problem]:
        for name, values in self.options.items():
            where = f"options.{name}"
            if not str(name).isidentifier() or name in _RESERVED:
                yield Problem(where, "is no name that an option can have")
            elif not values or {type(value) for value in values} - {bool, int, float, str}:
                yield Problem(where, "must be a default, or a list of the values that it may take")
            elif len({type(value) for value in values}) > 1:
                yield Problem(where, f"has values of several types: {', '.join(map(repr, values))}")
            elif name in (*SIZES, *self.divide_width) and type(values[0]) is not int:
                yield Problem(where, f"must be a whole number; got {shown(values[0])}")
            else:
                yield from self._value_problems(where, name, values)

    def _value_problems(
        self, where: str, name: str, values: tuple[Value, ...]
    ) -> Iterator[Problem]:
        for value in values:
            try:
                self._value(name, value)
            except ValueError as error:
                yield Problem(where, str(error))

    def _call_problems(self) -> Iterator[Problem]:
        try:
            inspect.signature(self.factory).bind(0, None, **self.defaults)
        except TypeError as error:  # also of what cannot be called at all
            called = ", ".join(("width", "size", *(f"{name}=…" for name in self.options)))
            yield Problem("factory", f"{self.place} is called with ({called}): {error}")
        except ValueError:
            pass  # it has no signature to be read, and is seen when it is built


MIXER_NAME = re.compile(r"[^\W\d_][\w .\-]{0,59}")


def listed_options(options: object) -> dict[str, tuple[Value, ...]]:
    """Options as they are written: a default, or a list of the allowed values, default first.

    Raises:
        InputError: for what is no mapping, or a value that no option can have.
    """
    if not isinstance(options, Mapping):
        raise InputError.of("options", f"must be a mapping from name to default; got {options!r}")
    found: dict[str, tuple[Value, ...]] = {}
    for name, values in options.items():
        if isinstance(values, bool | int | float | str):
            found[str(name)] = (values,)
        elif isinstance(values, list | tuple) and values:
            found[str(name)] = tuple(values)
        else:
            message = "must be a default, or a list of the values that it may take"
            raise InputError.of(f"options.{name}", f"{message}; got {values!r}")
    return found


def listed_names(names: object, where: str = "divide_width") -> tuple[str, ...]:
    """A name, or a list of names.

    Raises:
        InputError: for anything else.
    """
    listed = [names] if isinstance(names, str) else names
    if isinstance(listed, list | tuple | set) and all(isinstance(n, str) for n in listed):
        return tuple(listed)
    raise InputError.of(where, f"must be a list of names; got {names!r}")


def named_relatives(relatives: object) -> dict[str, str]:
    """Relatives as they are written: names, or names with what changes on the way.

    Raises:
        InputError: for anything else.
    """
    if not isinstance(relatives, Mapping):
        return dict.fromkeys(listed_names(relatives, "relatives"), "")
    if all(isinstance(text, str) for pair in relatives.items() for text in pair):
        return dict(relatives)
    raise InputError.of("relatives", f"must be a mapping from name to text; got {relatives!r}")
