"""Whoever runs the trials: the same points are asked, the same decisions fall, all end alike.

The driver of a study in a store, the loop in this process and the simulated clock, one trial at a
time, on a made-up objective that depends on the architecture and the epoch alone.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path

import pytest

from benchmarks.replay.ours import OwnMethod
from benchmarks.replay.simulate import Simulator
from benchmarks.table.read import Training
from search import optimize
from search.config import Config
from search.driver.study_setup import task_of
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from search.store import open_store
from search.trial_states import TrialState
from space import Architecture
from tests.search.driving import accuracy, begin, play
from tests.search.small import config, values

pytestmark = pytest.mark.usefixtures("coarse_gp")

EPOCHS, TRIALS, SEED = 9, 10, 5
EARLY = {
    "tpe": {"startup_trials": 3},
    "nsga2": {"population": 4},
    "gp": {"startup_trials": 5},
    "evolution": {"startup": 3, "population": 4, "tournament": 2},
    "local": {"startup": 3},
    "surrogate": {"startup": 3},
}
"""So that few trials show every searcher at its own work."""

Curve = Mapping[int, float]
Ended = tuple[str, TrialState, Curve]
"""The id of an architecture, how its trial ended, and its accuracies by epoch."""

ONE = {"validation_accuracy": "maximise"}
TWO = ONE | {"macs": "minimise"}


def curve_of(id_: str) -> list[float]:
    return [falling_at_the_end(id_, epoch) for epoch in range(1, EPOCHS + 1)]


def falling_at_the_end(id_: str, epoch: int) -> float:
    """Of some architectures the best epoch is not the last."""
    return accuracy(id_, 3 if epoch == EPOCHS and accuracy(id_, 1) > 0.06 else epoch)


def with_a_store(settings: Config) -> list[Ended]:
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        play(session, EPOCHS, falling_at_the_end)
        history = store.studies.history(session.record.id)
    return [
        (
            trial.architecture_id,
            trial.state,
            {r.epoch: r.validation_accuracy or 0.0 for r in history.curves[trial.id]},
        )
        for trial in history.trials
    ]


def local(settings: Config) -> list[Ended]:
    def objective(architecture: Architecture) -> Iterator[dict[str, float]]:
        yield from ({"validation_accuracy": value} for value in curve_of(architecture.id))

    result = optimize(
        settings.search_space,
        objective,
        settings.searcher.name,
        settings.scheduler.name,
        TRIALS,
        SEED,
        objectives=settings.objectives,
        known=task_of(settings).known,
        fidelities=EPOCHS,
        searcher_options=EARLY.get(settings.searcher.name),
        judged_by=settings.protocol.judged_by,
    )
    return [
        (e.point.id, e.state, {n: v["validation_accuracy"] for n, v in e.curve.items()})
        for e in result.evaluations
    ]


def simulated(settings: Config) -> list[Ended]:
    def training(id_: str) -> Training:
        curve = tuple(curve_of(id_))
        return Training(curve, curve, (1.0,) * EPOCHS, "cpu", None)

    task, names = task_of(settings), (settings.searcher.name, settings.scheduler.name)
    rule, options = settings.protocol.judged_by, EARLY.get(settings.searcher.name)
    method = OwnMethod(task, *names, SEED, rule, options)
    Simulator(method, training, workers=1, budget=1e9, most_trials=TRIALS).run()
    return [
        (
            trial.point.id,
            trial.state,
            {n: v["validation_accuracy"] for n, v in trial.curve.items()},
        )
        for trial in method.study.trials.values()
    ]


EXECUTORS: dict[str, Callable[[Config], list[Ended]]] = {
    "store": with_a_store,
    "local": local,
    "simulated": simulated,
}
PAIRS = [
    (searcher, scheduler, objectives)
    for searcher, scheduler, objectives in product(
        SEARCHERS.built_in, SCHEDULERS.built_in, (ONE, TWO)
    )
    if len(objectives) == 1 or scheduler in ("none", "hyperband", "moasha")
]


@pytest.mark.parametrize(
    ("searcher", "scheduler", "objectives"),
    PAIRS,
    ids=[f"{searcher}-{scheduler}-{len(objectives)}" for searcher, scheduler, objectives in PAIRS],
)
def test_all_executors_make_the_same_study(
    searcher: str, scheduler: str, objectives: dict[str, str], tmp_path: Path
) -> None:
    settings = config(
        tmp_path,
        searcher={"name": searcher} | EARLY.get(searcher, {}),
        scheduler={"name": scheduler},
        protocol=values()["protocol"] | {"epochs": EPOCHS},
        objectives=objectives,
        trials=TRIALS,
        seed=SEED,
    )
    assert_all_make_the_same(settings)


@pytest.mark.parametrize("searcher", ["evolution", "local", "surrogate", "tpe"])
def test_they_do_where_the_best_epoch_counts(searcher: str, tmp_path: Path) -> None:
    settings = config(
        tmp_path,
        searcher={"name": searcher} | EARLY.get(searcher, {}),
        protocol=values()["protocol"] | {"epochs": EPOCHS, "judged_by": "best"},
        trials=TRIALS,
        seed=SEED,
    )
    assert_all_make_the_same(settings)


def assert_all_make_the_same(settings: Config) -> None:
    expected = with_a_store(settings)
    assert len(expected) == TRIALS
    for name, executor in EXECUTORS.items():
        if name != "store":
            assert executor(settings) == expected, name
