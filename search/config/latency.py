"""`latency` of a configuration: on which device, how, and at most how long."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictFloat, StrictInt

from search.numeric import parse_milliseconds
from search.objectives import Objectives
from space.errors import InputError, Problem
from trainers.latency.spec import LatencySpec


def _limit(value: object) -> object:
    return None if value is None else parse_milliseconds(value)


class LatencyConfig(LatencySpec):
    """What a study measures latency on, and how much of it.

    Attributes:
        device, batch, precision, runtime, threads, machine: see `LatencySpec`.
        at_most: the limit, such as "5 ms"; the same as `constraints: {latency: 5 ms}`, where it is
            kept.
        parts: so many parts of networks are measured before the search; where a space has more, the
            others are estimated from those.
        networks: so many whole networks are measured before the search. A line is fitted on two
            thirds of them, and the others tell its error.
    """

    at_most: Annotated[StrictFloat | None, BeforeValidator(_limit)] = None
    parts: StrictInt = Field(default=400, ge=10, le=100_000)
    networks: StrictInt = Field(default=15, ge=6, le=1000)

    @property
    def spec(self) -> LatencySpec:
        """How latency is measured, without the limit."""
        return LatencySpec.model_validate(
            {name: getattr(self, name) for name in LatencySpec.model_fields}
        )


def with_one_limit(values: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with the limit in `constraints` and the device in `latency`.

    `constraints: {latency: {device: cpu, at_most: 5 ms}}` and `latency: {device: cpu, at_most:
    5 ms}` are two ways to write one thing.

    Raises:
        InputError: both say something, and not the same.
    """
    constraints = values.get("constraints")
    section = values.get("latency")
    bound = constraints.get("latency") if isinstance(constraints, Mapping) else None
    if isinstance(bound, Mapping) and {*bound} & {*LatencyConfig.model_fields} - {"at_most"}:
        if section is not None:
            message = "names a device, and so does the section latency: give it once"
            raise InputError.of("constraints.latency", message)
        section, bound = bound, None
        constraints = {n: v for n, v in constraints.items() if n != "latency"}  # type: ignore[union-attr]
    if isinstance(section, LatencyConfig):
        section = section.model_dump()
    if not isinstance(section, Mapping) or section.get("at_most") is None:
        return _with(values, constraints, section)
    limit = section["at_most"]
    if bound is not None and not _same(bound, limit):
        message = f"is {bound!r}, and latency.at_most is {limit!r}: give one of them"
        raise InputError.of("constraints.latency", message)
    rest = {name: value for name, value in section.items() if name != "at_most"}
    if isinstance(constraints, Mapping) or constraints is None:
        constraints = {**(constraints or {}), "latency": {"at_most": limit}}
    return _with(values, constraints, rest)


def _with(values: Mapping[str, Any], constraints: Any, section: Any) -> dict[str, Any]:
    changed = {"constraints": constraints, "latency": section}
    return dict(values) | {name: each for name, each in changed.items() if each is not None}


def _same(bound: Any, limit: Any) -> bool:
    given = bound.get("at_most") if isinstance(bound, Mapping) else bound
    try:
        return parse_milliseconds(given) == parse_milliseconds(limit)
    except ValueError:
        return False


def latency_problems(section: LatencyConfig | None, objectives: Objectives) -> list[Problem]:
    """What objectives and constraints ask of latency that cannot be had."""
    wanted = {f"objectives.{each.name}": each for each in objectives if each.name == "latency"}
    bounds = [each for each in objectives.constraints if each.name == "latency"]
    asked = [*wanted, *(f"constraints.{each.name}" for each in bounds)]
    if section is None:
        message = "nothing measures it: say on which device by latency: {device: cpu}"
        return [Problem(where, message) for where in asked]
    problems = [
        Problem(where, "must be minimise; got maximise")
        for where, each in wanted.items()
        if each.direction == "maximise"
    ]
    problems += [
        Problem("constraints.latency", "must be at_most alone: nothing is too fast")
        for each in bounds
        if each.lower is not None
    ]
    if not asked:
        message = "must have at_most, or objectives must name latency: else it is for nothing"
        problems.append(Problem("latency", message))
    return problems
