"""What may change when a study is resumed, and what may not."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from search.config.config import Config
from search.config.device_budget import parse_device_budget
from search.config.earlier import as_meant
from search.config.overrides import WHERE, Override, apply_overrides, field_of
from search.objective_parsing import stored_objectives
from search.objectives import Objectives
from space.errors import InputError, Problem, refuse
from space.surface import surface
from space.wording import did_you_mean
from trainers.legacy_defaults import values_to_resume

FIXED = ("space", "data", "protocol", "objectives", "constraints", "latency")
"""Sections that decide what a result means: changing them makes it another study."""

BY_MEANING = ("objectives", "constraints")
"""Those of them that are compared by what they mean: they may be written in several ways."""

CHANGEABLE = (
    "study",
    "store",
    "trials",
    "time_limit",
    "budget",
    "trackers",
    "resources",
    "checkpoints",
    "retries",
    "stop_after_same_failures",
    "trial_time_limit",
    "store_patience",
)
"""Sections that a resumed run may set anew."""

SAME_IMAGES = ("data.folder", "data.file", "data.source", "data.download", "data.workers")
"""Where the images lie may change; that they are the same is checked by their content hash."""


def differences(
    old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Every leaf in which two nested mappings differ: its path, the old and the new value."""
    for key in sorted({*old, *new}):
        path = f"{prefix}.{key}" if prefix and not key.startswith("[") else f"{prefix}{key}"
        before, after = _items(old.get(key)), _items(new.get(key))
        if isinstance(before, Mapping) and isinstance(after, Mapping) and len(before):
            yield from differences(before, after, path)
        elif before != after:
            yield path, old.get(key), new.get(key)


def _items(value: Any) -> Any:
    """A list of mappings as a mapping by position, so that a change inside is named."""
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return {f"[{i}]": item for i, item in enumerate(value)}
    return value


def _objective_differences(
    stored: Mapping[str, Any], given: Config
) -> Iterator[tuple[str, Any, Any]]:
    """Where objectives and constraints mean something else: as `differences`, in written words.

    `flops: 30M` is what `macs: {at_most: 30000000}` is. What this release cannot read of the stored
    ones is compared as it stands.
    """
    try:
        before = _meanings(stored_objectives(stored))
    except InputError:
        plain = {name: getattr(given, name) for name in BY_MEANING}
        yield from differences({name: stored.get(name) for name in BY_MEANING}, plain)
        return
    now = _meanings(given.parsed_objectives)
    for section in BY_MEANING:
        stood, asked = stored.get(section) or {}, getattr(given, section)
        for metric in sorted({*before[section], *now[section]}):
            old, new = before[section].get(metric, {}), now[section].get(metric, {})
            if old == new:
                continue
            same = {side for side in old if old[side] == new.get(side)}
            was, value = stood.get(metric), asked.get(metric)
            yield from differences({metric: was}, {metric: _in_words(was, value, same)}, section)


def _meanings(objectives: Objectives) -> dict[str, dict[str, Mapping[str, Any]]]:
    """What is asked of every metric, by section: the direction, or both sides of a bound."""
    bounds = objectives.constraints
    return {
        "objectives": {each.name: {"direction": each.direction} for each in objectives},
        "constraints": {b.name: {"at_most": b.upper, "at_least": b.lower} for b in bounds},
    }


def _in_words(was: Any, value: Any, same: Collection[str]) -> Any:
    """A bound, with the sides that are as they were in the words that they had."""
    if not (isinstance(was, Mapping) and isinstance(value, Mapping)):
        return value
    return {side: was[side] if side in same else bound for side, bound in value.items()}


def _without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}


def merged_for_resume(stored: Mapping[str, Any], given: Config) -> tuple[Config, list[str]]:
    """The configuration to resume with, and remarks on what of the given one is ignored.

    The stored study wins, except for what may change; the number of trials and the budget may only
    grow.

    Args:
        stored: the configuration that the study was created with (`Config.to_stored`).
        given: what the person handed in now.

    Raises:
        InputError: naming every field of space, data or protocol that differs.
    """
    protocol = values_to_resume(given.protocol, stored.get("protocol", {}))
    data = values_to_resume(given.data, stored.get("data", {}), given.data.before)
    stored, now = as_meant(stored), given.to_dict() | {"protocol": protocol, "data": data}
    rest = differences(_without(stored, BY_MEANING), _without(now, BY_MEANING))
    changed = [d for d in rest if d[0] not in SAME_IMAGES]
    changed += _objective_differences(stored, given)
    problems = [
        Problem(path, f"the study was made with {_short(old)}; got {_short(new)}")
        for path, old, new in changed
        if path.split(".")[0] in FIXED
    ]
    if problems:
        other = surface().given("study", "NAME")
        hint = (
            f"a study keeps its space, data and protocol: undo the change, or begin it by {other}"
        )
        raise InputError([*problems, Problem(surface().field("resume"), hint)])
    written = given.model_dump(exclude_unset=True, exclude={*FIXED, *CHANGEABLE})
    remarks = [
        f"{path}: the study keeps {_short(old)} ({_short(new)} is ignored)"
        for path, old, new in changed
        if _has(written, path)
    ]
    trials = max(given.trials, stored["trials"])
    if given.trials < trials:
        remarks.append(f"trials: the study already plans {trials} ({given.trials} is ignored)")
    budget = _budget_to_resume(stored.get("budget"), given)
    if "budget" in given.model_fields_set and budget != now["budget"]:
        remarks.append(f"budget: the study already has {budget} ({now['budget']} is ignored)")
    kept = {name: now[name] for name in CHANGEABLE}
    kept |= {"trials": trials, "data": now["data"], "budget": budget}
    return Config.from_dict(stored | kept), remarks


def _budget_to_resume(stored: Any, given: Config) -> str | None:
    """The budget of a study that is resumed: its own, unless more was written, or none by null.

    A file says what the study began with, and the budget may have been raised since.
    """
    own = parse_device_budget(stored)
    if "budget" not in given.model_fields_set:
        return None if own is None else str(own)
    asked = given.budget
    alike = own is not None and asked is not None and own.device == asked.device
    kept = max(own, asked, key=lambda each: each.seconds) if alike else asked
    return None if kept is None else str(kept)


_BY_OTHER_OPTIONS = ("study", "store")
"""Fields that name what is gone on with, which has words of its own on the command line."""


def changed_for_resume(config: Config, overrides: Sequence[str | Override]) -> Config:
    """The configuration of a study that is gone on with, and what is changed of it.

    Args:
        config: of the study.
        overrides: changes, or texts "FIELD=VALUE".

    Raises:
        InputError: naming every field that a study keeps.
    """
    if not overrides:
        return config
    allowed = [name for name in CHANGEABLE if name not in _BY_OTHER_OPTIONS]
    may = f"what may change: {', '.join(allowed)}"
    problems = [
        Problem(
            override.where if isinstance(override, Override) else WHERE,
            f"{field} stays as it is; {may}"
            if field in Config.model_fields
            else f"unknown field {field!r}{did_you_mean(field, allowed) or ';'} {may}",
        )
        for override, field in zip(overrides, map(field_of, overrides), strict=True)
        if field is not None and field not in allowed
    ]
    refuse(problems)
    return Config.from_dict(apply_overrides(config.to_dict(), overrides, dict))


def _has(values: Any, path: str) -> bool:
    """Whether nested mappings have the field of this path; a default that nobody wrote is none."""
    for step in path.split("."):
        if not isinstance(values, Mapping) or step not in values:
            return False
        values = values[step]
    return True


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
