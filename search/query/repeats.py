"""Architectures that were trained completely with several seeds under one protocol."""

from collections import defaultdict
from typing import Any

from sqlalchemy import JSON, Select, Subquery, func, select, type_coerce

from search.query.spread import Spread, pooled
from search.store.models import Study, Trial
from search.store.store import Store
from search.trial_states import TrialState

Key = tuple[str, str]
"""The id of an architecture and the hash of a protocol."""

# A result with inherited weights is no like one.
_COUNTS = (
    Trial.state == TrialState.COMPLETE,
    Trial.accuracy.is_not(None),
    Trial.parent_trial_id.is_(None),
)
"""Conditions on the trials that count as repeats."""


# Texts, as numbers of more than 32 bits do not fit everywhere.
_SEEDS = tuple(
    type_coerce(Trial.seeds, JSON)[name].as_string() for name in ("initialisation", "data_order")
)


def repeated(study_id: int | None) -> Subquery:
    """A row for each such architecture and protocol, of one study or of all: mean and count."""
    results = _results(study_id)
    key = (results.c.architecture_id, results.c.protocol_hash)
    query = (
        select(
            *key,
            func.avg(results.c.accuracy).label("mean"),
            func.count().label("repeats"),
        )
        .where(results.c.place == 1)
        .group_by(*key)
        .having(func.count() > 1)
    )
    return query.subquery("repeated")


def _results(study_id: int | None) -> Subquery:
    """The trials of what has several results; `place` is 1 for the one that counts of its seeds.

    Two results with the same seeds are one: the same again says nothing of the spread. So a result
    that was taken over counts like its source, whose seeds it has, and counts once beside it. The
    one that trained itself counts, of equals the oldest.
    """
    only = (*_COUNTS, *_of_study(study_id))
    key: list[Any] = [Trial.architecture_id, Study.protocol_hash]
    several = _joined(select(*key)).where(*only).group_by(*key)
    twice = several.having(func.count() > 1).subquery("twice")
    same = (twice.c.architecture_id == Trial.architecture_id) & (
        twice.c.protocol_hash == Study.protocol_hash
    )
    order = (Trial.source_trial_id.is_not(None), Trial.id)
    place = func.row_number().over(partition_by=(*key, *_SEEDS), order_by=order)
    query = _joined(select(*key, Trial.id, Trial.accuracy, place.label("place")))
    return query.join(twice, same).where(*only).subquery("results")


def _joined(query: Select[Any]) -> Select[Any]:
    return query.select_from(Trial).join(Study, Study.id == Trial.study_id)


def repeated_results(store: Store, study_id: int | None) -> dict[Key, dict[int, float]]:
    """The accuracies (0 to 1) of every such architecture by the trials' ids, the oldest first."""
    results = _results(study_id)
    query = select(results).where(results.c.place == 1).order_by(results.c.id)
    found: dict[Key, dict[int, float]] = defaultdict(dict)
    rows: Any = store.read(lambda session: session.execute(query).all())
    for row in rows:
        found[row.architecture_id, row.protocol_hash][row.id] = float(row.accuracy)
    return {key: accuracies for key, accuracies in found.items() if len(accuracies) > 1}


def spreads(store: Store, study: str | None = None) -> dict[str, Spread]:
    """The spread over seeds by protocol hash, where anything is known of it.

    Args:
        store: where to look.
        study: only trials of this study; None is all.

    Raises:
        InputError: an unknown study.
    """
    results = repeated_results(store, None if study is None else store.studies.get(study).id)
    groups: dict[str, list[list[float]]] = defaultdict(list)
    for (_, protocol), accuracies in results.items():
        groups[protocol].append(list(accuracies.values()))
    found = {protocol: pooled(each) for protocol, each in groups.items()}
    return {protocol: spread for protocol, spread in found.items() if spread is not None}


def _of_study(study_id: int | None) -> list[Any]:
    return [] if study_id is None else [Trial.study_id == study_id]
