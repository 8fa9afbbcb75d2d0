"""Fields of a frozen dataclass that are what they are declared to be, however it is built.

A dataclass checks nothing: the plain word "sliding" would fail every `is Locality.SLIDING`, and
break rules that hold. `coerce_fields` is quick, for values of axes, counts and flags;
`check_fields` holds the constructor to all that pydantic reads in the declarations.
"""

from collections.abc import Callable, Mapping
from dataclasses import fields
from enum import StrEnum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError

from space.errors import InputError, Problem, refuse
from space.input.pydantic_errors import problems_from_pydantic


def check_fields(instance: object) -> None:
    """For the `__post_init__` of a frozen dataclass.

    What a file may write in another form, such as a list for a tuple, takes the declared form.

    Raises:
        InputError: every problem of every field.
    """
    kind: Any = type(instance)
    names, read, validate = _checks(kind)
    values = read(instance)
    try:
        checked = validate(values)
    except ValidationError:
        # The same refusal with the paths of the fields.
        from_plain(kind, dict(zip(names, values, strict=True)), "")
        raise AssertionError("a mapping of refused fields was not refused") from None
    if checked != values:
        for name, value in zip(names, checked, strict=True):
            object.__setattr__(instance, name, value)


Model = TypeVar("Model")


def from_plain(kind: type[Model], values: object, where: str) -> Model:
    """The dataclass that plain values describe.

    Raises:
        InputError: with every problem, below the path `where`.
    """
    declared: Any = kind
    try:
        found: Model = _adapter(declared).validate_python(values)
    except ValidationError as error:
        raise InputError(problems_from_pydantic(error, where, kind)) from None
    return found


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


_Values = tuple[Any, ...]


@cache
def _checks(
    kind: type,
) -> tuple[tuple[str, ...], Callable[[object], _Values], Callable[[_Values], _Values]]:
    """Names of the fields, how they are read, and a check of their values.

    Of a tuple, not of a mapping, and read by C: searches build stages by the million.
    """
    names = tuple(field.name for field in fields(kind))
    declared = get_type_hints(kind, include_extras=True)
    types = tuple(declared[name] for name in names)
    adapter: TypeAdapter[_Values] = TypeAdapter(tuple[types])  # type: ignore[valid-type]
    return names, _reader(names), adapter.validator.validate_python


def _reader(names: tuple[str, ...]) -> Callable[[object], _Values]:
    read = attrgetter(*names)
    return read if len(names) > 1 else lambda instance: (read(instance),)


Kind = type[StrEnum] | type[int] | type[bool] | tuple[str, ...]
"""What a field may hold: a value of an axis, a whole number, a flag, or one of some words."""


def coerce_fields(instance: object, kinds: Mapping[str, Kind]) -> None:
    """Makes the fields of a frozen dataclass what their kinds say; None stays None but on an axis.

    Raises:
        InputError: one problem for every field that holds something else.
    """
    problems = []
    for name, kind in kinds.items():
        value = getattr(instance, name)
        if type(value) is not kind:
            try:
                object.__setattr__(instance, name, coerced(value, kind))
            except ValueError:
                message = f"{shown(value)} is not allowed; {_allowed(kind)}"
                problems.append(Problem(name, message))
    refuse(problems)


def coerced(value: Any, kind: Kind) -> Any:
    """The value as one of the kind.

    Raises:
        ValueError: if it is none.
    """
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    fits = value in kind if isinstance(kind, tuple) else type(value) is kind
    if value is None or fits:
        return value
    raise ValueError(value)


def shown(value: object) -> str:
    """The value in few characters; Python does not print numbers of thousands of digits."""
    if isinstance(value, int) and abs(value) >= 10**12:
        return "such a number"
    text = repr(value) if isinstance(value, str | int | float | None) else type(value).__name__
    return text if len(text) <= 40 else f"{text[:36]}…"


def _allowed(kind: Kind) -> str:
    if kind is bool:
        return "must be true or false"
    if kind is int:
        return "must be a whole number"
    words = [repr(str(word)) for word in kind]  # type: ignore[union-attr]
    return f"allowed: {', '.join(words[:-1])} or {words[-1]}"
