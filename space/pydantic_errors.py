"""Pydantic's errors in plain words, each with the path to its field and what is allowed there."""

from dataclasses import fields, is_dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from space.errors import InputError, Problem, join

_UNKNOWN = "unknown field"


def _walked(model: Any, location: tuple[int | str, ...]) -> tuple[tuple[int | str, ...], list[Any]]:
    """A location without the tags of tagged unions, and the models that hold its last part."""
    candidates = _models_in(model)
    if not candidates:
        return location, []
    place: list[int | str] = []
    for part in location[:-1]:
        tagged = [c for c in candidates if isinstance(part, str) and _has_tag(c, part)]
        if tagged:
            candidates = tagged
            continue
        place.append(part)
        if isinstance(part, str):
            annotations = [_field_types(candidate).get(part) for candidate in candidates]
            candidates = [found for annotation in annotations for found in _models_in(annotation)]
    return (*place, *location[-1:]), candidates


def _has_tag(model: Any, tag: str) -> bool:
    """Whether the model is the member of a tagged union that this tag picks."""
    return any(
        get_origin(annotation) is Literal and tag in get_args(annotation)
        for annotation in _field_types(model).values()
    )


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
    message = message.removeprefix("Value error, ")
    try:
        shown = repr(value)
    except ValueError:  # Python does not print integers of thousands of digits
        return f"{message}; got a number of thousands of digits"
    if isinstance(value, (dict, list, tuple)) or len(shown) > 80 or shown in message:
        return message
    return f"{message}; got {shown}"


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
    problems: list[Problem] = []
    details = error.errors(include_url=False)
    places = [detail["loc"] for detail in details]
    for detail in details:
        if detail["type"] == "too_short" and _has_problem_inside(detail["loc"], places):
            continue  # the refused items themselves are named; the list was not short
        context = detail.get("ctx", {})
        cause = context.get("error")
        location, models = _walked(model, detail["loc"])
        if detail["type"] == "union_tag_invalid":
            location = (*location, str(context["discriminator"]).strip("'"))
        where = _path(location, prefix)
        if isinstance(cause, InputError):
            problems += [Problem(join(where, p.where), p.message) for p in cause.problems]
        else:
            message = _message(detail["type"], detail["msg"], detail["input"])
            if message == _UNKNOWN and len(models) == 1:
                message += f"; allowed: {', '.join(_field_types(models[0]))}"
            if detail["type"] == "union_tag_invalid":
                message = f"{context['tag']!r} is not allowed; allowed: {context['expected_tags']}"
            problems.append(Problem(where, message))
    return problems
