"""The trials of a study as a table of pandas."""

from typing import TYPE_CHECKING, Any

from search.objectives import judged_by, judged_values
from search.query import TrialSummary, trial_summaries
from search.store import EpochRecord, Store, StudyRecord, TrialRecord

if TYPE_CHECKING:
    from pandas import DataFrame

_LOSS = "validation_loss"

COLUMNS = (
    *("trial", "state", "architecture_id", "operators", "accuracy", _LOSS, "best_accuracy"),
    *("last_accuracy", "params", "macs", "epochs", "seconds", "origin", "repeat", "attempts"),
    *("seed_initialisation", "seed_data_order", "started", "ended", "reason", "trial_id"),
)
"""Names as `best --json` has them. `accuracy` (0 to 1) and `validation_loss` are of the epoch that
the protocol judges by; `seconds` are of training; `reason` says why a trial is not complete."""


def trials_dataframe(store: Store, study: StudyRecord) -> "DataFrame":
    """One row a trial, in order of their numbers; those that a stale run left open are preempted.

    Args:
        store: open.
        study: of this store.
    """
    import pandas as pd  # heavy, and of no use to who asks for something else

    found = trial_summaries(store, study=study.name)
    records = {trial.id: trial for trial in store.trials.of_study(study.id)}
    curves = store.epochs.of_trials([trial.id for trial in found])
    rows = [
        _row(trial, records[trial.id], _judged_loss(curves.get(trial.id, []), study))
        for trial in sorted(found, key=lambda trial: trial.number)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(trial: TrialSummary, record: TrialRecord, loss: float | None) -> dict[str, Any]:
    return {
        "trial": trial.number,
        "state": str(trial.state),
        "architecture_id": trial.architecture_id,
        "operators": trial.operators,
        "accuracy": trial.accuracy,
        _LOSS: loss,
        "best_accuracy": record.best_accuracy,
        "last_accuracy": trial.last_accuracy,
        "params": trial.params,
        "macs": trial.macs,
        "epochs": trial.epochs_done,
        "seconds": trial.seconds,
        "origin": trial.origin,
        "repeat": record.repeat,
        "attempts": record.attempts,
        "seed_initialisation": record.seeds.get("initialisation"),
        "seed_data_order": record.seeds.get("data_order"),
        "started": trial.started,
        "ended": trial.ended,
        "reason": trial.reason,
        "trial_id": trial.id,
    }


def _judged_loss(curve: list[EpochRecord], study: StudyRecord) -> float | None:
    values = {
        each.epoch: {} if each.validation_loss is None else {_LOSS: each.validation_loss}
        for each in curve
    }
    return judged_values(values, judged_by(study.protocol)).get(_LOSS)
