"""Pydantic's errors in plain words, each with the path to its field and what is allowed there."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from space.errors import InputError, Problem
from space.passwords import masked
from space.wording import as_written, did_you_mean

_UNKNOWN = "unknown field"
_MUST_BE = {
    "bool_type": "must be true or false",
    "float_type": "must be a number",
    "int_type": "must be an integer",
    "int_from_float": "must be an integer",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping of fields",
    "dataclass_type": "must be a mapping of fields",
    "model_attributes_type": "must be a mapping of fields",
}
"""What a field of a simple type allows, by pydantic's name of the error."""


def holders(model: Any, location: tuple[int | str, ...]) -> list[Any]:
    """The models that hold the last part of a location within a model."""
    candidates = _models_in(model)
    for part in location[:-1]:
        if isinstance(part, str):
            annotations = [_field_types(candidate).get(part) for candidate in candidates]
            candidates = [found for annotation in annotations for found in _models_in(annotation)]
    return candidates


def _models_in(annotation: Any) -> list[Any]:
    """Models inside an annotation such as `tuple[Stage, ...] | None`."""
    if isinstance(annotation, type) and (
        is_dataclass(annotation) or issubclass(annotation, BaseModel)
    ):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models_in(inner)]


def _field_types(model: Any) -> dict[str, Any]:
    if is_dataclass(model):
        return {field.name: field.type for field in fields(model)}
    return {name: field.annotation for name, field in model.model_fields.items()}


def _path(location: tuple[int | str, ...], prefix: str) -> str:
    text = prefix
    for part in location:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _message(error_type: str, message: str, value: object) -> str:
    if error_type in ("extra_forbidden", "unexpected_keyword_argument"):
        return _UNKNOWN
    if error_type in ("missing", "missing_argument"):
        return "this field is required"
    message = _MUST_BE.get(error_type, message)
    for raw, plain in _PLAINER.items():
        message = re.sub(raw, plain, message)
    if error_type in _MUST_BE and isinstance(value, str):
        message += ", not text"  # "0.1" in quotes looks like a number
    if error_type == "string_type" and isinstance(value, int | float):
        message += ", in quotes"
    return message if "; got " in message else f"{message}; got {as_written(value, masked)}"


_PLAINER = {
    "^(Value error|Assertion failed), ": "",
    "^([A-Z]\\w*( input)?|URL scheme) should ": "must ",
    "greater than or equal to ": "at least ",
    "less than or equal to ": "at most ",
    "greater than ": "more than ",
    " a valid ": " a ",
    " after validation, not .*": "",
}
"""Pydantic's own words, and what people read in their place."""


def _has_problem_inside(
    location: tuple[int | str, ...], places: list[tuple[int | str, ...]]
) -> bool:
    length = len(location)
    return any(len(place) > length and place[:length] == location for place in places)


def problems_from_pydantic(
    error: ValidationError, prefix: str = "", model: Any = None
) -> list[Problem]:
    """The problems of a pydantic error, in plain words.

    Args:
        error: what pydantic raised.
        prefix: path of the validated value inside the whole input, such as "space".
        model: the type that was validated; unknown fields are then told with the known ones.
    """
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details]
    return [
        problem
        for detail in details
        # Where refused items themselves are named, the list was not short.
        if detail["type"] != "too_short" or not _has_problem_inside(detail["loc"], places)
        for problem in _problems(detail, prefix, model)
    ]


def _problems(detail: Mapping[str, Any], prefix: str, model: Any) -> list[Problem]:
    location = detail["loc"]
    context = detail.get("ctx", {})
    if isinstance(cause := context.get("error"), InputError):
        return list(cause.below(_path(location, prefix)).problems)
    message = _said(detail, holders(model, location))
    if location[-1:] == ("[key]",):
        return [Problem(_path(location[:-2], prefix), f"a key {message}")]
    return [Problem(_path(location, prefix), message)]


def _said(detail: Mapping[str, Any], models: list[Any]) -> str:
    """What is wrong, by the models that may hold the field."""
    message = _message(detail["type"], detail["msg"], detail["input"])
    if message == _UNKNOWN and len(models) == 1:
        names = list(_field_types(models[0]))
        hint = did_you_mean(str(detail["loc"][-1]), names)
        return f"{message}; allowed: {', '.join(names)}{hint}"
    if words := _WORDS.findall(detail.get("ctx", {}).get("expected", "")):
        return message + did_you_mean(str(detail["input"]), words)
    return message


_WORDS = re.compile("'([^']*)'")
"""Those that pydantic says it expects."""
