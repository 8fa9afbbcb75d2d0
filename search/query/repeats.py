"""Architectures that were trained completely more than once under one protocol."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Subquery, func, select

from search.query.spread import Spread, pooled
from search.store.models import Study, Trial
from search.store.states import TrialState
from search.store.store import Store

Key = tuple[str, str]
"""The id of an architecture and the hash of a protocol."""

# A result that was taken over is no second one, and one with inherited weights no like one.
_COUNTS = (
    Trial.state == TrialState.COMPLETE,
    Trial.best_accuracy.is_not(None),
    Trial.source_trial_id.is_(None),
    Trial.parent_trial_id.is_(None),
)


def repeated(study_id: int | None) -> Subquery:
    """A row for each such architecture and protocol, of one study or of all: mean and count."""
    query = (
        select(
            Trial.architecture_id,
            Study.protocol_hash,
            func.avg(Trial.best_accuracy).label("mean"),
            func.count().label("repeats"),
        )
        .join(Study, Study.id == Trial.study_id)
        .where(*_COUNTS, *_of_study(study_id))
        .group_by(Trial.architecture_id, Study.protocol_hash)
        .having(func.count() > 1)
    )
    return query.subquery("repeated")


def repeated_results(store: Store, study_id: int | None) -> dict[Key, list[float]]:
    """The accuracies (0 to 1) of every such architecture, the oldest first."""
    several = repeated(study_id)
    same = (several.c.architecture_id == Trial.architecture_id) & (
        several.c.protocol_hash == Study.protocol_hash
    )
    query = (
        select(Trial.architecture_id, Study.protocol_hash, Trial.best_accuracy)
        .join(Study, Study.id == Trial.study_id)
        .join(several, same)
        .where(*_COUNTS, *_of_study(study_id))
        .order_by(Trial.id)
    )
    found: dict[Key, list[float]] = defaultdict(list)
    rows: Any = store.read(lambda session: session.execute(query).all())
    for row in rows:
        found[row.architecture_id, row.protocol_hash].append(float(row[2]))
    return dict(found)


def spreads(store: Store, study: str | None = None) -> dict[str, Spread]:
    """The spread over seeds by protocol hash, where anything is known of it.

    Args:
        store: where to look.
        study: only trials of this study; None is all.

    Raises:
        InputError: an unknown study.
    """
    results = repeated_results(store, None if study is None else store.study(study).id)
    groups: dict[str, list[list[float]]] = defaultdict(list)
    for (_, protocol), accuracies in results.items():
        groups[protocol].append(accuracies)
    found = {protocol: pooled(each) for protocol, each in groups.items()}
    return {protocol: spread for protocol, spread in found.items() if spread is not None}


def _of_study(study_id: int | None) -> list[Any]:
    return [] if study_id is None else [Trial.study_id == study_id]
