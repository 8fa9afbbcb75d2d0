"""Bad input: one exception that carries every problem found, each with the path to its field."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where it stands, and the value with what is allowed."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class InputError(ValueError):
    """Input that is refused before any work starts.

    Attributes:
        problems: every problem found, in the order of the input.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        if not self.problems:
            raise ValueError("an InputError needs at least one problem")
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, where: str, message: str) -> "InputError":
        """An error with a single problem."""
        return cls([Problem(where, message)])

    def __reduce__(self) -> tuple[type["InputError"], tuple[tuple[Problem, ...]]]:
        # Exceptions travel between processes; the default would rebuild from the text.
        return type(self), (self.problems,)


_UNKNOWN = "unknown field"


def _fields_beside(model: Any, location: tuple[int | str, ...]) -> list[str]:
    """The fields of the model that holds the last part of a location; empty if that is unclear."""
    candidates = _models_in(model)
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotations = [_field_types(candidate).get(part) for candidate in candidates]
        inner = [found for annotation in annotations for found in _models_in(annotation)]
        # A discriminator's value stands in the path where no field of that name exists.
        candidates = inner or [c for c in candidates if part not in _field_types(c)]
    return list(_field_types(candidates[0])) if len(candidates) == 1 else []


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
    shown = repr(value)
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
        cause = detail.get("ctx", {}).get("error")
        where = _path(detail["loc"], prefix)
        if isinstance(cause, InputError):
            problems += [Problem(join(where, p.where), p.message) for p in cause.problems]
        else:
            message = _message(detail["type"], detail["msg"], detail["input"])
            if message == _UNKNOWN and (known := _fields_beside(model, detail["loc"])):
                message += f"; allowed: {', '.join(known)}"
            problems.append(Problem(where, message))
    return problems


def join(prefix: str, where: str) -> str:
    """The path `where` seen from outside, below `prefix`."""
    if not prefix or not where:
        return prefix or where
    return f"{prefix}{where}" if where.startswith("[") else f"{prefix}.{where}"
