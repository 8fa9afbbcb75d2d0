"""The Pareto front of a study over its own objectives, under its own constraints."""

from collections.abc import Iterable

from search.figures import MEASURED
from search.objectives import Objectives, nondominated
from search.query.judged import Judged, judged
from search.query.where import Where
from search.store.store import Store


def front(
    store: Store, study: str, goals: Objectives, *, where: Where | str | None = None
) -> list[Judged]:
    """The complete architectures of a study that none of its others dominates.

    Args:
        store: where to look.
        study: its name.
        goals: of the study.
        where: only complete trials that fulfil this clause.

    Returns:
        In order of the first objective, the best first.

    Raises:
        InputError: a malformed where-clause or an unknown study.
    """
    return front_of(judged(store, study, (*MEASURED, *goals.names), where=where), goals)


def front_of(rows: Iterable[Judged], goals: Objectives) -> list[Judged]:
    """The rows that none of the others dominates, the best by the first objective first.

    One that lacks an objective, or breaks a constraint, neither is on the front nor dominates.
    """
    found = [row for row in rows if goals.has(row.values) and goals.keeps(row.values)]
    if not found:
        return []
    kept = nondominated([goals.vector(row.values) for row in found])
    first = [row for row, keeps in zip(found, kept, strict=True) if keeps]
    return sorted(first, key=lambda row: (-goals.vector(row.values)[0], row.architecture_id))
