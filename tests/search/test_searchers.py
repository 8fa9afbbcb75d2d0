"""The contract of searchers, for every searcher."""

import numpy as np
import pytest

from search.searchers import (
    SEARCHERS,
    DistinctSearcher,
    Exhausted,
    Observation,
    Searcher,
    Task,
    make_searcher,
)
from search.searchers.tpe import TpeSearcher, parameter_name
from space.errors import InputError
from tests.search.toy import Point, ToySpace

SPACE = ToySpace()
TASK = Task(SPACE)


def done(point: Point) -> Observation:
    values = {"validation_accuracy": SPACE.value(point)}
    return Observation("complete", values, {1: values})


def run(searcher: Searcher[Point], trials: int) -> list[Point]:
    asked = []
    for _ in range(trials):
        point = searcher.ask()
        searcher.tell(point, Observation("running"))
        searcher.tell(point, done(point))
        asked.append(point)
    return asked


@pytest.fixture(params=SEARCHERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_point_once_and_then_exhausted(name: str) -> None:
    searcher = make_searcher(name, TASK, 3)
    asked = run(searcher, len(SPACE.points()))
    assert sorted(asked) == sorted(SPACE.points())
    with pytest.raises(Exhausted, match="all 40 points"):
        searcher.ask()


def test_asking_changes_nothing(name: str) -> None:
    searcher = make_searcher(name, TASK, 3)
    run(searcher, 14)
    assert searcher.ask() == searcher.ask()


def test_same_seed_and_history_give_the_same_points(name: str) -> None:
    assert run(make_searcher(name, TASK, 5), 25) == run(make_searcher(name, TASK, 5), 25)
    assert run(make_searcher(name, TASK, 5), 25) != run(make_searcher(name, TASK, 6), 25)


def test_rebuilt_from_history_it_goes_on_as_if_uninterrupted(name: str) -> None:
    whole = run(make_searcher(name, TASK, 7), 30)
    again = make_searcher(name, TASK, 7)
    for point in whole[:17]:
        # What the store knows at the end: one observation for each point.
        again.tell(point, done(point))
    assert run(again, 13) == whole[17:]


def test_points_that_nobody_asked_for_are_not_proposed(name: str) -> None:
    searcher = make_searcher(name, TASK, 0)
    told = SPACE.points()[:38]
    for point in told:
        searcher.tell(point, Observation("running"))
    assert sorted(told + run(searcher, 2)) == sorted(SPACE.points())


@pytest.mark.parametrize("outcome", ["failed", "infeasible", "pruned", "running"])
def test_trials_without_a_value_do_no_harm(name: str, outcome: str) -> None:
    searcher = make_searcher(name, TASK, 1)
    for index in range(25):
        point = searcher.ask()
        observation = (
            done(point) if index % 2 else Observation(outcome)  # type: ignore[arg-type]
        )
        searcher.tell(point, observation)


def test_tpe_finds_better_points_than_random() -> None:
    def best(name: str, seed: int) -> float:
        searcher = make_searcher(name, TASK, seed)
        return max(map(SPACE.value, run(searcher, 20)[10:]))

    seeds = range(6)
    assert np.mean([best("tpe", s) for s in seeds]) > np.mean([best("random", s) for s in seeds])


def test_tpe_avoids_what_was_infeasible() -> None:
    searcher = TpeSearcher(TASK, 0, startup_trials=5)
    for point in SPACE.points():
        if point[0] == "a":
            searcher.tell(point, Observation("infeasible"))
        else:
            searcher.tell(point, done(point))
    asked = [searcher.ask(attempt) for attempt in range(20)]
    assert sum(point[0] == "a" for point in asked) < 5


def test_tpe_looks_back_at_the_best_and_the_latest_only() -> None:
    searcher = TpeSearcher(TASK, 0, startup_trials=5, look_back=20)
    for point in sorted(SPACE.points(), key=SPACE.value, reverse=True):
        searcher.tell(point, done(point))
    study = searcher._study(0)
    values = [trial.value for trial in study.trials]
    everything = sorted(map(SPACE.value, SPACE.points()), reverse=True)
    assert sorted(values, reverse=True) == everything[:5] + everything[-15:]


def test_parameter_names_differ_with_the_options() -> None:
    assert parameter_name("k", (3, 5)) != parameter_name("k", (3, 5, 7))


def test_distinct_falls_back_when_the_inner_searcher_repeats_itself() -> None:
    class Stubborn(Searcher[Point]):
        def ask(self, attempt: int = 0) -> Point:
            return SPACE.points()[0]

        def tell(self, point: Point, observation: Observation) -> None:
            pass

    searcher = DistinctSearcher(Stubborn(TASK, 0))
    first, second = run(searcher, 2)
    assert first == SPACE.points()[0]
    assert second in SPACE.neighbours(first)
    assert len(set(run(searcher, 38))) == 38


def test_distinct_survives_an_exhausted_inner_searcher() -> None:
    class Dry(Searcher[Point]):
        def ask(self, attempt: int = 0) -> Point:
            raise Exhausted("nothing")

        def tell(self, point: Point, observation: Observation) -> None:
            pass

    assert len(set(run(DistinctSearcher(Dry(TASK, 0)), 40))) == 40


def test_unknown_name() -> None:
    with pytest.raises(InputError, match="random, tpe"):
        make_searcher("magic", TASK, 0)
