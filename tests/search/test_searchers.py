"""The contract of searchers, for every searcher, and the wrapper that makes points distinct."""

import importlib
import sys
from typing import Any

import numpy as np
import pytest

from search.objectives import Constraint
from search.searchers import (
    SEARCHERS,
    DistinctSearcher,
    Exhausted,
    Observation,
    Searcher,
    Task,
    make_searcher,
)
from search.searchers.evolution import EvolutionSearcher
from search.searchers.local_search import LocalSearcher
from search.searchers.random_search import RandomSearcher
from search.testing import LearnsConstraints, LearnsObjectives, SearcherSuite
from search.testing.searcher_suite import CASES
from search.testing.simulated_study import rare_case
from search.testing.toy_spaces import LETTERS, Lattice, Node, Point, ToySpace
from search.trial_states import TrialState
from space.errors import InputError


class TestRandom(SearcherSuite):
    name = "random"


class TestTpe(LearnsObjectives):
    name = "tpe"


class TestNsga2(LearnsObjectives):
    name = "nsga2"
    options = {"population": 10}  # noqa: RUF012 - so that few trials go beyond the first generation


@pytest.mark.thorough
class TestGp(LearnsObjectives):
    name = "gp"

    EXACT = frozenset(
        {
            "test_neither_hashes_nor_the_global_generators_matter",  # in another process
            "test_thousands_of_results_are_no_burden",
        }
    )
    """What is asked of the sampler as it comes."""

    @pytest.fixture(autouse=True)
    def coarse_in_this_process(self, request: pytest.FixtureRequest) -> None:
        if request.function.__name__ not in self.EXACT:
            request.getfixturevalue("coarse_gp")


class TestEvolution(LearnsObjectives, LearnsConstraints):
    name = "evolution"


class TestLocal(LearnsObjectives, LearnsConstraints):
    name = "local"


class TestSurrogate(LearnsObjectives):
    name = "surrogate"

    WHOLE = frozenset(
        {
            "test_neither_hashes_nor_the_global_generators_matter",  # in another process
            "test_thousands_of_results_are_no_burden",
            "test_learning_beats_chance",
        }
    )
    """What is asked of the searcher as it comes."""

    @pytest.fixture(autouse=True)
    def small_in_this_process(self, request: pytest.FixtureRequest) -> None:
        if request.function.__name__ not in self.WHOLE:
            request.getfixturevalue("small_reservoir")


@pytest.mark.thorough
class TestSurrogateAsItComes(LearnsConstraints):
    """With all its candidates, everywhere."""

    name = "surrogate"


def test_every_searcher_is_held_to_the_contract() -> None:
    suites = (TestRandom, TestTpe, TestNsga2, TestGp, TestEvolution, TestLocal, TestSurrogate)
    assert sorted(suite.name for suite in suites) == sorted(SEARCHERS.built_in)


def test_the_suites_say_that_they_need_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytest", None)
    monkeypatch.delitem(sys.modules, "search.testing")
    with pytest.raises(ImportError, match=r"search\.testing needs pytest, .*pip install pytest"):
        importlib.import_module("search.testing")


# Evolution


def told_in_turn(searcher: Searcher[Any], points: list[Any], accuracy: Any) -> None:
    for point in points:
        searcher.tell(point, Observation(TrialState.RUNNING))
        searcher.tell(point, Observation(TrialState.COMPLETE, {"accuracy": accuracy(point)}))


def test_old_points_leave_the_population_however_good_they_are() -> None:
    """A lucky value of long ago has no children any more: they are neighbours of the last four."""
    case = CASES["lattice"]
    searcher = EvolutionSearcher(
        case.task(), 0, population=4, tournament=4, startup=1, two_moves=0.0
    )
    old, young = (0, 0, 0, 0, 0, 0), [(4, 4, 4, 4, 4, n) for n in range(4)]
    told_in_turn(searcher, [old], lambda point: 1.0)
    assert {searcher.ask(n) for n in range(20)} <= set(Lattice().neighbours(old))
    told_in_turn(searcher, young[:3], lambda point: 0.1 * point[-1])
    assert {searcher.ask(n) for n in range(20)} <= set(Lattice().neighbours(old)), "still among 4"
    told_in_turn(searcher, young[3:], lambda point: 0.1 * point[-1])
    assert {searcher.ask(n) for n in range(20)} <= set(Lattice().neighbours(young[3]))


def test_a_point_has_the_age_of_its_end() -> None:
    """Asked for first and ended last it is the youngest; a repeated end changes nothing."""
    case = CASES["lattice"]
    searcher = EvolutionSearcher(
        case.task(), 0, population=2, tournament=2, startup=1, two_moves=0.0
    )
    slow, others = (0, 0, 0, 0, 0, 0), [(4, 4, 4, 4, 4, n) for n in range(3)]
    searcher.tell(slow, Observation(TrialState.RUNNING))
    told_in_turn(searcher, others[:2], lambda point: 0.5)
    told_in_turn(searcher, [slow], lambda point: 1.0)
    for _ in range(3):
        searcher.tell(others[1], Observation(TrialState.COMPLETE, {"accuracy": 0.5}))
    assert {searcher.ask(n) for n in range(20)} <= set(Lattice().neighbours(slow))


# The wrapper that lets nothing be proposed twice


def run(searcher: Searcher[Point], trials: int) -> list[Point]:
    asked = []
    for _ in range(trials):
        asked.append(searcher.ask())
        searcher.tell(asked[-1], Observation(TrialState.RUNNING))
    return asked


def test_distinct_falls_back_when_the_inner_searcher_repeats_itself() -> None:
    class Stubborn(Searcher[Point]):
        def ask(self, attempt: int = 0) -> Point:
            return SPACE.points()[0]

        def tell(self, point: Point, observation: Observation) -> None:
            pass

    searcher = DistinctSearcher(Stubborn(Task(SPACE), 0))
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

    assert len(set(run(DistinctSearcher(Dry(Task(SPACE), 0)), 40))) == 40


@pytest.mark.parametrize("seed", range(4))
def test_distinct_does_not_give_up_after_one_search_for_a_first_point(seed: int) -> None:
    few = rare_case().task(
        1, [Constraint("cost", upper=2)]
    )  # 6 of 22,500: most searches are in vain
    assert few.feasible(make_searcher("random", few, seed).ask())


def test_what_is_asked_without_an_attempt_is_the_first() -> None:
    random = RandomSearcher(Task(SPACE), 3)
    assert random.ask() == random.ask(0)
    assert len({random.ask(attempt) for attempt in range(8)}) > 1


@pytest.mark.parametrize("name", SEARCHERS.built_in)
def test_where_the_known_metrics_leave_little_that_little_is_found(name: str) -> None:
    def size(point: Point) -> dict[str, float]:
        return {"size": float(LETTERS.index(point[0]) + LETTERS.index(point[1]) + point[2])}

    objectives = CASES["conditional"].task(1, [Constraint("size", upper=1)]).objectives
    searcher = make_searcher(name, Task(SPACE, objectives, size), 0)
    with pytest.raises(Exhausted):
        run(searcher, 41)
    wanted = sorted(point for point in SPACE.points() if size(point)["size"] <= 1)
    assert sorted(searcher._known.values()) == wanted  # type: ignore[attr-defined]


SPACE = ToySpace()


def test_unknown_name() -> None:
    with pytest.raises(InputError, match="'random', 'tpe'"):
        make_searcher("magic", Task(SPACE), 0)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("evolution", {"population": 0}),
        ("evolution", {"population": 3, "tournament": 4}),
        ("evolution", {"two_moves": 1.5}),
        ("local", {"startup": 0}),
        ("surrogate", {"startup": 1}),
        ("surrogate", {"start": 3}),
    ],
)
def test_options_that_cannot_be(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        make_searcher(name, Task(SPACE), 0, options)


def test_local_search_goes_to_a_new_best_when_a_hundredth_of_the_points_have_news() -> None:
    """Until then the order is that of before, so that thousands of points stay cheap."""
    rng = np.random.default_rng(0)
    far = [(0, 0, *map(int, rest)) for rest in np.ndindex(5, 5, 5, 5)][:250]
    best: Node = (4, 4, 4, 4, 4, 4)
    searcher = LocalSearcher(Task(Lattice()), 0)
    for point in far:
        searcher.tell(point, complete(rng.uniform(0, 0.5)))
    assert not is_beside(searcher.ask(), best)
    searcher.tell(best, complete(0.9))
    others = [(0, 1, 0, 0, 0, digit) for digit in range(3)]
    for point in others[:1]:
        searcher.tell(point, Observation(TrialState.RUNNING))  # no news
        searcher.tell(point, complete(0.1))
    assert not is_beside(searcher.ask(), best)  # 2 of 252 have news
    searcher.tell(others[1], complete(0.1))
    assert is_beside(searcher.ask(), best)


def complete(accuracy: float) -> Observation:
    return Observation(TrialState.COMPLETE, {"validation_accuracy": accuracy})


def is_beside(one: Node, other: Node) -> bool:
    return sum(abs(x - y) for x, y in zip(one, other, strict=True)) == 1
