"""The trials of a study as a table of pandas."""

from typing import TYPE_CHECKING

from search.objectives import judged_by, judged_values
from search.query import trial_table
from search.store import EpochRecord, Store, StudyRecord

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
    table = trial_table(store, study=study.name)
    curves = store.epochs.of_trials(list(table["trial_id"]))
    table[_LOSS] = [_judged_loss(curves.get(id_, []), study) for id_ in table["trial_id"]]
    return table[list(COLUMNS)]


def _judged_loss(curve: list[EpochRecord], study: StudyRecord) -> float | None:
    values = {
        each.epoch: {} if each.validation_loss is None else {_LOSS: each.validation_loss}
        for each in curve
    }
    return judged_values(values, judged_by(study.protocol)).get(_LOSS)
