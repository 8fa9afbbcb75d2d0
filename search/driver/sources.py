"""The finished trainings of another study that the trials of a study start from (finetuning)."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search.driver.checkpoints import Checkpoints
from search.store import Store, StudyRecord, TrialRecord, TrialState
from space import Architecture
from trainers.data.image_folder.class_folders import abbreviated
from trainers.same_classes import kept_outputs
from trainers.same_network import apart_from_data


class Sources:
    """By network its best finished training in a study, whose images and classes may be others.

    Args:
        store: with that study.
        study: its name.

    Raises:
        InputError: there is no such study.
    """

    def __init__(self, store: Store, study: str) -> None:
        record = store.studies.get(study)
        self._protocol, self._class_names = record.protocol, class_names_of(record)
        checkpoints = Checkpoints.of(record, store.url)
        self._found: dict[str, tuple[TrialRecord, Architecture, Path]] = {}
        trials = store.trials.of_study(record.id, {TrialState.COMPLETE})
        for trial in sorted(trials, key=lambda trial: trial.accuracy or 0.0):
            file = checkpoints.find(trial)
            if file is not None:
                text = store.architectures.get(trial.architecture_id).json
                architecture = Architecture.from_json(text)
                self._found[_key(architecture)] = trial, architecture, file

    def of(self, architecture: Architecture) -> dict[str, Any] | None:
        """What a worker must know of the source of a network, as plain values; None without one."""
        found = self._found.get(_key(architecture))
        if found is None:
            return None
        _, source, file = found
        as_many = source.head.classes == architecture.head.classes
        return {
            "architecture": source.to_json(),
            "checkpoint": str(file),
            "protocol": self._protocol,
            "class_names": self._class_names if as_many else [],  # many thousands may be too long
        }


def class_names_of(study: StudyRecord) -> list[str]:
    """The names of a study's classes, in the order of its networks' outputs; empty without any."""
    found: list[str] = (study.objective.get("data") or {}).get("class_names") or []
    return found


def note_on_classes(source: StudyRecord, class_names: Sequence[str]) -> str | None:
    """What becomes of the classifier where as many classes have other names; None elsewhere.

    Args:
        source: the study that is finetuned. class_names: of the images to come.
    """
    before = class_names_of(source)
    if len(before) != len(class_names) or before == [*class_names]:
        return None
    what, there = f"As many classes as in {source.name!r}", abbreviated(before)
    if kept_outputs(before, class_names, len(before)) is None:
        here = abbreviated(class_names)
        return f"{what} have other names ({there}; here {here}): the classifier is drawn anew."
    return f"{what} have the same names in another order ({there}): the classifier follows them."


def _key(architecture: Architecture) -> str:
    return json.dumps(apart_from_data(architecture), sort_keys=True)
