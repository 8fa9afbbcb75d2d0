"""Why trials gave no result: by reason, by operator and by size, with the trials behind each.

A reason is a sentence with numbers in it, such as a step or an amount of memory. Trials with the
same sentence but for its numbers failed alike, and are counted together.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sqlalchemy import func

from search.query.best_row import OPERATOR_SEPARATOR
from search.query.intervals import wilson_interval
from search.query.trial_summaries import TrialSummary, trial_summaries
from search.query.where import Where, joined, matching
from search.store.models import ArchitectureRow, TrialRow
from search.store.stale_runs import effective
from search.store.store import Store
from search.trial_states import BROKEN, EVALUATED, TrialState

TROUBLE = (TrialState.FAILED, TrialState.INFEASIBLE, TrialState.PREEMPTED)
"""What came to no result; what was preempted will be taken up again."""

_ENDED = (*EVALUATED, *BROKEN)
_SIZES = 6
"""Classes of size, of equal width on a logarithmic axis."""
_NUMBER = re.compile(r"(?<![A-Za-z_])[-+]?\d+(?:[.,:]\d+)*(?:[eE][-+]?\d+)?")
_LONGEST = 200


def failed_trials(counts: Mapping[TrialState, int]) -> int:
    """How many trials came to nothing for good: those that failed, or do not fit here.

    Args:
        counts: of trials by state.
    """
    return sum(counts.get(state, 0) for state in BROKEN)


def kind_of_reason(reason: str | None) -> str:
    """The first line of a reason with "…" for its numbers; "" for none."""
    first = (reason or "").strip().partition("\n")[0]
    return _NUMBER.sub("…", first)[:_LONGEST]


@dataclass(frozen=True, slots=True)
class FailureKind:
    """Trials that came to nothing in the same way.

    Attributes:
        state: failed, infeasible or preempted.
        reason: what they said, with "…" for its numbers.
        trials: how many.
        operators: how many of them by the names of their token mixers, the most frequent first;
            one with several mixers counts for each.
        params: of the smallest and of the largest of their networks.
    """

    state: TrialState
    reason: str
    trials: int
    operators: Mapping[str, int]
    params: tuple[int, int]


@dataclass(frozen=True, slots=True)
class FailureShare:
    """How many of the trials of an operator, or of a size, came to nothing.

    Attributes:
        name: the operator, or empty. params: of the smallest and of the largest network.
        ended: complete, pruned, failed and infeasible trials; failed: the last two.
    """

    name: str
    params: tuple[int, int]
    ended: int
    failed: int

    @property
    def share(self) -> float:
        """That failed, 0 to 1."""
        return self.failed / self.ended

    @property
    def interval(self) -> tuple[float, float]:
        """95 % of the share (Wilson), 0 to 1."""
        return wilson_interval(self.share, self.ended)


@dataclass(frozen=True, slots=True)
class Failures:
    """What went wrong, in three views.

    Attributes:
        kinds: the most frequent first.
        by_operator: those that failed most often first; a network with several counts for each.
        by_size: classes of params, the smallest first.
    """

    kinds: tuple[FailureKind, ...]
    by_operator: tuple[FailureShare, ...]
    by_size: tuple[FailureShare, ...]


def failures(
    store: Store, *, where: Where | str | None = None, study: str | None = None
) -> Failures:
    """Why trials of a filter gave no result.

    Raises:
        InputError: a malformed where-clause.
    """
    stale = store.runs.stale()
    conditions = matching(where, study, stale)
    state = effective(TrialRow.state, stale)
    ended = _ended(store, conditions, state)
    return Failures(
        _kinds(store, conditions, state, effective(TrialRow.reason, stale)),
        _by_operator(ended),
        _by_size(ended),
    )


def _kinds(
    store: Store, conditions: Sequence[Any], state: Any, reason: Any
) -> tuple[FailureKind, ...]:
    query = (
        joined(
            state.label("state"),
            reason.label("reason"),
            ArchitectureRow.operators,
            func.count().label("trials"),
            func.min(ArchitectureRow.params).label("least"),
            func.max(ArchitectureRow.params).label("most"),
        )
        .where(*conditions, state.in_(TROUBLE))
        .group_by(state, reason, ArchitectureRow.operators)
    )
    groups: dict[tuple[TrialState, str], list[Any]] = defaultdict(list)
    rows: Any = store.read(lambda connection: connection.execute(query).all())
    for row in rows:
        groups[TrialState(row.state), kind_of_reason(row.reason)].append(row)
    found = [_kind(*key, rows) for key, rows in groups.items()]
    return tuple(sorted(found, key=lambda kind: (-kind.trials, kind.state, kind.reason)))


def _kind(state: TrialState, reason: str, rows: Sequence[Any]) -> FailureKind:
    operators: Counter[str] = Counter()
    for row in rows:
        for name in row.operators.split(OPERATOR_SEPARATOR):
            operators[name] += row.trials
    return FailureKind(
        state,
        reason,
        sum(row.trials for row in rows),
        dict(operators.most_common()),
        (min(row.least for row in rows), max(row.most for row in rows)),
    )


_SOME = 200
_LOOKED_AT = 5_000


def trials_of_kind(
    store: Store,
    kind: FailureKind,
    *,
    where: Where | str | None = None,
    study: str | None = None,
) -> list[TrialSummary]:
    """The last trials of a kind, some 200 at most, the one that ended last first.

    The arguments are those of `failures`.
    """
    rows = trial_summaries(
        store, where=where, study=study, states=(kind.state,), order="ended", limit=_LOOKED_AT
    )
    return [row for row in rows if kind_of_reason(row.reason) == kind.reason][:_SOME]


_Ended = tuple[str, int, bool]
"""Of a trial that ended: the operators and the params of its network, and whether it failed."""


def _ended(store: Store, conditions: Sequence[Any], state: Any) -> list[_Ended]:
    # Read once and counted here: groups by operators are nearly as many as trials.
    query = joined(ArchitectureRow.operators, ArchitectureRow.params, state.in_(BROKEN))
    query = query.where(*conditions, state.in_(_ENDED))
    return store.read(lambda connection: [tuple(row) for row in connection.execute(query)])


def _share(name: str, trials: Sequence[_Ended]) -> FailureShare:
    params = [each[1] for each in trials]
    return FailureShare(
        name, (min(params), max(params)), len(trials), sum(bool(each[2]) for each in trials)
    )


def _by_operator(ended: Iterable[_Ended]) -> tuple[FailureShare, ...]:
    groups: dict[str, list[_Ended]] = defaultdict(list)
    for trial in ended:
        for name in trial[0].split(OPERATOR_SEPARATOR):
            groups[name].append(trial)
    found = [_share(name, trials) for name, trials in groups.items()]
    return tuple(sorted(found, key=lambda each: (-each.share, -each.ended, each.name)))


def _by_size(ended: Sequence[_Ended]) -> tuple[FailureShare, ...]:
    if not ended:
        return ()
    ordered = sorted(ended, key=lambda trial: trial[1])
    sizes = np.log([trial[1] for trial in ordered])
    edges = np.linspace(sizes[0], sizes[-1], _SIZES + 1)[1:-1]
    cuts = [0, *np.searchsorted(sizes, edges, side="right").tolist(), len(ordered)]
    parts = (ordered[low:high] for low, high in pairwise(cuts))
    return tuple(_share("", part) for part in parts if part)
