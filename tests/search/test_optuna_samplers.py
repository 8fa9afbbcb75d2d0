"""What the searchers behind Optuna do beyond the contract of all searchers."""

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from search.objectives import Constraint, Objective, Objectives, objectives_from
from search.searchers import Observation, Searcher, Task, make_searcher
from search.searchers.optuna_samplers.frozen_trials import impute_parameters, to_frozen_trial
from search.searchers.optuna_samplers.gp import GpSearcher
from search.searchers.optuna_samplers.nsga2 import Nsga2Searcher
from search.searchers.optuna_samplers.optuna_searcher import OptunaSearcher
from search.searchers.optuna_samplers.parameter_encoding import parameter_name
from search.searchers.optuna_samplers.tpe import TpeSearcher
from search.testing.toy_spaces import Point, ToySpace
from search.trial_states import TrialState
from space.errors import InputError
from tests.support.thorough import thorough_but

pytestmark = pytest.mark.usefixtures("coarse_gp")

SPACE = ToySpace()
TASK = Task(SPACE)
BOTH = objectives_from({"validation_accuracy": "maximise", "size": "minimise"})
KINDS = (TpeSearcher, Nsga2Searcher, GpSearcher)


class Grid:
    """The points (x, y) of a grid of 20 by 20, with nothing but what every space must have."""

    def sample(self, rng: np.random.Generator) -> tuple[int, int]:
        return int(rng.integers(20)), int(rng.integers(20))

    def neighbours(self, point: tuple[int, int]) -> Sequence[tuple[int, int]]:
        x, y = point
        moves = [(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)]
        return [move for move in moves if all(0 <= each < 20 for each in move)]

    def key(self, point: tuple[int, int]) -> tuple[int, int]:
        return point

    def encode(self, point: tuple[int, int]) -> Sequence[float]:
        return [float(point[0]), float(point[1]), 1.0]


def values(point: Point) -> dict[str, float]:
    return {"validation_accuracy": SPACE.value(point), "size": float(point[2])}


def done(point: Point) -> Observation:
    return Observation(TrialState.COMPLETE, values(point), {1: values(point)})


# Every sampler


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outcome", [TrialState.INFEASIBLE, TrialState.FAILED])
def test_what_was_bad_is_avoided(kind: type[OptunaSearcher[Point]], outcome: TrialState) -> None:
    searcher = kind(TASK, 0, **({"population": 8} if kind is Nsga2Searcher else {}))
    for point in SPACE.points():
        bad = point[0] == "a" and point[2] != 5
        searcher.tell(point, Observation(outcome) if bad else done(point))
    asked = [SPACE.sample(np.random.default_rng(i)) for i in range(40)]
    at_random = np.mean([p[0] == "a" and p[2] != 5 for p in asked])
    if kind is not GpSearcher:  # it proposes new points only, and here all are known
        asked = [searcher.ask(attempt) for attempt in range(20)]
        assert np.mean([p[0] == "a" and p[2] != 5 for p in asked]) < at_random


@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_constraint_is_worse_than_any_value(kind: type[OptunaSearcher[Point]]) -> None:
    constraint = Constraint("size", upper=2.0)
    objectives = Objectives((Objective("validation_accuracy"),), (constraint,))
    searcher = kind(
        Task(SPACE, objectives), 0, **({"population": 8} if kind is Nsga2Searcher else {})
    )
    for point in SPACE.points()[::2]:
        searcher.tell(point, done(point))
    for trial, point in zip(searcher.study().trials, SPACE.points()[::2], strict=False):
        if kind is not Nsga2Searcher:
            amount = (point[2] - 2.0) / 2.0
            assert trial.constraints == {"size at most": amount}
    if kind is Nsga2Searcher:
        assert all(max(t.constraints.values()) <= 0 for t in searcher.study().trials)
    else:
        asked = [searcher.ask(attempt) for attempt in range(6)]
        assert sum(point[2] > 2 for point in asked) <= 3


def test_exact_metric_are_no_business_of_the_sampler() -> None:
    constraint = Constraint("size", upper=2.0)
    objectives = Objectives(
        (Objective("validation_accuracy"), Objective("size", "minimise")), (constraint,)
    )
    task = Task(SPACE, objectives, known=lambda point: {"size": float(point[2])})
    searcher = TpeSearcher(task, 0)
    searcher.tell(("a", "b", 1), Observation(TrialState.COMPLETE, {"validation_accuracy": 0.5}))
    searcher.tell(("a", "b", 5), Observation(TrialState.COMPLETE, {"validation_accuracy": 0.9}))
    kept, broken = searcher.study().trials
    assert (kept.values, kept.constraints) == ([0.5, -1.0], {})
    assert (broken.state, broken.values) == (OptunaState.PRUNED, None)


def test_a_metric_that_is_no_number_breaks_its_constraint() -> None:
    objectives = Objectives(
        (Objective("validation_accuracy"),), (Constraint("latency", upper=1.0),)
    )
    searcher = TpeSearcher(Task(SPACE, objectives), 0)
    nan = {"validation_accuracy": 0.5, "latency": math.nan}
    searcher.tell(("a", "b", 1), Observation(TrialState.COMPLETE, nan))
    assert searcher.study().trials[0].constraints["latency at most"] > 1000


@pytest.mark.parametrize("kind", thorough_but(KINDS, lambda kind: kind is not GpSearcher))
def test_two_objectives_beat_random_points(kind: type[OptunaSearcher[Point]]) -> None:
    """Both objectives agree that the first letter is "a" and the second "e"."""
    options = {"population": 8} if kind is Nsga2Searcher else {"startup_trials": 8}
    objectives = objectives_from({"validation_accuracy": "maximise", "other": "minimise"})
    scores = []
    for seed in range(3):
        searcher = make_searcher(
            {TpeSearcher: "tpe", Nsga2Searcher: "nsga2", GpSearcher: "gp"}[kind],
            Task(SPACE, objectives),
            seed,
            options,
        )
        for index in range(20):
            point = searcher.ask()
            metrics = {"validation_accuracy": SPACE.value(point), "other": -SPACE.value(point)}
            searcher.tell(point, Observation(TrialState.COMPLETE, metrics))
            scores += [SPACE.value(point)] if index >= 8 else []
    assert np.mean(scores) > np.mean([SPACE.value(point) for point in SPACE.points()])


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("tpe", {"startup_trials": "ten"}, "startup_trials: must be an integer, not text"),
        ("tpe", {"history_window": 1}, "history_window: must be at least 20; got 1"),
        ("tpe", {"candidates": 0}, "candidates"),
        (
            "nsga2",
            {"population": 1},
            "population: must be at least 2; got 1",
        ),
        ("nsga2", {"mutation": 1.5}, "mutation: must be at most 1; got 1.5"),
        ("gp", {"startup_trials": True}, "startup_trials"),
        ("gp", {"candidates": 3}, "unknown option of 'gp'"),
    ],
)
def test_bad_options(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_searcher(name, TASK, 0, options)


OUTCOMES = (
    TrialState.RUNNING,
    *3 * (TrialState.COMPLETE,),
    TrialState.PRUNED,
    TrialState.FAILED,
    TrialState.INFEASIBLE,
)


@pytest.mark.parametrize("space", [ToySpace(), Grid()], ids=["decisions", "encoding"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_depends_on_what_was_asked_before(kind: Any, space: Any) -> None:
    """Whatever is told in whatever order, and however often an end is revised."""
    rng = np.random.default_rng(4)
    objectives = Objectives(BOTH.objectives, (Constraint("latency", upper=0.7),))
    options: dict[str, Any] = {"population": 6} if kind is Nsga2Searcher else {"history_window": 20}
    nosy, quiet = (kind(Task(space, objectives), 1, **options) for _ in range(2))
    points = [space.sample(rng) for _ in range(30)]
    for step in range(60):
        point = points[int(rng.integers(len(points)))]
        metrics = {name: float(rng.random()) for name in ("validation_accuracy", "size", "latency")}
        outcome = OUTCOMES[int(rng.integers(len(OUTCOMES)))]
        observation = Observation(outcome, metrics, {1: metrics})
        nosy.tell(point, observation)
        quiet.tell(point, observation)
        if step in (20, 40):
            nosy.ask(step)
    assert nosy.ask() == nosy.ask() == quiet.ask()


def asked_by_each() -> list[str]:
    """What every one of Optuna's samplers asks for in a small study, for two processes."""
    few: dict[str, Any] = {"startup_trials": 5}
    asked = []
    for name, options in {"tpe": few, "nsga2": {"population": 5}, "gp": few}.items():
        searcher = make_searcher(name, Task(SPACE, BOTH), 0, options)
        for _ in range(10):
            point = searcher.ask()
            asked.append(f"{name} {SPACE.key(point)}")
            searcher.tell(point, Observation(TrialState.COMPLETE, values(point)))
    return asked


ASKS = """
from tests.search.test_optuna_samplers import asked_by_each
print(*asked_by_each(), sep="\\n")
"""


@pytest.mark.thorough
def test_the_order_of_sets_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process hashes strings in another way, and asks for the same points."""
    monkeypatch.undo()  # the other one has Optuna's process as it comes, none that is coarse
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    ran = subprocess.run(
        [sys.executable, "-c", ASKS],
        env={**os.environ, "PYTHONHASHSEED": seed},
        text=True,
        capture_output=True,
    )
    assert ran.returncode == 0, ran.stderr
    ours = asked_by_each()
    assert len(ours) == 30
    assert ran.stdout.splitlines() == ours


# TPE


def test_tpe_finds_better_points_than_random() -> None:
    def best(name: str, seed: int) -> float:
        searcher = make_searcher(name, TASK, seed)
        found = []
        for _ in range(20):
            found.append(searcher.ask())
            searcher.tell(found[-1], done(found[-1]))
        return max(map(SPACE.value, found[10:]))

    seeds = range(6)
    assert np.mean([best("tpe", s) for s in seeds]) > np.mean([best("random", s) for s in seeds])


def test_a_long_history_is_cut_to_the_best_and_the_latest() -> None:
    searcher = TpeSearcher(TASK, 0, history_window=20)
    ordered = sorted(SPACE.points(), key=SPACE.value, reverse=True)
    for point in ordered:
        searcher.tell(point, done(point))
    shown = [trial.value for trial in searcher.study().trials]
    everything = [SPACE.value(point) for point in ordered]
    assert len(shown) == 20
    best = sum(value in everything[:5] for value in shown)
    assert 2 <= best <= 5
    assert shown[best:] == everything[-(20 - best) :]


def test_a_pruned_point_is_shown_with_its_curve_and_a_running_one_without() -> None:
    searcher = TpeSearcher(TASK, 0)
    curve = {1: {"validation_accuracy": 0.25}, 2: {"validation_accuracy": 0.5}}
    searcher.tell(("a", "b", 1), Observation(TrialState.PRUNED, curve[2], curve))
    searcher.tell(("a", "b", 2), Observation(TrialState.RUNNING, {}, curve))
    pruned, running = searcher.study().trials
    assert pruned.state == OptunaState.PRUNED
    assert pruned.intermediate_values == {1: 0.25, 2: 0.5}
    assert (running.state, running.intermediate_values) == (OptunaState.RUNNING, {})


def test_parameter_names_differ_with_the_options() -> None:
    assert parameter_name("k", (3, 5)) != parameter_name("k", (3, 5, 7))


# NSGA-II


def optunas_own(points: Sequence[Point], population: int) -> set[Point]:
    """The parents that Optuna's sampler takes when it ran the whole study itself."""
    sampler = optuna.samplers.NSGAIISampler(population_size=population, seed=0)
    study = optuna.create_study(directions=["maximize", "maximize"], sampler=sampler)
    for point in points:
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        study.tell(trial, BOTH.vector(values(point)))
    generation = len(points) // population
    chosen = sampler.get_parent_population(study, generation)
    return {points[trial.number] for trial in chosen}


@pytest.mark.parametrize("count", [10, 20, 30, 39])
def test_the_parents_are_those_of_an_uninterrupted_study_in_optuna(count: int) -> None:
    points = [SPACE.points()[i] for i in np.random.default_rng(2).permutation(40)][:count]
    searcher = Nsga2Searcher(Task(SPACE, BOTH), 0, population=10)
    for point in points:
        searcher.tell(point, done(point))
    shown = {tuple(trial.values) for trial in searcher.study().trials}
    assert len(searcher.study().trials) == 10
    assert shown == {BOTH.vector(values(point)) for point in optunas_own(points, 10)}


def test_children_inherit_from_the_parents() -> None:
    searcher = Nsga2Searcher(TASK, 0, population=6, mutation=0.0, crossover=1.0)
    parents = [("a", second, digit) for second in "bc" for digit in (1, 2, 3)]
    for point in parents:
        searcher.tell(point, done(point))
    assert {searcher.ask(attempt) for attempt in range(30)} <= set(parents)


def test_parents_have_the_same_parameters_and_keep_their_own() -> None:
    searcher = TpeSearcher(TASK, 0)
    for point in (("a", "b", 1), ("b", "c", 0), ("c", "a", 0)):
        searcher.tell(point, done(point))
    before: list[FrozenTrial] = searcher.study().trials
    after = impute_parameters(before, 3)
    assert len({tuple(sorted(trial.params)) for trial in before}) == 2
    assert len({tuple(sorted(trial.params)) for trial in after}) == 1
    for one, other in zip(before, after, strict=True):
        assert one.params.items() <= other.params.items()


def test_a_point_that_runs_again_is_no_parent_until_it_is_complete_again() -> None:
    searcher = Nsga2Searcher(TASK, 0, population=4)
    points = SPACE.points()[:4]
    for point in points:
        searcher.tell(point, done(point))
    searcher.tell(points[0], Observation(TrialState.RUNNING))
    assert len(searcher.study().trials) == 3
    searcher.tell(points[0], done(points[0]))
    assert len(searcher.study().trials) == 4


# The Gaussian process, and spaces without decisions


def test_what_did_not_complete_is_as_bad_as_the_worst_that_did() -> None:
    objectives = objectives_from({"validation_accuracy": "maximise", "size": "minimise"})
    task = Task(SPACE, objectives, known=lambda point: {"size": float(point[2])})
    searcher = GpSearcher(task, 0)
    searcher.tell(("a", "b", 1), Observation(TrialState.COMPLETE, {"validation_accuracy": 0.5}))
    searcher.tell(("a", "b", 2), Observation(TrialState.COMPLETE, {"validation_accuracy": 0.75}))
    searcher.tell(("a", "b", 3), Observation(TrialState.FAILED))
    searcher.tell(("a", "b", 4), Observation(TrialState.RUNNING))
    shown = [(trial.state, trial.values) for trial in searcher.study().trials]
    assert shown[2] == (OptunaState.COMPLETE, [0.5, -3.0])
    assert shown[3] == (OptunaState.RUNNING, None)


def closeness(point: tuple[int, int]) -> float:
    return -math.hypot(point[0] - 13, point[1] - 6)


@pytest.mark.parametrize("name", thorough_but(["tpe", "nsga2", "gp"], lambda name: name != "gp"))
def test_a_space_without_decisions_is_searched_by_its_encoding(name: str) -> None:
    options = {"population": 8} if name == "nsga2" else {"startup_trials": 8}

    def run(chosen: str, seed: int) -> list[tuple[int, int]]:
        searcher: Searcher[tuple[int, int]] = make_searcher(
            chosen, Task(Grid()), seed, options if chosen == name else {}
        )
        asked = []
        for _ in range(32):
            asked.append(searcher.ask())
            accuracy = {"validation_accuracy": closeness(asked[-1])}
            searcher.tell(asked[-1], Observation(TrialState.COMPLETE, accuracy))
        assert len(set(asked)) == 32
        return asked[16:]

    seeds = range(3)
    ours = [closeness(point) for seed in seeds for point in run(name, seed)]
    theirs = [closeness(point) for seed in seeds for point in run("random", seed)]
    assert np.mean(ours) > np.mean(theirs) + 1


def test_only_new_points_that_keep_the_constraints_are_snapped_to() -> None:
    objectives = Objectives((Objective("validation_accuracy"),), (Constraint("x", upper=9.0),))
    task = Task(Grid(), objectives, known=lambda point: {"x": float(point[0])})
    searcher = GpSearcher(task, 0, startup_trials=5)
    known = [(x, y) for x in range(5) for y in range(0, 20, 4)]
    for point in known:
        searcher.tell(
            point, Observation(TrialState.COMPLETE, {"validation_accuracy": closeness(point)})
        )
    asked = [searcher.ask(attempt) for attempt in range(4)]
    assert not set(asked) & set(known)
    assert max(x for x, _ in asked) <= 9


def test_the_ranges_grow_with_points_that_lie_outside() -> None:
    searcher = GpSearcher(Task(Grid()), 0)
    first = replace(Observation(TrialState.COMPLETE), values={"validation_accuracy": 0.0})
    searcher.tell((3, 3), first)
    searcher.tell((30, -7), first)
    for trial in searcher.study().trials:
        ranges = [(d.low, d.high) for d in trial.distributions.values()]  # type: ignore[attr-defined]
        assert ranges == [(3.0, 30.0), (-7.0, 3.0), (1.0, 1.0)]


@pytest.mark.parametrize("state", [TrialState.PRUNED, TrialState.FAILED, TrialState.COMPLETE])
def test_constraints_are_told_of_every_trial_that_has_ended(state: TrialState) -> None:
    wanted = Objectives((Objective("a"),), (Constraint("size", upper=2.0),))
    task: Task[Any] = Task(SPACE, wanted)
    seen = Observation(state, {"a": 0.5, "size": 3.0}, {1: {"a": 0.5, "size": 3.0}})
    trial = to_frozen_trial(task, SPACE.points()[0], seen, {})
    assert list(trial.constraints.values()) == [pytest.approx(0.5)]
    assert trial.intermediate_values == ({1: 0.5} if state is TrialState.PRUNED else {})
    without = replace(seen, values={"size": 3.0})
    trial = to_frozen_trial(task, SPACE.points()[0], without, {})
    assert (trial.state, trial.intermediate_values) == (OptunaState.PRUNED, {})
    assert list(trial.constraints.values()) == [pytest.approx(0.5)]
