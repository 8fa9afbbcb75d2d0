"""Full trainings: what was trained to the end from scratch, its network, accuracy and time.

One training counts for each architecture, the oldest; others of it with other seeds tell what seeds
alone make of a result.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, select, true

from search.query.where import Where, joined, matching, parse_where
from search.store.models import ArchitectureRow, MetricRow, TrialRow
from search.store.records import StudyRecord
from search.store.statements import columns_of
from search.store.store import Store
from search.trial_states import TrialState
from space.wording import count

_BATCH = 500
_SEEDS = ("initialisation", "data_order")
_NUMBER = TrialRow.number
_ALL = true()


@dataclass(frozen=True)
class FullTraining:
    """An architecture that was trained to the end.

    Attributes:
        trial_id: of the training.
        architecture_id: its id. architecture: its canonical JSON.
        params, macs: of the architecture.
        accuracy: of the epoch that the protocol judges by, 0 to 1.
        seconds: that its epochs took; NaN where it is not known of one.
        others: accuracies of further trainings, each with seeds of its own, the oldest first.
        seeds: of the first and of these, for initialisation and the order of data.
    """

    trial_id: int
    architecture_id: str
    architecture: str
    params: int
    macs: int
    accuracy: float
    seconds: float
    others: tuple[float, ...]
    seeds: tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True)
class FullTrainings:
    """Those of studies that share a protocol.

    Attributes:
        studies: as they are stored.
        trainings: of each architecture one, in the order of their trials.
        pruned: how many trials were stopped early, by the number of epochs that they had.
        left_out: why complete trials are not among them, a sentence each.
    """

    studies: tuple[StudyRecord, ...]
    trainings: tuple[FullTraining, ...]
    pruned: dict[int, int] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()

    @property
    def protocol(self) -> dict[str, Any]:
        """That of all of them."""
        return self.studies[0].protocol

    @property
    def epochs(self) -> int:
        """Of a full training."""
        return int(self.protocol["epochs"])


def full_trainings(
    store: Store, studies: Sequence[str], *, where: Where | str | None = None
) -> list[FullTrainings]:
    """The full trainings of studies, apart by protocol, in the order of the first of each.

    Args:
        store: with them.
        studies: their names.
        where: only trials that fulfil this clause.

    Raises:
        InputError: an unknown study, or a malformed clause.
    """
    clause = parse_where(where) if isinstance(where, str) else where
    groups: dict[str, list[StudyRecord]] = {}
    for name in dict.fromkeys(studies):
        record = store.studies.get(name)
        groups.setdefault(record.protocol_hash, []).append(record)
    return [_of_one_protocol(store, tuple(records), clause) for records in groups.values()]


@dataclass(frozen=True, slots=True)
class _Trial:
    """Of an ended trial what is asked here: there may be many."""

    id: int
    state: TrialState
    architecture_id: str
    parent_trial_id: int | None
    source_trial_id: int | None
    accuracy: float | None
    epochs_done: int
    seconds: float
    seeds: dict[str, Any]


_COLUMNS = columns_of(_Trial, TrialRow)


def _ended(store: Store, study: StudyRecord) -> Iterator[_Trial]:
    """Complete and pruned trials, in order of their numbers."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    mine = (TrialRow.study_id == study.id, TrialRow.state.in_(states))
    return (_Trial(*row) for row in rows(store, select(*_COLUMNS).where(*mine).order_by(_NUMBER)))


def _of_one_protocol(
    store: Store, studies: tuple[StudyRecord, ...], where: Where | None
) -> FullTrainings:
    every = [trial for each in studies for trial in _ended(store, each)]
    trials = every if where is None else _fulfilling(store, studies, every, where)
    pruned: dict[int, int] = defaultdict(int)
    for trial in trials:
        if trial.state is TrialState.PRUNED:
            pruned[trial.epochs_done] += 1
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    kept, left_out = _comparable(complete, int(studies[0].protocol["epochs"]))
    if where is not None:
        left_out = (*_by_the_clause(every, complete, where), *left_out)
    return FullTrainings(studies, tuple(_trainings(store, kept)), dict(pruned), left_out)


def _fulfilling(
    store: Store, studies: Iterable[StudyRecord], trials: Iterable[_Trial], where: Where
) -> list[_Trial]:
    """Those of the trials that fulfil a clause, in their order."""
    stale = store.runs.stale()
    queries = (joined(TrialRow.id).where(*matching(where, each.name, stale)) for each in studies)
    kept = {row.id for query in queries for row in rows(store, query)}
    return [trial for trial in trials if trial.id in kept]


def _by_the_clause(
    every: Iterable[_Trial], complete: Sequence[_Trial], where: Where
) -> Iterator[str]:
    """What is to be said of a clause: how much it leaves out, and where it picks by results."""
    whole = sum(trial.state is TrialState.COMPLETE for trial in every)
    if whole > len(complete):
        trials = count(whole - len(complete), "complete trial")
        yield f"Left out: {trials} of {whole:,} by the clause."
    if not complete:
        yield from where.hints
    if "accuracy" in where.fields:
        yield (
            "The clause picks trials by their accuracy, so what is left is more alike than what "
            "was trained, and differences in it are too small."
        )


def _comparable(complete: Iterable[_Trial], epochs: int) -> tuple[list[_Trial], tuple[str, ...]]:
    reasons: dict[str, Callable[[_Trial], bool]] = {
        "with inherited weights": lambda trial: trial.parent_trial_id is not None,
        "without a finite accuracy": lambda trial: trial.accuracy is None,
        f"without all {epochs} epochs in the store": lambda trial: trial.epochs_done != epochs,
    }
    kept: list[_Trial] = []
    numbers: dict[str, int] = defaultdict(int)
    for trial in complete:
        why = next((reason for reason, applies in reasons.items() if applies(trial)), None)
        if why is None:
            kept.append(trial)
        else:
            numbers[why] += 1
    said = (f"Left out: {count(n, 'complete trial')} {why}." for why, n in numbers.items())
    return kept, tuple(said)


def _trainings(store: Store, trials: Sequence[_Trial]) -> list[FullTraining]:
    by_architecture: dict[str, dict[tuple[Any, ...], _Trial]] = defaultdict(dict)
    # Of equal seeds the one that trained itself counts, as in `best`: the same again is no repeat.
    for trial in sorted(trials, key=lambda each: (each.source_trial_id is not None, each.id)):
        seeds = tuple(trial.seeds.get(name) for name in _SEEDS)
        by_architecture[trial.architecture_id].setdefault(seeds, trial)
    networks = _networks(store, by_architecture)
    firsts = [next(iter(found.values())).id for found in by_architecture.values()]
    untimed = _untimed(store, firsts)
    return [
        _training(networks[id_], [*found.values()], tuple(found), untimed)
        for id_, found in by_architecture.items()
    ]


def _training(
    network: Any, trials: Sequence[_Trial], seeds: tuple[tuple[Any, ...], ...], untimed: set[int]
) -> FullTraining:
    accuracies = [float(each.accuracy or 0.0) for each in trials]
    first = trials[0]
    seconds = math.nan if first.id in untimed else first.seconds
    return FullTraining(
        first.id,
        network.id,
        network.json,
        network.params,
        network.macs,
        accuracies[0],
        seconds,
        tuple(accuracies[1:]),
        seeds,
    )


def _untimed(store: Store, trials: Collection[int]) -> set[int]:
    """Those of the trials with an epoch whose seconds are not known."""
    trial, unknown = MetricRow.trial_id, MetricRow.seconds.is_(None)
    return {row.trial_id for row in of_ids(store, trial, trials, trial, where=unknown)}


def _networks(store: Store, ids: Collection[str]) -> dict[str, Any]:
    """Rows of id, JSON, params and MACs by id."""
    columns = (ArchitectureRow.id, ArchitectureRow.json, ArchitectureRow.params)
    found = of_ids(store, ArchitectureRow.id, ids, *columns, ArchitectureRow.macs)
    return {row.id: row for row in found}


def of_ids(
    store: Store,
    column: Any,
    ids: Collection[Any],
    *columns: Any,
    where: ColumnElement[bool] = _ALL,
) -> list[Any]:
    """Distinct rows of these ids, in as many statements as the number of bound values asks for."""
    every: list[Any] = list(ids)
    found: list[Any] = []
    query = select(*columns).distinct().where(where)
    for start in range(0, len(every), _BATCH):
        found += rows(store, query.where(column.in_(every[start : start + _BATCH])))
    return found


def rows(store: Store, query: Select[Any]) -> Sequence[Any]:
    """Of a query, in a transaction of its own."""
    return store.read(lambda connection: connection.execute(query).all())
