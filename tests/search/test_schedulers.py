"""The contract of schedulers, for every scheduler, and each rule against its slow twin."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.objectives import Constraint, Fronts, Objective, Objectives, nondominated_ranks
from search.schedulers import SCHEDULERS, Hyperband, Moasha, Scheduler, make_scheduler
from search.schedulers.rung_ranking import (
    ParetoRanking,
    SingleObjectiveRanking,
    place_in_front,
)
from search.testing import SchedulerSuite
from search.testing.scheduler_suite import (
    EPOCHS,
    ONE,
    TWO,
    SchedulerCase,
    decisions,
    random_reports,
)
from space.errors import InputError
from tests.search import rules

THREE = Objectives((*TWO, Objective("memory", "minimise")))
BOUND = (Constraint("latency", upper=1.0), Constraint("macs", upper=6.0, lower=1.0))


class Places(SchedulerSuite):
    """What ours say of a trial that they stop."""

    def test_a_reason_says_the_place_of_how_many_when_and_what_went_on(
        self, case: SchedulerCase
    ) -> None:
        for decision in decisions(case.make(), random_reports(6)):
            if not decision.stop:
                continue
            words = decision.reason.split()
            assert words[0] == "place"
            assert words[2] == "of"
            assert 1 < int(words[1]) <= int(words[3])
            assert "after" in words
            assert "went on" in decision.reason
            assert f"({case.name}" in decision.reason


HALVING = ({}, {"grace_epochs": 2, "reduction_factor": 2})


class TestNone(SchedulerSuite):
    name = "none"
    stops = False


class TestMedian(Places):
    name = "median"
    variants = ({}, {"grace_epochs": 3, "min_trials": 1})


class TestAsha(Places):
    name = "asha"
    variants = HALVING


class TestMoasha(Places):
    name = "moasha"
    variants = HALVING


class TestHyperband(Places):
    name = "hyperband"
    variants = HALVING
    spares_some = True


SUITES = (TestNone, TestMedian, TestAsha, TestMoasha, TestHyperband)


def test_every_scheduler_is_held_to_the_contract() -> None:
    assert sorted(suite.name for suite in SUITES) == sorted(SCHEDULERS.built_in)


# Against the rules, slow and obvious

METRICS = st.fixed_dictionaries(
    {
        "accuracy": st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]) | st.just(float("nan")),
        "macs": st.sampled_from([0.0, 1.0, 2.0, 5.0, 9.0]),
        "memory": st.sampled_from([1.0, 2.0, 3.0]),
        "latency": st.sampled_from([0.5, 1.0, 1.5, 3.0]),
    }
)
OBJECTIVES = st.builds(
    lambda objectives, constraints: Objectives(tuple(objectives), constraints),
    st.sampled_from([ONE, TWO, THREE]),
    st.sampled_from([(), BOUND]),
)
REPORTS = st.lists(st.tuples(st.integers(0, 12), st.integers(1, EPOCHS), METRICS), max_size=50)


def stops(scheduler: Scheduler, reports: list[rules.Report]) -> list[bool]:
    return [scheduler.report(*report).stop for report in reports]


@settings(deadline=None, max_examples=200)
@given(OBJECTIVES, REPORTS, st.integers(1, 4), st.integers(2, 4))
def test_halving_follows_the_rule(
    objectives: Objectives, reports: list[rules.Report], grace: int, factor: int
) -> None:
    scheduler = Moasha(objectives, EPOCHS, grace_epochs=grace, reduction_factor=factor)
    rungs = [grace * factor**i for i in range(9) if grace * factor**i < EPOCHS]
    assert list(scheduler.rungs) == rungs
    expected = rules.halving(objectives, EPOCHS, rungs, factor, reports)
    assert stops(scheduler, reports) == expected


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([(), BOUND]), REPORTS, st.integers(2, 4))
def test_with_one_objective_moasha_is_asha(
    constraints: tuple[Constraint, ...], reports: list[rules.Report], factor: int
) -> None:
    objectives = Objectives(tuple(ONE), constraints)
    options = {"reduction_factor": factor}
    asha, moasha = (make_scheduler(n, objectives, EPOCHS, options) for n in ("asha", "moasha"))
    assert stops(asha, reports) == stops(moasha, reports)


@settings(deadline=None)
@given(st.sampled_from([(), BOUND]), st.lists(METRICS, max_size=40))
def test_places_by_fronts_are_places_by_value_where_there_is_one_objective(
    constraints: tuple[Constraint, ...], results: list[dict[str, float]]
) -> None:
    objectives = Objectives(tuple(ONE), constraints)
    by_value, by_front = SingleObjectiveRanking(objectives), ParetoRanking(objectives)
    for values in filter(objectives.has, results):
        assert by_value.add(values) == by_front.add(values)
        assert len(by_value) == len(by_front)


@settings(deadline=None, max_examples=200)
@given(REPORTS, st.integers(1, 4), st.integers(1, 4))
def test_median_follows_the_rule(reports: list[rules.Report], grace: int, least: int) -> None:
    options = {"grace_epochs": grace, "min_trials": least}
    scheduler = make_scheduler("median", ONE, EPOCHS, options)
    expected = rules.median(ONE, EPOCHS, grace, least, reports)
    assert stops(scheduler, reports) == expected


@pytest.mark.parametrize(("accuracy", "stop"), [(0.6, False), (0.5, False), (0.4, True)])
def test_the_median_of_two_lies_between_them(accuracy: float, stop: bool) -> None:
    """It is neither the better of the middle two nor the worse."""
    scheduler = make_scheduler("median", ONE, EPOCHS, {"min_trials": 2})
    assert (
        stops(scheduler, [("a", 1, {"accuracy": 0.2}), ("b", 1, {"accuracy": 0.8})]) == [False] * 2
    )
    assert scheduler.report("c", 1, {"accuracy": accuracy}).stop == stop


@pytest.mark.parametrize(("latency", "stop"), [(0.5, False), (2.0, False), (2.4, True)])
def test_the_median_of_two_that_break_a_constraint_lies_between_them(
    latency: float, stop: bool
) -> None:
    bounded = Objectives(tuple(ONE), (Constraint("latency", upper=1.0),))
    scheduler = make_scheduler("median", bounded, EPOCHS, {"min_trials": 2})
    for trial, other in (("a", 1.5), ("b", 3.0)):
        scheduler.report(trial, 1, {"accuracy": 0.5, "latency": other})
    assert scheduler.report("c", 1, {"accuracy": 0.5, "latency": latency}).stop == stop


def test_one_epoch_that_breaks_a_constraint_marks_the_average_of_all() -> None:
    objectives = Objectives(
        (Objective("accuracy", "maximise"),), (Constraint("latency", upper=1.0),)
    )
    median = make_scheduler("median", objectives, 9, {"min_trials": 1})
    for epoch, latency in enumerate([2.0, 1.0, 1.0], 1):
        median.report("slow at first", epoch, {"accuracy": 0.9, "latency": latency})
    for epoch in (1, 2, 3):
        assert not median.report("worse", epoch, {"accuracy": 0.1, "latency": 1.0}).stop


@pytest.mark.parametrize("seed", range(5))
def test_each_bracket_of_hyperband_is_an_asha_of_its_own(seed: int) -> None:
    reports = random_reports(seed, trials=40)
    hyperband = Hyperband(ONE, EPOCHS)
    answered = decisions(hyperband, reports)
    assert hyperband.brackets == ((1, 3), (3,), ())
    for bracket, rungs in enumerate(hyperband.brackets):
        inside = [hyperband.bracket(trial) == bracket for trial, _, _ in reports]
        own = [report for report, here in zip(reports, inside, strict=True) if here]
        answers = [v.stop for v, here in zip(answered, inside, strict=True) if here]
        assert answers == rules.halving(ONE, EPOCHS, rungs, 3, own)
        assert len(own) > 0


@pytest.mark.parametrize(("epochs", "factor"), [(27, 3), (81, 3), (9, 2), (5, 4), (1, 3)])
def test_brackets_get_their_shares_of_hyperband(epochs: int, factor: int) -> None:
    hyperband = Hyperband(ONE, epochs, reduction_factor=factor)
    expected = rules.shares(len(hyperband.brackets) - 1, factor)
    assert list(hyperband.shares) == expected
    for trial in range(2 * sum(expected)):
        hyperband.added(trial)
    inside = [hyperband.bracket(trial) for trial in range(2 * sum(expected))]
    assert [inside.count(bracket) for bracket in range(len(expected))] == [2 * n for n in expected]
    begun = [hyperband.bracket(trial) for trial in range(sum(expected))]
    assert [begun.count(bracket) for bracket in range(len(expected))] == expected


# Fronts, and the order within one


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(
            st.lists(st.integers(0, 5).map(float), min_size=width, max_size=width), min_size=1
        )
    )
)
def test_fronts_are_kept_as_they_would_be_found_anew(rows: list[list[float]]) -> None:
    fronts = Fronts(len(rows[0]))
    for count, row in enumerate(rows, start=1):
        front = fronts.add(np.array(row))
        ranks = nondominated_ranks(np.array(rows[:count]))
        assert front == ranks[-1]
        assert fronts.before(front) == (ranks < front).sum()
        assert len(fronts) == count
        for rank in range(ranks.max() + 1):
            expected = sorted(map(tuple, np.array(rows[:count])[ranks == rank]))
            assert sorted(map(tuple, fronts.rows(rank))) == expected


def test_the_most_different_of_a_front_go_first() -> None:
    """On a line from (0, 8) to (8, 0): one end, the other end, the middle, then the quarters."""
    front = np.array([[x, 8.0 - x] for x in range(9)])
    places = [place_in_front(front, row) for row in front]
    assert places[8] == 1
    assert places[0] == 2
    assert places[4] == 3
    assert sorted([places[2], places[6]]) == [4, 5]
    assert sorted(places) == list(range(1, 10))


def test_units_do_not_matter_within_a_front() -> None:
    front = np.random.default_rng(0).random((30, 2))
    scaled = front * [1.0, 1e9] + [5.0, -3e9]
    one = [place_in_front(front, row) for row in front]
    assert one == [place_in_front(scaled, row) for row in scaled]


def test_an_objective_that_never_differs_changes_no_place() -> None:
    front = np.random.default_rng(0).random((12, 2))
    flat = np.column_stack([front, np.full(12, 7.0)])
    places = [place_in_front(front, row) for row in front]
    assert [place_in_front(flat, row) for row in flat] == places
    assert sorted(places) == list(range(1, 13))


# How much goes on, and what it takes


@pytest.mark.parametrize(
    ("case", "low", "high"),
    [
        (SchedulerCase("asha", ONE, {}), 0.32, 0.37),
        (SchedulerCase("asha", ONE, {"reduction_factor": 5}), 0.19, 0.24),
        (SchedulerCase("moasha", ONE, {}), 0.32, 0.37),
        (SchedulerCase("moasha", TWO, {}), 0.30, 0.37),
        (SchedulerCase("median", ONE, {}), 0.46, 0.54),
        # In brackets of 9, 5 and 3 of 17 trials the first epoch is a rung for the first only.
        (SchedulerCase("hyperband", ONE, {}), 0.62, 0.68),
        (SchedulerCase("hyperband", TWO, {}), 0.61, 0.68),
        (SchedulerCase("none", TWO, {}), 1.0, 1.0),
    ],
    ids=str,
)
def test_the_share_that_goes_on(case: SchedulerCase, low: float, high: float) -> None:
    """Of trials that report their first epoch in random order."""
    scheduler, rng, trials = case.make(), np.random.default_rng(8), 2000
    gone_on = 0
    for trial in range(trials):
        scheduler.added(trial)
        values = {"accuracy": rng.random(), "macs": rng.random()}
        gone_on += not scheduler.report(trial, 1, values).stop
    assert low <= gone_on / trials <= high


DEFAULTS = [case for suite in SUITES for case in suite.cases() if not case.options]


@pytest.mark.parametrize("case", DEFAULTS, ids=str)
def test_thousands_of_trials_are_cheap(case: SchedulerCase) -> None:
    """A report takes well under a thousandth of the shortest epoch there is."""
    scheduler, trials = case.make(), 10_000 if len(case.objectives) == 1 else 3_000
    rows = np.random.default_rng(9).random((trials, 2)).tolist()
    started = time.perf_counter()
    for trial, (accuracy, macs) in enumerate(rows):
        scheduler.added(trial)
        scheduler.report(trial, 1, {"accuracy": accuracy, "macs": macs})
    took = (time.perf_counter() - started) / trials * 1e6
    print(f"{case}: {took:.0f} µs per report")
    assert took < (20_000 if len(case.objectives) == 2 else 2_000)


# By name


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "asha",
            {"grace_epochs": 0},
            "grace_epochs: must be at least 1; got 0",
        ),
        (
            "asha",
            {"reduction_factor": 1},
            "reduction_factor: must be at least 2",
        ),
        ("moasha", {"reduction_factor": 2.5}, "got 2.5"),
        ("hyperband", {"grace_epochs": "one"}, "got 'one'"),
        (
            "median",
            {"min_trials": 0},
            "min_trials: must be at least 1; got 0",
        ),
        ("median", {"grace_epochs": True}, "grace_epochs"),
        *(
            (
                name,
                {"grace_epochs": 10},
                r"scheduler\.grace_epochs: must not exceed fidelities \(9\)",
            )
            for name in ("median", "asha", "hyperband", "moasha")
        ),
        ("median", {"reduction_factor": 3}, "unknown option of 'median'"),
        ("none", {"grace_epochs": 1}, "it has no options"),
        ("medan", {}, "did you mean 'median'"),
    ],
)
def test_bad_options(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_scheduler(name, ONE, 9, options)


def test_none_is_a_name_too() -> None:
    assert type(make_scheduler(None, TWO, 9)) is type(make_scheduler("none", TWO, 9))
