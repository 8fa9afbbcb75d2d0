"""What searchers do where a space leads nowhere: no neighbour, no draw, no decision."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from search.objectives import Constraint, Objective, Objectives, objectives_from
from search.searchers import Exhausted, Observation, Task, make_searcher
from search.searchers.evolution import EvolutionSearcher
from search.searchers.optuna_samplers.parameter_encoding import VectorEncoding
from search.searchers.optuna_samplers.tpe import TpeSearcher
from search.searchers.random_search import RandomSearcher, feasible_sample
from search.searchers.surrogate.candidates import Candidates
from search.testing.toy_spaces import Lattice, Node, Point, ToySpace
from search.trial_states import TrialState
from space import Infeasible
from space.errors import InputError, Problem

BOTH = objectives_from({"validation_accuracy": "maximise", "size": "minimise"})


class Lonely(ToySpace):
    """No point has a neighbour."""

    def neighbours(self, point: Point) -> Sequence[Point]:
        return []


class Barren(ToySpace):
    """No draw and no chain of decisions leads to a point."""

    def sample(self, rng: np.random.Generator) -> Point:
        raise Infeasible(["nothing grows here"])

    def walk(self, choose: Callable[[str, tuple[Any, ...], Any], Any]) -> Point:
        choose("first", ("a", "b"), lambda p: p[0])
        raise Infeasible(["nothing grows here"])


class Patchy(Lattice):
    """Every second draw is in vain."""

    def __init__(self) -> None:
        self.draws = 0
        self.found: set[Node] = set()

    def sample(self, rng: np.random.Generator) -> Node:
        self.draws += 1
        if self.draws % 2:
            raise Infeasible(["in vain"])
        point = super().sample(rng)
        self.found.add(point)
        return point


def test_a_parent_without_neighbours_gives_way_to_a_random_point() -> None:
    task: Task[Point] = Task(Lonely())
    searcher = EvolutionSearcher(task, 0, startup=1)
    for point in ToySpace().points()[:3]:
        values = {"validation_accuracy": task.space.encode(point)[-1]}
        searcher.tell(point, Observation(TrialState.COMPLETE, values, {1: values}))
    asked = {searcher.ask(attempt) for attempt in range(30)}
    assert len(asked) > 5
    assert asked <= set(ToySpace().points())


def test_a_space_without_a_point_is_exhausted_for_its_reason() -> None:
    with pytest.raises(Infeasible) as reason:
        Barren().sample(np.random.default_rng(0))
    with pytest.raises(Exhausted, match=f"^{re.escape(str(reason.value))}$"):
        feasible_sample(Task(Barren()), np.random.default_rng(0))
    with pytest.raises(Exhausted, match=f"^{re.escape(str(reason.value))}$"):
        RandomSearcher(Task(Barren()), 0).ask()


def test_a_thousand_draws_that_break_a_bound_are_enough() -> None:
    objectives = Objectives((Objective("a"),), (Constraint("first", upper=-1),))
    task = Task(Lattice(), objectives, lambda point: {"first": float(point[0])})
    with pytest.raises(Exhausted, match=r"^none of 1,000 random points keeps the constraints$"):
        feasible_sample(task, np.random.default_rng(0))


def test_a_hundred_decisions_that_lead_nowhere_are_enough() -> None:
    searcher = TpeSearcher(Task(Barren()), 0)
    words = "100 proposals in a row broke the limits of the space"
    with pytest.raises(Exhausted, match=f"^{words}$"):
        searcher.ask()


def test_the_surrogate_says_that_the_space_finds_no_point() -> None:
    candidates = Candidates(Task(Barren()), 0)
    with pytest.raises(Exhausted, match=r"^the space finds no point$"):
        candidates.encode([])


def test_draws_in_vain_are_passed_over() -> None:
    objectives = Objectives((Objective("a"),), (Constraint("first", upper=-1),))
    space = Patchy()
    # None keeps the bound, so that those count that break it.
    candidates = Candidates(Task(space, objectives, lambda p: {"first": float(p[0])}), 0)
    encoded = candidates.encode([Lattice.top, (0,) * 6])
    assert encoded.shape == (2, 6)
    assert np.isfinite(encoded).all()
    assert (encoded[0] >= encoded[1]).all()

    drawn = Patchy()
    encoding = VectorEncoding(Task(drawn), 0, lambda point: False)
    encoding.grow(0)
    assert set(encoding._candidates) == drawn.found
    assert len(drawn.found) > 100
    before = drawn.draws
    encoding.grow(0)
    assert drawn.draws == before
    assert set(encoding.parameters(Lattice.top)) == {name for name, _, _ in encoding._columns()}


def test_several_objectives_are_refused_by_a_searcher_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(RandomSearcher, "multi_objective", False)
    with pytest.raises(InputError) as caught:
        make_searcher("random", Task(ToySpace(), BOTH), 0)
    message = "'random' takes one objective; got validation_accuracy, size"
    assert caught.value.problems == (Problem("searcher.name", message),)
    make_searcher("random", Task(ToySpace()), 0)
