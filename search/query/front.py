"""The Pareto front of a study over its own objectives, under its own constraints."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.figures import known_figures
from search.objectives import Goals, Values, nondominated_ranks
from search.query.best import best
from search.query.where import Where
from search.store.records import EpochRecord
from search.store.states import TrialState
from search.store.store import Store
from space.architecture import Architecture


@dataclass(frozen=True, slots=True)
class FrontRow:
    """An architecture on the front.

    Attributes:
        architecture_id: its id; operators: its distinct mixer names, joined by " + ".
        values: its figures by name; measured ones are the mean over the repeats.
        repeats: how many complete trainings the measured figures stand on.
    """

    architecture_id: str
    operators: str
    values: Values
    repeats: int


def front(
    store: Store, study: str, goals: Goals, *, where: Where | str | None = None
) -> list[FrontRow]:
    """The complete architectures of a study that none of its others dominates.

    Pruned trials do not count: what they would have come to is not known. An architecture that
    breaks a constraint is not on the front.

    Args:
        store: where to look.
        study: its name.
        goals: of the study.
        where: only architectures with a complete trial that fulfils this clause.

    Returns:
        In order of the first objective, the best first.

    Raises:
        InputError: a malformed where-clause or an unknown study.
    """
    allowed = {row.architecture_id: row for row in best(store, where=where, study=study, top=None)}
    found = [
        FrontRow(id_, allowed[id_].operators, values, repeats)
        for id_, (values, repeats) in _judged(store, store.study(study).id, goals).items()
        if id_ in allowed and goals.has(values) and goals.keeps(values)
    ]
    if not found:
        return []
    ranks = nondominated_ranks([goals.vector(row.values) for row in found])
    first = [row for row, rank in zip(found, ranks, strict=True) if rank == 0]
    return sorted(first, key=lambda row: (-goals.vector(row.values)[0], row.architecture_id))


def _judged(store: Store, study_id: int, goals: Goals) -> dict[str, tuple[Values, int]]:
    """The figures of every complete architecture, and on how many trainings they stand."""
    history = store.history(study_id)
    measured: dict[str, list[Values]] = defaultdict(list)
    for trial in history.trials:
        if trial.state is TrialState.COMPLETE:
            measured[trial.architecture_id].append(measured_values(history.curves[trial.id]))
    known = known_figures(goals.names)
    return {
        id_: (
            {**_mean(each), **known(Architecture.from_json(history.networks[id_].json))},
            len(each),
        )
        for id_, each in measured.items()
    }


def measured_values(curve: Sequence[EpochRecord]) -> Values:
    """The best of every measured figure over the epochs of a trial."""
    accuracies = [r.validation_accuracy for r in curve if r.validation_accuracy is not None]
    losses = [r.validation_loss for r in curve if r.validation_loss is not None]
    found = {"validation_accuracy": max(accuracies)} if accuracies else {}
    return found | ({"validation_loss": min(losses)} if losses else {})


def _mean(repeats: Sequence[Values]) -> Values:
    names = set.intersection(*(set(values) for values in repeats))
    return {name: float(np.mean([values[name] for values in repeats])) for name in sorted(names)}
