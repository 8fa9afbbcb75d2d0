"""The figures of every evaluated trial of a study, for questions about its course."""

from collections.abc import Collection

from search.figures import ANALYTIC
from search.objectives import Objectives, Values, judged_by
from search.query.aims import measured_bounds
from search.query.judged import analytic_values, losses_of
from search.store.records import TrialRecord
from search.store.store import Store
from search.trial_states import TrialState

_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
_ACCURACY, _LOSS = "validation_accuracy", "validation_loss"


def evaluated(
    store: Store, study: str, goals: Objectives
) -> list[tuple[TrialRecord, Values | None]]:
    """The trials that were evaluated, the complete ones with their figures.

    A complete trial counts where it has the first objective and keeps the measured bounds. What a
    pruned trial would have come to is not known: it was an evaluation, and has no figures. Repeats
    do not count.

    Returns:
        Each trial, in order of their numbers, with its first objective and its bounded figures;
        None of a pruned one.

    Raises:
        InputError: an unknown study.
    """
    measured = Objectives(goals.objectives[:1], measured_bounds(goals))
    trials = [t for t in store.trials(store.study(study).id, _ENDED) if t.repeat == 0]
    found = _figures(store, study, measured.names, trials)
    return [
        (trial, values if trial.state is TrialState.COMPLETE else None)
        for trial, values in zip(trials, found, strict=True)
        if trial.state is TrialState.PRUNED or (measured.has(values) and measured.keeps(values))
    ]


def _figures(
    store: Store, study: str, names: Collection[str], trials: list[TrialRecord]
) -> list[Values]:
    """What is known of each trial; the store's curves are read only where a loss is wanted."""
    curves = store.curves([trial.id for trial in trials]) if _LOSS in names else {}
    epochs = ((id_, e.epoch, e.validation_loss) for id_, curve in curves.items() for e in curve)
    losses = losses_of(epochs, judged_by(store.study(study).protocol))
    analytic = set(names) & set(ANALYTIC)
    ids = {trial.architecture_id for trial in trials} if analytic else ()
    known = analytic_values(store, study, analytic, ids) if analytic else {}
    found: list[Values] = []
    for trial in trials:
        values = dict(known.get(trial.architecture_id, {}))
        if trial.accuracy is not None:
            values[_ACCURACY] = trial.accuracy
        if trial.id in losses:
            values[_LOSS] = losses[trial.id]
        found.append(values)
    return found
