"""Calls a new study as an earlier run of it was called, from what the store has."""

from collections.abc import Mapping

from search.figures import MEASURED
from search.store import EventKind, StudyHistory
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

    Repeats of an architecture are left out: they train a known point again.

    Args:
        study: that no trial was added to yet.
        history: of the earlier runs.
        architectures: of all its trials, by id.
    """
    trials = {trial.id: trial for trial in history.trials if not trial.repeat}
    figures = {
        trial: {record.epoch: record for record in curve} for trial, curve in history.curves.items()
    }
    for event in history.events:
        trial = trials.get(event.trial_id)
        if trial is None:
            continue
        match event.kind:
            case EventKind.CREATED:
                point, prunable = architectures[trial.architecture_id], is_prunable(trial.origin)
                study.add(point, trial.number, prunable=prunable)
            case EventKind.EPOCH if event.epoch in figures[trial.id]:
                record = figures[trial.id][event.epoch]
                named = {name: getattr(record, name) for name in MEASURED}
                study.report(trial.number, record.epoch, named)
            case EventKind.FORGOTTEN:
                study.forget(trial.number, event.epoch or 0)
            case EventKind.CONTINUED:
                study.proceed(trial.number)
            case _ if event.kind.value in TERMINAL:
                study.tell(trial.number, TrialState(event.kind.value))
    return study
