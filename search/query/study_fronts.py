"""Pareto fronts: of accuracy against a cost, and of a study over its own objectives.

All of them are of complete results of one protocol; what was stopped early may stand beside.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from search.metrics import MEASURED_METRICS
from search.objectives import Objectives, nondominated
from search.query.best_row import BestRow
from search.query.evaluated import Evaluated, evaluated
from search.query.protocols import refuse_mixed
from search.query.where import Where
from search.store.store import Store
from space.errors import InputError

Cost = Literal["params", "macs"]
COSTS: tuple[Cost, ...] = ("params", "macs")


def checked_cost(cost: str) -> str:
    """The name of a cost, seen to be one.

    Raises:
        InputError: it is none.
    """
    if cost not in COSTS:
        raise InputError.of("cost", f"{cost!r} is not allowed; one of {', '.join(COSTS)}")
    return cost


def pareto_front(rows: Iterable[BestRow], cost: Cost = "params") -> list[BestRow]:
    """The complete rows that no other beats: none is as cheap and as accurate, and better in one.

    What was stopped early, or lacks an accuracy, neither is on the front nor beats; rows that tie
    in both stay together. In order of rising cost. O(n log n).

    Raises:
        InputError: an unknown cost, or rows of several protocols.
    """
    checked_cost(cost)
    every = list(rows)
    refuse_mixed(every)
    known = [
        (row, (row.accuracy, -getattr(row, cost)))
        for row in every
        if row.is_complete and row.accuracy is not None
    ]
    return sorted(_undominated(known), key=lambda row: (getattr(row, cost), row.architecture_id))


_Row = TypeVar("_Row")


def _undominated(known: Sequence[tuple[_Row, Sequence[float]]]) -> list[_Row]:
    """The rule of every front: rows whose objectives, the higher the better, nothing dominates."""
    if not known:
        return []
    kept = nondominated([objectives for _, objectives in known])
    return [row for (row, _), keeps in zip(known, kept, strict=True) if keeps]


def front(
    store: Store, study: str, objectives: Objectives, *, where: Where | str | None = None
) -> list[Evaluated]:
    """The complete architectures of a study that none of its others dominates.

    Args:
        store: where to look.
        study: its name.
        objectives: of the study.
        where: only complete trials that fulfil this clause.

    Returns:
        In order of the first objective, the best first.

    Raises:
        InputError: a malformed where-clause or an unknown study.
    """
    return front_of(
        evaluated(store, study, (*MEASURED_METRICS, *objectives.names), where=where), objectives
    )


def front_of(rows: Iterable[Evaluated], objectives: Objectives) -> list[Evaluated]:
    """The rows that none of the others dominates, the best by the first objective first.

    One that lacks an objective, or breaks a constraint, neither is on the front nor dominates.

    Raises:
        InputError: rows of several protocols.
    """
    every = list(rows)
    refuse_mixed(every)
    known = [
        (row, objectives.vector(row.values))
        for row in every
        if objectives.has(row.values) and objectives.keeps(row.values)
    ]
    first = _undominated(known)
    return sorted(first, key=lambda row: (-objectives.vector(row.values)[0], row.architecture_id))
