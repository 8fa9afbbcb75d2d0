"""What `Searcher` promises, as tests that any searcher can be held to."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from search.objectives import Constraint
from search.searchers import SEARCHERS, Exhausted, Observation, Searcher, Task, make_searcher
from search.testing.registered_suite import RegisteredSuite
from search.testing.simulated_study import (
    ENDINGS,
    FIDELITIES,
    SpaceCase,
    ask_until_exhausted,
    play,
    rare_case,
    space_cases,
)
from search.testing.toy_spaces import Corner, Lattice, ToySpace
from search.trial_states import TrialState
from space.errors import InputError

CASES = {case.name: case for case in space_cases()}
TRIALS = 15
_SECONDS = 10.0
"""A suggestion takes no longer in a long study; a bound that only a mistake of order breaks."""

_every_case = pytest.mark.parametrize("case", CASES.values(), ids=str)


class SearcherSuite(RegisteredSuite):
    """The contract of `search.searchers.Searcher`, on spaces of every kind.

    The searcher is held to it as it is used: wrapped by `make_searcher`, so that no point is
    proposed twice.

    Attributes:
        uses_seed: whether another seed asks for other points; a grid need not.
    """

    registry = SEARCHERS
    uses_seed: ClassVar[bool] = True

    def make(self, task: Task[Any], seed: int) -> Searcher[Any]:
        """The searcher with the options of the suite."""
        return make_searcher(self.name, task, seed, self.options)

    @_every_case
    def test_a_study_with_every_kind_of_ending(self, case: SpaceCase) -> None:
        """No point twice, and nothing that was handed in is changed."""
        play(self.make(case.task(), 1), case, TRIALS)

    @pytest.mark.parametrize("space", ["tiny-vision", "conditional", "bare"])
    def test_every_point_once_and_then_exhausted(self, space: str) -> None:
        """A space is searched to its last point, whatever the searcher proposes."""
        case = CASES[space]
        searcher = self.make(case.task(), 3)
        recorded = play(searcher, case, 10)
        asked = recorded.points + ask_until_exhausted(searcher, case, 10)
        assert len({case.space.key(point) for point in asked}) == case.count
        with pytest.raises(Exhausted, match=f"all {case.count} points"):
            searcher.ask()

    @_every_case
    def test_asking_changes_nothing(self, case: SpaceCase) -> None:
        """Only what is told moves a searcher on."""
        searcher = self.make(case.task(), 3)
        play(searcher, case, TRIALS)
        first = searcher.ask()
        for attempt in (3, 0, 1, 20):
            searcher.ask(attempt)
        assert searcher.ask() == first
        assert searcher.ask(3) == searcher.ask(3)

    @_every_case
    def test_the_same_seed_asks_the_same(self, case: SpaceCase) -> None:
        """And another one asks something else."""
        first, again, other = (
            play(self.make(case.task(), seed), case, 11).points for seed in (5, 5, 6)
        )
        assert first == again
        assert not self.uses_seed or first != other

    @_every_case
    def test_told_the_same_it_asks_the_same_at_any_cut(self, case: SpaceCase) -> None:
        """So a study is resumed by telling a new searcher what was told."""
        recorded = play(self.make(case.task(), 7), case, TRIALS)
        for cut, point in recorded.asked[1::5]:
            assert recorded.replay(self.make(case.task(), 7), cut).ask() == point

    @pytest.mark.parametrize("objectives", [2, 3])
    @_every_case
    def test_several_objectives(self, case: SpaceCase, objectives: int) -> None:
        """They are searched, or refused by a searcher that says so."""
        task = case.task(objectives)
        if not SEARCHERS.kind(self.name).multi_objective:
            with pytest.raises(InputError, match="takes one objective"):
                self.make(task, 2)
            return
        searcher = self.make(task, 2)
        recorded = play(searcher, case, TRIALS)
        assert recorded.replay(self.make(task, 2)).ask() == searcher.ask()

    @_every_case
    def test_constraints_on_known_metrics_are_never_broken(self, case: SpaceCase) -> None:
        """What need not be evaluated to be known as infeasible is not proposed."""
        rng = np.random.default_rng(0)
        costs = [case.known(case.space.sample(rng))["cost"] for _ in range(50)]
        task = case.task(1, [Constraint("cost", upper=float(np.quantile(costs, 0.6)))])
        recorded = play(self.make(task, 1), case, 10)
        assert all(task.feasible(point) for point in recorded.points)

    @pytest.mark.parametrize("seed", [0, 4])
    def test_where_one_random_point_in_five_hundred_is_allowed(self, seed: int) -> None:
        """A search for a random point is often in vain there, for some seeds the very first."""
        case = rare_case()
        task = case.task(1, [Constraint("cost", upper=Corner.reach)])
        recorded = play(self.make(task, seed), case, 16)
        assert all(task.feasible(point) for point in recorded.points)
        cut, point = recorded.asked[-3]
        assert recorded.replay(self.make(task, seed), cut).ask() == point

    @pytest.mark.parametrize("objectives", [1, 2])
    @pytest.mark.parametrize("ending", ENDINGS)
    def test_trials_that_all_end_alike(self, ending: TrialState, objectives: int) -> None:
        """Whatever the one end is, the space is searched to its last point."""
        if objectives > 1 and not SEARCHERS.kind(self.name).multi_objective:
            objectives = 1
        case = CASES["tiny-vision"]
        searcher = self.make(case.task(objectives), 1)
        play(searcher, case, TRIALS, endings={ending: 1.0})
        assert len(ask_until_exhausted(searcher, case, TRIALS)) == (case.count or 0) - TRIALS

    def test_points_that_nobody_asked_for_are_not_proposed(self) -> None:
        """Initial points, random ones of a baseline, those of an earlier study."""
        case, points = CASES["conditional"], ToySpace().points()
        searcher = self.make(case.task(), 0)
        for point in points[:38]:
            searcher.tell(point, Observation(TrialState.RUNNING))
        assert sorted(points[:38] + ask_until_exhausted(searcher, case, 38)) == sorted(points)

    def test_a_stopped_point_is_continued_and_ends(self) -> None:
        """A later observation replaces an earlier one, and the point is not proposed again."""
        case = CASES["conditional"]
        searcher = self.make(case.task(), 0)
        recorded = play(searcher, case, TRIALS, endings={TrialState.PRUNED: 1.0})
        for point in recorded.points[:8]:
            curve = {e: case.values(point, e) for e in range(1, FIDELITIES + 1)}
            for state, last in (
                (TrialState.RUNNING, 2),
                (TrialState.RUNNING, 5),
                (TrialState.COMPLETE, FIDELITIES),
            ):
                seen = {e: curve[e] for e in range(1, last + 1)}
                searcher.tell(point, Observation(state, curve[last], seen))
            assert searcher.ask() not in recorded.points

    def test_ten_points_at_once_and_results_in_any_order(self) -> None:
        """Any number of points may run."""
        case = CASES["conditional"]
        recorded = play(self.make(case.task(), 0), case, 35, workers=10)
        for cut, point in recorded.asked[3::8]:
            assert recorded.replay(self.make(case.task(), 0), cut).ask() == point

    def test_values_that_are_not_finite_do_no_harm(self) -> None:
        """Nor do absurd ones."""
        case = CASES["conditional"]
        searcher = self.make(case.task(), 0)
        for index in range(20):
            point = searcher.ask()
            value = {"accuracy": [float("nan"), float("inf"), 0.5, 1e300][index % 4]}
            searcher.tell(point, Observation(TrialState.COMPLETE, value, {1: value}))

    def test_neither_hashes_nor_the_global_generators_matter(self) -> None:
        """Another process hashes texts in another way, and asks for the same points."""
        ours = [repr(point) for point in asked_points(self.name, self.options)]
        here = os.environ.get("PYTHONHASHSEED")
        ran = subprocess.run(
            [sys.executable, "-c", _ELSEWHERE, self.name, json.dumps(dict(self.options))],
            env=os.environ | {"PYTHONHASHSEED": "2" if here == "1" else "1"},
            text=True,
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout.splitlines() == ours

    def test_thousands_of_results_are_no_burden(self) -> None:
        """Suggestions of a study of four thousand points."""
        case = CASES["lattice"]
        searcher = self.make(case.task(), 0)
        rng = np.random.default_rng(0)
        told = {case.space.sample(rng): None for _ in range(6_000)}
        for point in list(told)[:4_000]:
            values = case.values(point)
            searcher.tell(point, Observation(TrialState.COMPLETE, values, {FIDELITIES: values}))
        begun = time.perf_counter()
        for _ in range(5):
            searcher.tell(searcher.ask(), Observation(TrialState.RUNNING))
        assert (time.perf_counter() - begun) / 5 < _SECONDS


class LearnsObjectives(SearcherSuite):
    """Beyond the contract: it finds better points than chance does, on a space easy to climb."""

    def test_learning_beats_chance(self) -> None:
        """By more than half a step of the lattice, at sixty points."""
        case = CASES["lattice"]

        def best(make: Any, seed: int) -> float:
            searcher = make(case.task(), seed)
            played = play(searcher, case, 60, endings={TrialState.COMPLETE: 1.0})
            return max(map(case.accuracy, played.points))

        def at_random(task: Task[Any], seed: int) -> Searcher[Any]:
            return make_searcher("random", task, seed)

        ours, theirs = (
            float(np.mean([best(make, seed) for seed in range(3)]))
            for make in (self.make, at_random)
        )
        assert ours > theirs + 0.7


class LearnsConstraints(SearcherSuite):
    """Beyond the contract: it learns which measured metrics break a constraint, and avoids that."""

    @pytest.mark.parametrize("side", ["upper", "lower"])
    def test_broken_constraints_on_measured_metrics_are_avoided(self, side: str) -> None:
        """The top lies where the load is too large, so the objective alone leads into it."""
        case, most = CASES["lattice"], 10
        assert sum(Lattice.top) > most
        sign = 1 if side == "upper" else -1
        task = case.task(1, [Constraint("load", **{side: sign * most})])
        rng = np.random.default_rng(0)
        chance = np.mean([sum(case.space.sample(rng)) > most for _ in range(1000)])
        broken = []
        for seed in range(2):
            searcher = self.make(task, seed)
            for _ in range(50):
                point = searcher.ask()
                values = {"accuracy": case.accuracy(point), "load": float(sign * sum(point))}
                searcher.tell(point, Observation(TrialState.COMPLETE, values, {}))
                broken.append(sum(point) > most)
        late = np.reshape(broken, (2, 50))[:, 25:].mean()
        assert late < 0.7 * chance


def asked_points(name: str, options: Mapping[str, Any]) -> list[Any]:
    """Those of a small study, for a comparison of two processes."""
    case = CASES["conditional"]
    return play(make_searcher(name, case.task(), 4, options), case, 20).points


_ELSEWHERE = """
import json, random, sys
import numpy as np
random.seed(1); np.random.seed(1)
from search.testing.searcher_suite import asked_points
print(*map(repr, asked_points(sys.argv[1], json.loads(sys.argv[2]))), sep="\\n")
"""
