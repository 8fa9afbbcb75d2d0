"""Full trainings: what was trained to the end from scratch, with its curve, family and size.

They are what proxies are held to. One training counts for each architecture, the oldest; others of
it with other seeds tell what seeds alone make of a result.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select

from search.query.where import Where, joined, matching, parse_where
from search.store.models import ArchitectureMixerRow, ArchitectureRow, TrialRow
from search.store.records import EpochRecord, StudyRecord, TrialRecord
from search.store.store import Store
from search.trial_states import TrialState
from space.wording import count

_BATCH = 500
_SEEDS = ("initialisation", "data_order")


@dataclass(frozen=True)
class FullTraining:
    """An architecture that was trained to the end.

    Attributes:
        architecture_id: its id. architecture: its canonical JSON.
        key: the same for architectures that differ by the images and the classes alone.
        family: the localities and dynamics of its token mixers, such as "sliding static".
        params, macs: of the architecture.
        accuracy: of the epoch that the protocol judges by, 0 to 1.
        curve: its epochs, in order.
        others: accuracies of further trainings, each with seeds of its own, the oldest first.
        seeds: of the first and of these, for initialisation and the order of data.
    """

    architecture_id: str
    architecture: str
    key: str
    family: str
    params: int
    macs: int
    accuracy: float
    curve: tuple[EpochRecord, ...]
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


def _of_one_protocol(
    store: Store, studies: tuple[StudyRecord, ...], where: Where | None
) -> FullTrainings:
    ended = (TrialState.COMPLETE, TrialState.PRUNED)
    every = [trial for each in studies for trial in store.trials.of_study(each.id, ended)]
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
    store: Store, studies: Iterable[StudyRecord], trials: Iterable[TrialRecord], where: Where
) -> list[TrialRecord]:
    """Those of the trials that fulfil a clause, in their order."""
    stale = store.runs.stale()
    queries = (joined(TrialRow.id).where(*matching(where, each.name, stale)) for each in studies)
    kept = {row.id for query in queries for row in _rows(store, query)}
    return [trial for trial in trials if trial.id in kept]


def _by_the_clause(
    every: Iterable[TrialRecord], complete: Sequence[TrialRecord], where: Where
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


def _comparable(
    complete: Iterable[TrialRecord], epochs: int
) -> tuple[list[TrialRecord], tuple[str, ...]]:
    reasons: dict[str, Callable[[TrialRecord], bool]] = {
        "with inherited weights": lambda trial: trial.parent_trial_id is not None,
        "without a finite accuracy": lambda trial: trial.accuracy is None,
        f"without all {epochs} epochs in the store": lambda trial: trial.epochs_done != epochs,
    }
    kept: list[TrialRecord] = []
    numbers: dict[str, int] = defaultdict(int)
    for trial in complete:
        why = next((reason for reason, applies in reasons.items() if applies(trial)), None)
        if why is None:
            kept.append(trial)
        else:
            numbers[why] += 1
    said = (f"Left out: {count(n, 'complete trial')} {why}." for why, n in numbers.items())
    return kept, tuple(said)


def _trainings(store: Store, trials: Sequence[TrialRecord]) -> list[FullTraining]:
    by_architecture: dict[str, dict[tuple[Any, ...], TrialRecord]] = defaultdict(dict)
    # Of equal seeds the one that trained itself counts, as in `best`: the same again is no repeat.
    for trial in sorted(trials, key=lambda each: (each.source_trial_id is not None, each.id)):
        seeds = tuple(trial.seeds.get(name) for name in _SEEDS)
        by_architecture[trial.architecture_id].setdefault(seeds, trial)
    firsts = [next(iter(found.values())) for found in by_architecture.values()]
    curves = store.epochs.of_trials([trial.id for trial in firsts])
    networks, families = _networks(store, by_architecture), _families(store, by_architecture)
    return [
        FullTraining(
            first.architecture_id,
            networks[first.architecture_id].json,
            _key(networks[first.architecture_id].json),
            families[first.architecture_id],
            networks[first.architecture_id].params,
            networks[first.architecture_id].macs,
            float(first.accuracy or 0.0),
            tuple(curves[first.id]),
            tuple(float(each.accuracy or 0.0) for each in [*found.values()][1:]),
            tuple(found),
        )
        for first, found in zip(firsts, by_architecture.values(), strict=True)
    ]


def _key(text: str) -> str:
    values = json.loads(text)
    values["head"] = {name: each for name, each in values["head"].items() if name != "classes"}
    return json.dumps({name: each for name, each in values.items() if name != "input"})


def _networks(store: Store, ids: Collection[str]) -> dict[str, Any]:
    """Rows of id, JSON, params and MACs by id."""
    columns = (ArchitectureRow.id, ArchitectureRow.json, ArchitectureRow.params)
    rows = _of_ids(store, ArchitectureRow.id, ids, *columns, ArchitectureRow.macs)
    return {row.id: row for row in rows}


def _families(store: Store, ids: Collection[str]) -> dict[str, str]:
    mixer = ArchitectureMixerRow
    found: dict[str, set[str]] = defaultdict(set)
    columns = (mixer.architecture_id, mixer.locality, mixer.dynamics)
    for id_, locality, dynamics in _of_ids(store, mixer.architecture_id, ids, *columns):
        found[id_].add(f"{locality} {dynamics}")
    return {id_: " + ".join(sorted(names)) for id_, names in found.items()}


def _of_ids(store: Store, column: Any, ids: Collection[str], *columns: Any) -> list[Any]:
    """Distinct rows, in as many statements as the number of bound values asks for."""
    every: list[str] = list(ids)
    found: list[Any] = []
    for start in range(0, len(every), _BATCH):
        query = select(*columns).where(column.in_(every[start : start + _BATCH])).distinct()
        found += _rows(store, query)
    return found


def _rows(store: Store, query: Select[Any]) -> Sequence[Any]:
    return store.read(lambda session: session.execute(query).all())
