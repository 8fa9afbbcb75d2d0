"""The contract of searchers, for every searcher."""

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
