"""Architectures that were trained completely with several seeds, and how far they scatter.

The rule: two architectures are told apart by a two-sided t-test of their mean accuracies at the 5 %
level, with a standard deviation pooled over all architectures of the protocol that were trained
completely more than once. What it does not tell apart is a tie. Without any such architecture
nothing is known of the spread, and nothing is called a tie.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import CTE, JSON, ColumnElement, Select, Subquery, func, select, type_coerce

from search.store.models import OFTEN, ArchitectureRow, StudyRow, TrialRow
from search.store.store import Store
from search.trial_states import TrialState


@dataclass(frozen=True, slots=True)
class Spread:
    """A pooled standard deviation.

    Attributes:
        deviation: of one result (accuracy, 0 to 1).
        freedom: degrees of freedom: repeats beyond the first, over all architectures.
    """

    deviation: float
    freedom: int

    def separates(self, difference: float, first: int, second: int) -> bool:
        """Whether means of `first` and of `second` results differ by more than chance would."""
        return abs(difference) > t_quantile(self.freedom) * self.error(first, second)

    def error(self, first: int, second: int) -> float:
        """The standard error of the difference of two such means."""
        return self.deviation * math.sqrt(1 / first + 1 / second)


def t_quantile(freedom: float, level: float = 0.975) -> float:
    """A quantile of Student's t, the 97.5 % one unless told, for 1 degree of freedom or more."""
    from scipy.special import stdtrit  # takes a good part of a second to import

    return float(stdtrit(freedom, level))


def pooled(groups: Sequence[Sequence[float]]) -> Spread | None:
    """The spread within groups of results; None where no group has two."""
    several = [np.asarray(group, float) for group in groups if len(group) > 1]
    freedom = sum(len(group) - 1 for group in several)
    if not freedom:
        return None
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in several)
    return Spread(math.sqrt(squares / freedom), freedom)


Key = tuple[str, str]
"""The id of an architecture and the hash of a protocol."""

# A result with inherited weights is no like one.
_COUNTS = (
    TrialRow.state == TrialState.COMPLETE,
    TrialRow.accuracy.is_not(None),
    TrialRow.parent_trial_id.is_(None),
)
"""Conditions on the trials that count as repeats."""


# Texts, as numbers of more than 32 bits do not fit everywhere.
_SEEDS = tuple(
    type_coerce(TrialRow.seeds, JSON)[name].as_string() for name in ("initialisation", "data_order")
)


Among = Sequence[ColumnElement[bool]]
"""Conditions on trials: those of one study, or of some architectures; none is all."""


MET_OFTEN = select(ArchitectureRow.id).where(OFTEN)
"""The ids of architectures with several trials, in whatever studies, which an index holds.

They are few, and whatever is worked out for them alone costs little.
"""


def repeated(among: Among, those: Select[Any] = MET_OFTEN) -> CTE:
    """A row for each repeated architecture and protocol: mean and count.

    Args:
        among: trials. those: the ids of the architectures, of `MET_OFTEN`.
    """
    results = _results(among, those)
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
    return query.cte("repeated")


def _results(among: Among, those: Select[Any] = MET_OFTEN) -> Subquery:
    """The trials of what has several; `place` is 1 for the one that counts of its seeds.

    Two results with the same seeds are one: the same again says nothing of the spread. So a result
    that was taken over counts like its source, whose seeds it has, and counts once beside it. The
    one that trained itself counts, of equals the oldest.
    """
    key: list[Any] = [TrialRow.architecture_id, StudyRow.protocol_hash]
    order = (TrialRow.source_trial_id.is_not(None), TrialRow.id)
    place = func.row_number().over(partition_by=(*key, *_SEEDS), order_by=order)
    query = (
        select(*key, TrialRow.id, TrialRow.accuracy, place.label("place"))
        .select_from(TrialRow)
        .join(StudyRow, StudyRow.id == TrialRow.study_id)
    )
    return query.where(*_COUNTS, *among, TrialRow.architecture_id.in_(those)).subquery("results")


def repeated_results(store: Store, among: Among) -> dict[Key, dict[int, float]]:
    """The accuracies (0 to 1) of every such architecture by the trials' ids, the oldest first."""
    results = _results(among)
    query = select(results).where(results.c.place == 1).order_by(results.c.id)
    found: dict[Key, dict[int, float]] = defaultdict(dict)
    rows: Any = store.read(lambda connection: connection.execute(query).all())
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
    mine = [] if study is None else [TrialRow.study_id == store.studies.get(study).id]
    results = repeated_results(store, mine)
    groups: dict[str, list[list[float]]] = defaultdict(list)
    for (_, protocol), accuracies in results.items():
        groups[protocol].append(list(accuracies.values()))
    found = {protocol: pooled(each) for protocol, each in groups.items()}
    return {protocol: spread for protocol, spread in found.items() if spread is not None}
