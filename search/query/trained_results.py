"""What is known of an architecture's complete trainings: search, retraining, and test readings."""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from search.objectives import judged_by
from search.store.models import StudyRow, TrialRow
from search.store.records import TestReadingRecord, TrialRecord
from search.store.statements import TRIAL_COLUMNS
from search.store.store import Store
from search.trial_states import TrialState

RETRAINS = "retrains trial"
"""Before the number of the search's trial: the origin of one that trains its network in full."""


@dataclass(frozen=True, slots=True)
class TrainedResult:
    """A complete training of an architecture, with the test readings of its weights.

    Attributes:
        study: its study's name; trial: its number there; trial_id: in the store.
        protocol: as the study keeps it, in plain values, and its hash.
        seeds: of initialisation and data order.
        repeat: 0 for the first training in its study.
        epochs: that it was trained for. seconds: of training.
        validation_accuracy: that it is judged by (0 to 1); None without a finite one.
        judged_by: "last" or "best" of the epochs; the best is optimistic.
        retrained: whether it is a full training of what a search found, with seeds of its own.
        inherited: whether it began with another network's weights.
        took_over: whether its epochs are another trial's: then it has no weights of its own.
        readings: of the test split with these weights, the oldest first; those that broke off have
            no accuracy.
    """

    architecture_id: str
    study: str
    trial: int
    trial_id: int
    protocol: Mapping[str, Any]
    protocol_hash: str
    seeds: Mapping[str, Any]
    repeat: int
    epochs: int
    seconds: float
    validation_accuracy: float | None
    judged_by: str
    retrained: bool
    inherited: bool
    took_over: bool
    readings: tuple[TestReadingRecord, ...] = ()

    @property
    def test(self) -> TestReadingRecord | None:
        """The first reading that was completed, which is the one that counts; None without any."""
        return next((each for each in self.readings if each.accuracy is not None), None)


def trained_results(
    store: Store, architecture_id: str, study: str | None = None
) -> list[TrainedResult]:
    """Every complete training of an architecture, the oldest first.

    Args:
        store: where to look.
        architecture_id: the whole id.
        study: only trials of this study; None is all.

    Raises:
        InputError: an unknown study.
    """
    only = [TrialRow.state == TrialState.COMPLETE, TrialRow.architecture_id == architecture_id]
    if study is not None:
        only.append(TrialRow.study_id == store.studies.get(study).id)
    return _found(store, only)


def trained_results_of_study(store: Store, study: str) -> list[TrainedResult]:
    """Every complete training of a study, in order of its trials.

    Raises:
        InputError: an unknown study.
    """
    study_id = store.studies.get(study).id
    only = [TrialRow.state == TrialState.COMPLETE, TrialRow.study_id == study_id]
    return _found(store, only)


def _found(store: Store, only: list[Any]) -> list[TrainedResult]:
    of_study = (StudyRow.name, StudyRow.protocol, StudyRow.protocol_hash)
    query = select(*of_study, *TRIAL_COLUMNS).join(TrialRow, TrialRow.study_id == StudyRow.id)
    rows: Any = store.read(
        lambda connection: connection.execute(query.where(*only).order_by(TrialRow.id)).all()
    )
    tested = {reading.architecture_id for reading in store.test_audit.readings()}
    found = []
    for name, protocol, protocol_hash, *columns in rows:
        trial = TrialRecord(*columns)
        read = store.test_audit.of_weights(trial.id) if trial.architecture_id in tested else ()
        found.append(_result(name, protocol, protocol_hash, trial, read))
    return found


def _result(
    study: str,
    protocol: Mapping[str, Any],
    protocol_hash: str,
    trial: TrialRecord,
    readings: Iterable[TestReadingRecord],
) -> TrainedResult:
    return TrainedResult(
        architecture_id=trial.architecture_id,
        study=study,
        trial=trial.number,
        trial_id=trial.id,
        protocol=protocol,
        protocol_hash=protocol_hash,
        seeds=trial.seeds,
        repeat=trial.repeat,
        epochs=trial.epochs_done,
        seconds=trial.seconds,
        validation_accuracy=trial.accuracy,
        judged_by=judged_by(protocol),
        retrained=trial.origin.startswith(f"{RETRAINS} "),
        inherited=trial.parent_trial_id is not None,
        took_over=trial.source_trial_id is not None,
        readings=tuple(readings),
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """An accuracy over several trainings of one architecture under one protocol.

    Attributes:
        mean: of the trainings, 0 to 1. deviation: their standard deviation; None for one.
        trainings: how many, each with seeds of its own.
    """

    mean: float
    deviation: float | None
    trainings: int

    @classmethod
    def of(cls, accuracies: Iterable[float | None]) -> "Figures | None":
        """Those of what is there; None where nothing is."""
        found = [accuracy for accuracy in accuracies if accuracy is not None]
        if not found:
            return None
        spread = statistics.stdev(found) if len(found) > 1 else None
        return cls(statistics.fmean(found), spread, len(found))
