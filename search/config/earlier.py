"""Configurations that the store keeps from earlier releases, in the words of this one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.objective_parsing import with_current_metrics, with_sides
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from space.architecture import RENAMED
from space.input.earlier_names import with_current_names
from trainers.data.data_config import as_meant_then
from trainers.legacy_defaults import with_legacy_defaults


def as_meant(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The stored values with the meaning that they had when they were written.

    A bare bound was an upper one, also of an accuracy, `~` was a folder of that name, and a trial
    that was given several GPUs trained on one; of a protocol see `trainers.legacy_defaults`, of
    data `trainers.data.data_config`, of the space `space.architecture.RENAMED`, of the searcher and
    the scheduler the `renamed` of their options. Metrics have their names of today.
    """
    values = dict(stored)
    values |= {
        section: with_current_metrics(values[section])
        for section in ("objectives", "constraints")
        if isinstance(values.get(section), Mapping)
    }
    objectives, constraints = values.get("objectives"), values.get("constraints")
    if isinstance(objectives, Mapping) and isinstance(constraints, Mapping):
        values["constraints"] = with_sides(objectives, constraints)
    found = values.get("resources")
    resources = found if isinstance(found, Mapping) else {}
    if resources.get("gpus_per_trial", 0) > 1 and "processes_per_trial" not in resources:
        values["resources"] = dict(resources) | {"gpus_per_trial": 1}
    values |= {
        part: registry.with_current_names(values[part])
        for part, registry in (("searcher", SEARCHERS), ("scheduler", SCHEDULERS))
        if part in values
    }
    if isinstance(values.get("space"), Mapping):
        values["space"] = with_current_names(dict(values["space"]), RENAMED, "space")
    if "checkpoints" in values:
        values["checkpoints"] = _no_home(values["checkpoints"])
    if isinstance(values.get("protocol"), Mapping):
        values["protocol"] = with_legacy_defaults(values["protocol"])
    if isinstance(values.get("data"), Mapping):
        values["data"] = as_meant_then(values["data"])
    data = values.get("data")
    if isinstance(data, Mapping) and "folder" in data:
        values["data"] = dict(data) | {"folder": _no_home(data["folder"])}
    return values


def _no_home(path: Any) -> Any:
    """A path as it stands; what this release stores never begins with `~`."""
    is_home = isinstance(path, str) and path.startswith("~")
    return str(Path(path).absolute()) if is_home else path
