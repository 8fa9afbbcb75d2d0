"""What a study says of each operator: the best of it alone, what became of its trials, in pairs."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select

from search.query.best_row import OPERATOR_SEPARATOR, BestRow
from search.query.leaderboard import best_of_one_operator
from search.query.protocols import refuse_mixed
from search.query.study_fronts import pareto_front
from search.query.where import Where, joined, matching
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.stale_runs import effective
from search.store.store import Store
from search.trial_states import TrialState
from space.design.paired_points import PAIRED
from space.mixer_types import is_operator_name
from space.relation_graph import NODES


@dataclass(frozen=True, slots=True)
class OperatorRank:
    """How far the architectures that use one operator throughout got.

    Attributes:
        name: of the operator.
        row: its most accurate architecture (the cheapest of equals).
        rank: its place by accuracy among all architectures, from 1; equal accuracies share one.
        on_front: whether the row is on the front of accuracy against params or against MACs.
    """

    name: str
    row: BestRow
    rank: int
    on_front: bool


def operator_ranks(rows: Iterable[BestRow]) -> list[OperatorRank]:
    """Every operator that some architecture uses throughout, the best first.

    Rows without an accuracy are left out.

    Raises:
        InputError: rows of several protocols.
    """
    pairs = _by_accuracy(rows)
    ranked = [row for _, row in pairs]
    front = {row.trial_id for row in pareto_front(ranked, "params") + pareto_front(ranked, "macs")}
    # Setting from the worst to the best leaves the first place of every accuracy.
    place = {accuracy: i for i, (accuracy, _) in reversed(list(enumerate(pairs, start=1)))}
    found: dict[str, OperatorRank] = {}
    for accuracy, row in pairs:
        if len(row.names) == 1 and row.operators not in found:
            on_front = row.trial_id in front
            found[row.operators] = OperatorRank(row.operators, row, place[accuracy], on_front)
    return list(found.values())


def _by_accuracy(rows: Iterable[BestRow]) -> list[tuple[float, BestRow]]:
    """The rows that have an accuracy beside it, the best first, the cheapest of equals."""
    pairs = [(row.accuracy, row) for row in rows if row.accuracy is not None]
    refuse_mixed(row for _, row in pairs)
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1].params, pair[1].architecture_id))


StateCounts = Mapping[TrialState, int]
"""How many trials are in each state."""


def trials_by_operators(store: Store, study: str) -> dict[str, StateCounts]:
    """The trials of a study by what their networks are made of, in the words of `BestRow`.

    An operator alone goes by its name, several by their names joined.
    """
    stale = store.runs.stale()
    seen = (
        joined(ArchitectureRow.operators, effective(TrialRow.state, stale).label("state"))
        .where(StudyRow.name == study)
        .subquery()
    )
    each = (seen.c.operators, seen.c.state)
    query = select(*each, func.count()).group_by(*each)
    found: dict[str, dict[TrialState, int]] = defaultdict(dict)
    for operators, state, trials in store.read(lambda connection: connection.execute(query).all()):
        found[operators][state] = trials
    return dict(found)


def state_words(counts: StateCounts | None) -> str:
    """What became of trials without an accuracy that compares, such as "2 failed, 1 running"."""
    if not counts:
        return "not tried alone"
    words = {state: _word(state) for state in TrialState if state in counts}
    if sum(counts.values()) == 1:
        return next(iter(words.values()))
    return ", ".join(f"{counts[state]:,} {word}" for state, word in words.items())


def _word(state: TrialState) -> str:
    return f"{state} without accuracy" if state is TrialState.COMPLETE else str(state)


@dataclass(frozen=True, slots=True)
class Pair:
    """An operator in the skeleton of the comparison.

    Attributes:
        operator: its name.
        row: its network.
        behind: accuracy of the best of the comparison minus its own, 0 to 1.
    """

    operator: str
    row: BestRow
    behind: float


def paired(store: Store, study: str, rows: Iterable[BestRow]) -> list[Pair]:
    """The complete networks of a study's paired comparison, the best first; none if it has none.

    Args:
        store: with the study.
        study: its name.
        rows: of the study.

    Raises:
        InputError: rows of several protocols.
    """
    every = list(rows)
    refuse_mixed(every)
    operators = _paired_operators(store, study)
    found = _by_accuracy(
        row for row in every if row.is_complete and row.architecture_id in operators
    )
    return [
        Pair(operators[row.architecture_id], row, found[0][0] - accuracy) for accuracy, row in found
    ]


def _paired_operators(store: Store, study: str) -> dict[str, str]:
    """The operator of each network of the comparison, by its id.

    The rows do not tell: a repeat of such a network, which may be its best trial, has another
    origin.
    """
    query = (
        select(TrialRow.architecture_id, TrialRow.origin)
        .join(StudyRow)
        .where(StudyRow.name == study, TrialRow.origin.startswith(PAIRED, autoescape=True))
    )
    found = store.read(lambda connection: connection.execute(query).all())
    return {architecture: origin.removeprefix(PAIRED) for architecture, origin in found}


def chance_of_images(pairs: Iterable[Pair], images: int) -> float:
    """The difference of two accuracies that as few images may make by chance, 0 to 1.

    It is 1.96 standard errors of the difference of two shares, each of so many images, at the mean
    accuracy of the comparison. The images are the same for both, which makes the true one smaller;
    that other seeds would give other accuracies is not in it.
    """
    accuracies = [pair.row.accuracy or 0.0 for pair in pairs]
    mean = sum(accuracies) / len(accuracies)
    return 1.96 * math.sqrt(2 * mean * (1 - mean) / images)


# --- of the paper's relation graph ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OperatorRecord:
    """What trials say of one operator.

    Attributes:
        alone: number of trials whose architecture uses this operator throughout.
        mixed: number of trials whose architecture uses it beside others.
        best_accuracy: highest of their architectures, with the accuracy of `best`: over several
            trainings the mean.
        best_architecture: the id of that architecture.
        pruned: whether that accuracy is of a trial that was not trained to the end.
    """

    alone: int
    mixed: int
    best_accuracy: float | None = None
    best_architecture: str | None = None
    pruned: bool = False


def operator_records(
    store: Store, *, where: Where | str | None = None, study: str | None = None
) -> dict[str, OperatorRecord]:
    """The record of each of the paper's operators by name, then of custom mixers that were tried.

    Raises:
        InputError: a malformed where-clause, an unknown study, or results of several protocols.
    """
    query = joined(ArchitectureRow.operators, func.count())
    query = query.where(*matching(where, study, store.runs.stale()))
    query = query.group_by(ArchitectureRow.operators)
    alone: Counter[str] = Counter()
    mixed: Counter[str] = Counter()
    for operators, trials in store.read(lambda connection: connection.execute(query).all()):
        names = operators.split(OPERATOR_SEPARATOR)
        for name in names:
            (alone if len(names) == 1 else mixed)[name] += trials
    custom = sorted(name for name in {*alone, *mixed} if is_custom(name))
    tops: dict[str, BestRow] = {}
    for row in best_of_one_operator(store, where=where, study=study):
        if row.accuracy is not None:
            tops.setdefault(row.operators, row)
    return {name: _record(alone[name], mixed[name], tops.get(name)) for name in (*NODES, *custom)}


def is_custom(name: str) -> bool:
    """Whether an operator that a store names is none of the algebra: somebody registered it."""
    return not is_operator_name(name)


def _record(alone: int, mixed: int, row: BestRow | None) -> OperatorRecord:
    if row is None:
        return OperatorRecord(alone, mixed)
    return OperatorRecord(alone, mixed, row.accuracy, row.architecture_id, not row.is_complete)
