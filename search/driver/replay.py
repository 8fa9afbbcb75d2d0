"""Calls a new study as an earlier run of it was called, from what the store has."""

from collections.abc import Mapping

from search.driver.assignment import EPOCH_METRICS
from search.store import EpochRecord, EventKind, EventRecord, StudyHistory, TrialRecord
from search.study import Study
from search.trial_states import TERMINAL, TrialState
from space import Architecture
from space.design.paired_points import PAIRED


def is_prunable(origin: str) -> bool:
    """Whether a trial may be cut short; one of a paired comparison may not."""
    return not origin.startswith(PAIRED)


def replay_history(
    study: Study[Architecture],
    history: StudyHistory,
    architectures: Mapping[str, Architecture],
) -> Study[Architecture]:
    """Repeat every event of the log, in its order; returns the study.

    Args:
        study: that no trial was added to yet.
        history: of the earlier runs.
        architectures: of all its trials, by id.
    """
    trials = {trial.id: trial for trial in history.trials}
    curves = {
        trial: {record.epoch: record for record in curve} for trial, curve in history.curves.items()
    }
    with study.written():
        for event in history.events:
            if event.trial_id in trials:
                trial = trials[event.trial_id]
                _repeat(study, event, trial, curves[trial.id], architectures)
    return study


def add_record(study: Study[Architecture], record: TrialRecord, point: Architecture) -> None:
    """The trial of a row is in the study from now on."""
    prunable = is_prunable(record.origin)
    added = study.add(point, record.number, prunable=prunable, repeat=record.repeat)
    added.attempts = record.attempts


def _repeat(
    study: Study[Architecture],
    event: EventRecord,
    trial: TrialRecord,
    curve: Mapping[int, EpochRecord],
    architectures: Mapping[str, Architecture],
) -> None:
    match event.kind:
        case EventKind.CREATED:
            add_record(study, trial, architectures[trial.architecture_id])
        case EventKind.EPOCH if (record := curve.get(event.epoch or 0)) is not None:
            report_record(study, trial.number, record)
        case EventKind.FORGOTTEN:
            study.forget(trial.number, event.epoch or 0)
        case EventKind.CONTINUED:
            study.proceed(trial.number)
        case _ if event.kind.value in TERMINAL:
            study.tell(trial.number, TrialState(event.kind.value))


def report_record(study: Study[Architecture], number: int, record: EpochRecord) -> None:
    """An epoch of a trial, as the store has it."""
    study.report(number, record.epoch, {name: getattr(record, name) for name in EPOCH_METRICS})
