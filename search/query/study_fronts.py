"""Pareto fronts: of accuracy against a cost, and of a study over its own objectives."""

from collections.abc import Iterable
from typing import Literal

from search.metrics import MEASURED_METRICS
from search.objectives import Objectives, nondominated
from search.query.evaluated import Evaluated, evaluated
from search.query.leaderboard import BestRow
from search.query.where import Where
from search.store.store import Store
from space.errors import InputError

Cost = Literal["params", "macs"]
COSTS: tuple[Cost, ...] = ("params", "macs")


def pareto_front(rows: Iterable[BestRow], cost: Cost = "params") -> list[BestRow]:
    """The rows that no other beats: none is as cheap and as accurate, and better in one of both.

    Rows that tie in both stay together; rows without an accuracy are left out. In order of
    rising cost. O(n log n).

    Raises:
        InputError: an unknown cost.
    """
    if cost not in COSTS:
        raise InputError.of("cost", f"{cost!r} is not allowed; one of {', '.join(COSTS)}")
    known = [(getattr(row, cost), -row.accuracy, row) for row in rows if row.accuracy is not None]
    known.sort(key=lambda entry: (entry[0], entry[1], entry[2].architecture_id))
    front: list[tuple[float, float, BestRow]] = []
    for entry in known:
        # All before are as cheap or cheaper, and the front's last is their most accurate.
        if not front or entry[1] < front[-1][1] or entry[:2] == front[-1][:2]:
            front.append(entry)
    return [row for _, _, row in front]


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
    """
    found = [row for row in rows if objectives.has(row.values) and objectives.keeps(row.values)]
    if not found:
        return []
    kept = nondominated([objectives.vector(row.values) for row in found])
    first = [row for row, keeps in zip(found, kept, strict=True) if keeps]
    return sorted(first, key=lambda row: (-objectives.vector(row.values)[0], row.architecture_id))
