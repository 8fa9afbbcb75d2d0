"""Fields of a dataclass that are what they are declared to be, however it is built.

The declarations that pydantic reads for a file hold for the constructor too.
"""

from collections.abc import Callable
from dataclasses import fields
from functools import cache
from operator import attrgetter
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from space.errors import InputError
from space.pydantic_errors import problems_from_pydantic


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
        raise InputError(_problems(kind, dict(zip(names, values, strict=True)))) from None
    if checked != values:
        for name, value in zip(names, checked, strict=True):
            object.__setattr__(instance, name, value)


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


def _problems(kind: type, values: dict[str, Any]) -> list[Any]:
    """The same refusal with the paths of the fields."""
    try:
        TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        return problems_from_pydantic(error, model=kind)
    raise AssertionError("a mapping of refused fields was not refused")
