"""Stores in every state that a dashboard meets, filled through the store's own methods."""

import math
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from search.store import EpochRecord, ProcessIdentity, RunRecord, Store, StudyRecord, open_store
from space import Architecture, DesignSpace, cost

SPACE = Path(__file__).parents[2] / "configs/spaces/fashion-quickstart.yaml"
EPOCHS = 6
FAILURES = (
    ("failed", "train loss is nan in epoch 2, step 17"),
    ("infeasible", "out of memory: tried to allocate 3.2 GiB, 1.1 GiB are free"),
    ("failed", "RuntimeError: shape '[8, 49]' is invalid for input of size 400 (loop.py:88)"),
)


@cache
def space() -> DesignSpace:
    return DesignSpace.from_yaml(SPACE)


@cache
def points(count: int) -> list[tuple[str, Architecture]]:
    """Distinct architectures with their origins: the paper's operators, every axis, then drawn."""
    rng = np.random.default_rng(0)
    found = {a.id: (origin, a) for origin, a in space().initial_points(("named", "axes"), rng)}
    while len(found) < count:
        drawn = space().sample(rng)
        found.setdefault(drawn.id, ("tpe", drawn))
    return list(found.values())[:count]


def add_study(
    store: Store, name: str, planned: int, objective: dict[str, Any] | None = None
) -> StudyRecord:
    return store.studies.create(
        name,
        config={"trials": planned, "searcher": {"name": "tpe"}},
        space=space().to_dict(),
        protocol={"epochs": EPOCHS, "batch_size": 128},
        protocol_hash="0123456789abcdef",
        objective=objective or {"metric": "accuracy", "direction": "maximise"},
        planned_trials=planned,
        searcher="tpe",
        scheduler="asha",
        seeds={"search": 0},
        code_version="0.1.0",
    )


def begin_run(store: Store, study_id: int, pid: int | None = None) -> RunRecord:
    """A run of this very process, or of another."""
    return store.runs.begin(
        study_id,
        process=ProcessIdentity.of(pid),
        machine={"cpus": 2},
        code_version="0.1.0",
    )


def add_trial(
    store: Store, study_id: int, run_id: int, origin: str, point: Architecture, repeat: int = 0
) -> int:
    price = cost(point)
    trial = store.trials.add(
        study_id,
        run_id,
        point,
        params=price.params,
        macs=price.macs,
        origin=origin,
        seeds={"initialisation": 7, "data_order": 8 + repeat},
        repeat=repeat,
    )
    return trial.id


def train(
    store: Store, trial_id: int, run_id: int, point: Architecture, epochs: int, better: float = 0.0
) -> None:
    """Epochs of a curve that grows towards a height that follows from the architecture."""
    height = accuracy_of(point) + better
    store.trials.start(trial_id, run_id)
    for epoch in range(1, epochs + 1):
        accuracy = height - 0.25 * math.exp(-epoch / 1.6)
        loss = 2.3 * math.exp(-epoch / 3)
        store.epochs.record(trial_id, EpochRecord(epoch, loss, loss + 0.1, accuracy, 0.005, 2.5))


def accuracy_of(point: Architecture) -> float:
    """Between about 0.78 and 0.92, better for more parameters, the same every time."""
    noise = random.Random(point.id).uniform(-0.03, 0.03)
    return 0.78 + 0.02 * math.log10(cost(point).params) + noise


def fill(store: Store, study: StudyRecord, run: RunRecord, count: int) -> None:
    """Ended trials: two of three complete, the others pruned, and the failures above."""
    for index, (origin, point) in enumerate(points(count)):
        trial = add_trial(store, study.id, run.id, origin, point)
        if index >= count - len(FAILURES):
            state, reason = FAILURES[index - count]
            train(store, trial, run.id, point, 1)
            store.trials.finish(trial, state, reason)
        elif index % 3 == 2:
            train(store, trial, run.id, point, 2 + index % 2)
            store.trials.finish(trial, "pruned", "asha: not among the best third after 2 epochs")
        else:
            train(store, trial, run.id, point, EPOCHS)
            store.trials.finish(trial, "complete")


def empty(path: Path) -> None:
    """A store without studies."""
    open_store(str(path), create=True).close()


def finished(path: Path, count: int = 26) -> None:
    """A study that came to its end."""
    with open_store(str(path), create=True) as store:
        study = add_study(store, "quickstart", count)
        run = begin_run(store, study.id)
        fill(store, study, run, count)
        store.runs.end(run.id)


def running(path: Path, count: int = 12) -> None:
    """A study that this very process works on: two trials run, one waits."""
    with open_store(str(path), create=True) as store:
        study = add_study(store, "quickstart", 26)
        run = begin_run(store, study.id)
        fill(store, study, run, count)
        for index, (origin, point) in enumerate(_rest(count)):
            trial = add_trial(store, study.id, run.id, origin, point)
            if index < 2:
                train(store, trial, run.id, point, 2 + index)


TWO = {"validation_accuracy": "maximise", "macs": "minimise"}
OBJECTIVES: dict[str, dict[str, Any]] = {
    "two": {"objectives": TWO, "constraints": {"validation_accuracy": {"at_least": 0.85}}},
    "three": {"objectives": TWO | {"training_bytes": "minimise"}, "constraints": {}},
}


def several_objectives(path: Path, count: int = 26) -> None:
    """Studies of two and of three objectives; of "two" the first architectures have repeats."""
    with open_store(str(path), create=True) as store:
        for name, objective in OBJECTIVES.items():
            study = add_study(store, name, count, objective)
            run = begin_run(store, study.id)
            fill(store, study, run, count)
            if name == "two":
                _repeat(store, study.id, run.id)
            store.runs.end(run.id)


REPEATED = ((1, 0.012), (2, -0.018))
"""Repeats of the first two architectures, and how far they come out from their first trials."""


def _repeat(store: Store, study_id: int, run_id: int) -> None:
    for origin, point in points(2):
        for repeat, better in REPEATED:
            trial = add_trial(store, study_id, run_id, origin, point, repeat)
            train(store, trial, run_id, point, EPOCHS, better)
            store.trials.finish(trial, "complete")


EVIL = "evil.example"
NASTY = (
    f"**bold** _em_ :red[r] $x^2$ <b>h</b> <img src=x> [l](http://{EVIL}/l) ![i](http://{EVIL}/i) "
    f"`c` ~~s~~ :material/home: :smile: www.{EVIL} http://{EVIL} me@{EVIL} &amp; -> %{{x}} %{{y}}"
)
"""What a name may hold that somebody wrote into the store by hand."""


def nasty(path: Path, count: int = 12) -> None:
    """Names, reasons and labels that Markdown, HTML, LaTeX or Plotly would make something of."""
    running(path, count)
    with open_store(str(path), create=False) as store:

        def rename(connection: Connection) -> None:
            for change in (
                "studies SET name = :name",
                "trials SET origin = :name",
                "trials SET reason = :name WHERE reason IS NOT NULL",
                "architectures SET operators = :name, scaffold = :name",
                "architecture_mixers SET label = :name, name = :name",
            ):
                connection.execute(text(f"UPDATE {change}"), {"name": NASTY})

        store.write(rename)


def _rest(count: int) -> Iterator[tuple[str, Architecture]]:
    yield from points(count + 3)[count:]


BUILDERS = {
    "empty": empty,
    "running": running,
    "finished": finished,
    "objectives": several_objectives,
    "nasty": nasty,
}
