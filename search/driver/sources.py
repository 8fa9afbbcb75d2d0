"""The finished trainings of another study that the trials of a study start from (finetuning)."""

import json
from pathlib import Path
from typing import Any

from search.driver.checkpoints import Checkpoints
from search.store import Store, TrialRecord, TrialState
from space import Architecture
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
        self._protocol = record.protocol
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
        return {
            "architecture": source.to_json(),
            "checkpoint": str(file),
            "protocol": self._protocol,
        }


def _key(architecture: Architecture) -> str:
    return json.dumps(apart_from_data(architecture), sort_keys=True)
