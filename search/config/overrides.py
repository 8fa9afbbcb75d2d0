"""Single fields changed: `--set a.b=value` on the command line, and from Python."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from search.config.other_names import by_current_names
from space.errors import InputError, Problem, refuse
from space.input.plain_values import from_yaml
from space.passwords import masked

WHERE = "--set"
VARIANTS = ("searcher", "scheduler")
"""Sections whose `name` decides which other fields they have."""

_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_-]*)|\[(\d+)\]")


@dataclass(frozen=True, slots=True)
class Override:
    """A field that is changed.

    Attributes:
        steps: the path to it, names of fields and places in lists.
        value: what it shall be.
        written: the change in words, passwords hidden.
        where: what a refusal names.
    """

    steps: tuple[str | int, ...]
    value: Any
    written: str
    where: str = WHERE


def overrides_of(fields: Mapping[str, Any]) -> list[Override]:
    """The changes that keyword arguments ask for: of a mapping each of its fields, and no other.

    A mapping with stages is a whole space, of which nothing of another one is left.
    """
    return list(_changes(fields, ()))


def _changes(fields: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[Override]:
    for name, value in fields.items():
        steps = (*above, name)
        is_space = steps == ("space",) and isinstance(value, Mapping) and "stages" in value
        if isinstance(value, Mapping) and value and not is_space:
            yield from _changes(value, steps)
        else:
            yield Override(steps, value, masked(f"{'.'.join(map(str, steps))}={value!r}"), steps[0])


def apply_overrides(
    values: Mapping[str, Any],
    overrides: Sequence[str | Override],
    open_space: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """A copy of the values with the overrides applied.

    Args:
        values: the parsed configuration.
        overrides: changes, or texts "a.b[0]=VALUE"; VALUE is YAML, so numbers, lists and null work.
        open_space: reads the space's own file into the values; called when an override reaches
            into a space that is given by its path.

    Raises:
        InputError: with every override that cannot be applied.
    """
    result: dict[str, Any] = deepcopy(dict(values))
    problems: list[Problem] = []
    parsed: list[Override] = []
    for override in overrides:
        try:
            parsed.append(_parse(override) if isinstance(override, str) else override)
        except InputError as error:
            problems += error.problems
    _drop_old_variants(result, {change.steps: change.value for change in parsed})
    for change in parsed:
        try:
            if change.steps[0] == "space" and len(change.steps) > 1:
                result = open_space(result)
            _spell_out_name(result, change.steps)
            _assign(result, by_current_names(result, change.steps), change)
        except InputError as error:
            problems += error.problems
    refuse(problems)
    return result


def _drop_old_variants(values: dict[str, Any], chosen: Mapping[tuple[str | int, ...], Any]) -> None:
    """Where an override chooses another searcher, the file's options are of no use to it.

    Its name is there from the first override on: by it the others are known by their old names.
    """
    for section in VARIANTS:
        here, path = values.get(section), (section, "name")
        if isinstance(here, dict) and path in chosen and chosen[path] != here.get("name"):
            values[section] = {"name": chosen[path]}


def _spell_out_name(values: dict[str, Any], steps: Sequence[str | int]) -> None:
    """Where an override reaches into a section that is a name alone, the short form is of no use.

    `searcher: tpe` is `searcher: {name: tpe}`.
    """
    section = steps[0]
    if section in VARIANTS and len(steps) > 1 and isinstance(values.get(str(section)), str):
        values[str(section)] = {"name": values[str(section)]}


def field_of(override: str | Override) -> str | None:
    """The field of the configuration in which an override changes something; None of no override.

    `resources` of "resources.gpus_per_trial=1".
    """
    if isinstance(override, Override):
        return str(override.steps[0])
    steps = _steps(override.partition("=")[0].strip())
    return None if steps is None else str(steps[0])


def _parse(override: str) -> Override:
    path, equals, text = override.partition("=")
    steps = _steps(path.strip())
    if not equals or steps is None:
        raise InputError.of(
            WHERE, f"write FIELD=VALUE, for example protocol.epochs=2; got {masked(override)!r}"
        )
    try:
        value = from_yaml(text, f"the value of {masked(override)[:80]!r}")
    except InputError as error:
        raise InputError(Problem(WHERE, str(problem)) for problem in error.problems) from None
    return Override(tuple(steps), value, masked(override))


def _steps(path: str) -> list[str | int] | None:
    steps: list[str | int] = []
    position = 0
    while position < len(path):
        if steps and path[position] == ".":
            position += 1
        match = _STEP.match(path, position)
        if not match or (not steps and match[2]):
            return None
        steps.append(match[1] or int(match[2]))
        position = match.end()
    return steps or None


def _assign(values: dict[str, Any], steps: Sequence[str | int], change: Override) -> None:
    here: Any = values
    for step in steps[:-1]:
        if isinstance(step, str) and isinstance(here, dict):
            here = here.setdefault(step, {})
        else:
            here = _item(here, step, change)
    last = steps[-1]
    if not (isinstance(last, str) and isinstance(here, dict)):
        _item(here, last, change)
    here[last] = change.value


def _item(here: Any, step: str | int, change: Override) -> Any:
    if isinstance(step, int) and isinstance(here, list) and step < len(here):
        return here[step]
    if isinstance(step, int) and isinstance(here, list):
        found = f"there are only {len(here)} items"
    elif isinstance(here, list):
        found = "there is a list; write its place in brackets, such as stages[0].depth"
    elif isinstance(here, dict):
        found = "there are fields, not a list"
    else:
        found = f"there is only the value {masked(repr(here))}"
    raise InputError.of(change.where, f"cannot follow {step!r} in {change.written!r}: {found}")
