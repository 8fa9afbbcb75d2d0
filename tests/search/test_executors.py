"""Whoever runs the trials: the same points are asked, the same decisions fall, all end alike.

A session in a store without Ray, the loop in this process and the simulated clock, one trial at a
time, on a made-up training that depends on the architecture and the epoch alone. Workers of Ray:
`test_executors_on_ray.py`.
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
from search.driver.assignment import Report
from search.driver.session import StudySession
from search.driver.study_setup import task_of
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS
from search.store import open_store
from search.trial_states import TrialState
from space import Architecture
from tests.search.driving import begin, epoch
from tests.search.made_up_training import EPOCHS, Broken, accuracies_of
from tests.search.small import config, values
from trainers import Cause, Failure

pytestmark = pytest.mark.usefixtures("coarse_gp", "small_reservoir")

TRIALS, SEED = 10, 5
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


def with_a_store(settings: Config) -> list[Ended]:
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        while (assignment := session.next_assignment()) is not None:
            train(session, assignment.trial.number, accuracies_of(assignment.architecture.id))
    return ended_in_the_store(settings)


def train(session: StudySession, number: int, accuracies: list[float]) -> None:
    """Play a worker."""
    session.started(number)
    for index, accuracy in enumerate(accuracies, 1):
        report = Report((epoch(index, accuracy),), complete=index == EPOCHS)
        if session.reported(number, report).stop and not report.complete:
            return session.ended(number, Report())
    if not report.complete:
        report = Report(failure=Failure(Cause.CODE, "it broke off"))
    return session.ended(number, report)


def ended_in_the_store(settings: Config) -> list[Ended]:
    with open_store(settings.store, create=False) as store:
        history = store.studies.history(store.studies.get(settings.study).id)
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
        accuracies = accuracies_of(architecture.id)
        yield from ({"validation_accuracy": value} for value in accuracies)
        if len(accuracies) < EPOCHS:
            raise Broken("it was made up so")

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
        curve = tuple(accuracies_of(id_))
        broken = None if len(curve) == EPOCHS else "it broke off"
        return Training(curve, curve, (1.0,) * EPOCHS, "cpu", broken)

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


def name_of(value: object) -> str:
    return str(len(value)) if isinstance(value, dict) else str(value)


def settings_of(
    folder: Path, searcher: str, scheduler: str, objectives: dict[str, str], judged_by: str = "last"
) -> Config:
    return config(
        folder,
        searcher={"name": searcher} | EARLY.get(searcher, {}),
        scheduler={"name": scheduler},
        protocol=values()["protocol"] | {"epochs": EPOCHS, "judged_by": judged_by},
        objectives=objectives,
        trials=TRIALS,
        seed=SEED,
        resources={"cpus_per_trial": 1, "concurrent_trials": 1},
        stop_after_same_failures=None,
    )


MARKED = [
    pytest.param(*pair, marks=[pytest.mark.thorough] if pair[0] == "gp" else []) for pair in PAIRS
]
"""All that is Optuna's is asked in the same way, and its Gaussian process takes longest."""


@pytest.mark.parametrize(("searcher", "scheduler", "objectives"), MARKED, ids=name_of)
def test_all_executors_make_the_same_study(
    searcher: str, scheduler: str, objectives: dict[str, str], tmp_path: Path
) -> None:
    assert_all_make_the_same(settings_of(tmp_path, searcher, scheduler, objectives))


@pytest.mark.parametrize("searcher", ["evolution", "local", "surrogate", "tpe"])
def test_they_do_where_the_best_epoch_counts(searcher: str, tmp_path: Path) -> None:
    assert_all_make_the_same(settings_of(tmp_path, searcher, "median", ONE, "best"))


def assert_all_make_the_same(settings: Config) -> None:
    expected = with_a_store(settings)
    assert len(expected) == TRIALS
    for name, executor in EXECUTORS.items():
        if name != "store":
            assert executor(settings) == expected, name


def test_the_made_up_trainings_are_of_every_kind() -> None:
    """Else the tests above would say less than they seem to."""
    settings = [settings_of(Path(), "random", "median", ONE, rule) for rule in ("last", "best")]
    last, best = map(local, settings)
    assert {state for _, state, _ in last + best} == {
        TrialState.COMPLETE,
        TrialState.PRUNED,
        TrialState.FAILED,
    }
    whole = [curve for _, state, curve in last if state == TrialState.COMPLETE]
    assert any(max(curve.values()) > curve[EPOCHS] for curve in whole)
