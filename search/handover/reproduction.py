"""How a training is done again: commands, and the configurations that they name."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.handover.candidate import Candidate
from search.store import Store, StudyRecord

SEARCH, PROTOCOL = "search.yaml", "protocol.yaml"
_OF_THIS_MACHINE = ("store", "checkpoints", "time_limit", "budget", "trackers")


def search_of(store: Store, study: StudyRecord) -> StudyRecord:
    """The study that found what a study trains in full; itself where it is a search."""
    plan = study.retrains
    if not isinstance(plan, Mapping) or not store.studies.exists(str(plan.get("study"))):
        return study
    return store.studies.get(str(plan["study"]))


def without_places(data: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration of data; of a place on this machine only its name, which others may have."""
    return {name: _without_place(value) for name, value in data.items()}


def text_without_places(text: str, data: Mapping[str, Any]) -> str:
    """A sentence on data, without the places that their configuration names."""
    for value in data.values():
        if _is_place(value):
            text = text.replace(value, Path(value).name)
    return text


def _without_place(value: object) -> object:
    return Path(value).name if isinstance(value, str) and _is_place(value) else value


def _is_place(value: object) -> bool:
    return isinstance(value, str) and value.startswith(("/", "~", "../"))


def configurations(candidate: Candidate, search: StudyRecord) -> dict[str, Mapping[str, Any]]:
    """The search as a configuration, and the protocol of the full training where there was one.

    Both pin the images by their hashes: with others the commands refuse to begin.
    """
    values = {name: v for name, v in search.config.items() if name not in _OF_THIS_MACHINE}
    data = without_places(search.config.get("data", {}))
    found: dict[str, Mapping[str, Any]] = {
        SEARCH: values | {"data": data, "protocol": search.protocol}
    }
    if search.id != candidate.study.id:
        found[PROTOCOL] = candidate.study.protocol
    return found


def reproducing_commands(candidate: Candidate, search: StudyRecord) -> list[str]:
    """From the configurations beside them to the exported folder, in order."""
    study, trial = candidate.study, candidate.trial
    id_ = trial.architecture_id
    lines = [f"python -m search run {SEARCH} --study {shlex.quote(search.name)}"]
    folder = search.config.get("data", {}).get("folder")
    if folder is not None:
        lines[0] += "  # --set data.folder=FOLDER names where the images lie"
    if search.id != study.id:
        seeds = 1 + max(r.repeat for r in candidate.others if r.study == study.name)
        finetuned = study.config.get("finetune_from")
        source = "" if finetuned is None else f" --set finetune_from={shlex.quote(finetuned)}"
        lines.append(
            f"python -m search retrain {id_} --study {shlex.quote(search.name)} "
            f"--protocol {PROTOCOL} --seeds {seeds} --name {shlex.quote(study.name)}{source}"
        )
    elif trial.repeat:
        lines.append(f"python -m search repeat {shlex.quote(study.name)}")
    named = f"--study {shlex.quote(study.name)} --trial {trial.number}"
    return [*lines, f"python -m search export {id_} {named} --to FOLDER"]
