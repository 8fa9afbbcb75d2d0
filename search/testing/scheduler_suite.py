"""What `Scheduler` promises, as tests that any scheduler can be held to."""

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from search.objectives import Constraint, Objective, Objectives, Values
from search.schedulers import SCHEDULERS, Decision, Scheduler, make_scheduler
from search.study.judge import Judge
from search.testing.registered_suite import RegisteredSuite
from space.errors import InputError

Report = tuple[Hashable, int, Values]
"""A trial, an epoch and the metrics after it."""

ONE = Objectives((Objective("accuracy"),))
TWO = Objectives((Objective("accuracy"), Objective("macs", "minimise")))
EPOCHS = 9


@dataclass(frozen=True)
class SchedulerCase:
    """A scheduler with options, for some objectives."""

    name: str
    objectives: Objectives
    options: Mapping[str, Any]

    def make(self, epochs: int = EPOCHS, constraints: Sequence[Constraint] = ()) -> Scheduler:
        """A new scheduler, with some constraints beside the objectives."""
        wanted = Objectives(self.objectives.objectives, tuple(constraints))
        return make_scheduler(self.name, wanted, epochs, self.options)

    def __str__(self) -> str:
        return f"{self.name}-{len(self.objectives)}-{dict(self.options) or 'defaults'}"


def random_metrics(rng: np.random.Generator) -> dict[str, float]:
    """On a coarse grid, so that there are ties."""
    return {"accuracy": int(rng.integers(20)) / 20, "macs": float(rng.integers(10))}


def random_reports(seed: int, trials: int = 25, epochs: int = EPOCHS) -> list[Report]:
    """Curves of trials that report in a random order, each in its own from the first epoch."""
    rng = np.random.default_rng(seed)
    turns = rng.permutation(np.repeat(np.arange(trials), epochs))
    reached = dict.fromkeys(range(trials), 0)
    reports: list[Report] = []
    for trial in turns.tolist():
        reached[trial] += 1
        reports.append((trial, reached[trial], random_metrics(rng)))
    return reports


def add_all(scheduler: Scheduler, reports: Sequence[Report]) -> Scheduler:
    """Every trial is added, in the order of their numbers, before all reports."""
    for trial in sorted({trial for trial, _, _ in reports}, key=str):
        scheduler.added(trial)
    return scheduler


def _all_added(scheduler: Scheduler, reports: Sequence[Report]) -> Judge:
    judge = Judge(scheduler)
    for trial in sorted({trial for trial, _, _ in reports}, key=str):
        judge.added(trial)
    return judge


def decisions(scheduler: Scheduler, reports: Sequence[Report]) -> list[Decision]:
    """Of a new scheduler, one for each report."""
    add_all(scheduler, reports)
    return [scheduler.report(*report) for report in reports]


class SchedulerSuite(RegisteredSuite):
    """The contract of `search.schedulers.Scheduler`.

    Every test runs for one objective and for two, where the scheduler takes several, and with each
    of the `variants` of its options.

    Attributes:
        variants: options by name.
        stops: whether it stops any trial.
        spares_some: whether some trials are never judged, however bad, as those of Hyperband's
            last bracket.
    """

    registry = SCHEDULERS
    variants: ClassVar[Sequence[Mapping[str, Any]]] = ({},)
    stops: ClassVar[bool] = True
    spares_some: ClassVar[bool] = False

    @classmethod
    def cases(cls) -> list[SchedulerCase]:
        """What its tests are run with."""
        several = SCHEDULERS.kind(cls.name).multi_objective
        objectives = [ONE, TWO] if several else [ONE]
        return [SchedulerCase(cls.name, each, some) for each in objectives for some in cls.variants]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give each test that takes a case all of them."""
        if "case" in metafunc.fixturenames:
            metafunc.parametrize("case", self.cases(), ids=str)

    def test_several_objectives_are_refused_where_one_is_compared(self) -> None:
        """By name, and nobody judges by the first one alone."""
        if SCHEDULERS.kind(self.name).multi_objective:
            assert isinstance(make_scheduler(self.name, TWO, EPOCHS), Scheduler)
            return
        with pytest.raises(InputError, match="takes one objective; got accuracy, macs"):
            make_scheduler(self.name, TWO, EPOCHS)

    def test_the_same_calls_are_answered_alike(self, case: SchedulerCase) -> None:
        """So a study is resumed by repeating them to a new scheduler."""
        for seed in range(5):
            reports = random_reports(seed)
            assert decisions(case.make(), reports) == decisions(case.make(), reports)

    def test_another_one_was_told_nothing(self, case: SchedulerCase) -> None:
        """It has the same options, and neither hears what the other is told."""
        reports = random_reports(3)
        expected = decisions(case.make(), reports)
        scheduler = add_all(case.make(), reports)
        half = len(reports) // 2
        assert [scheduler.report(*report) for report in reports[:half]] == expected[:half]
        assert decisions(scheduler.anew(), reports) == expected
        assert [scheduler.report(*report) for report in reports[half:]] == expected[half:]

    def test_what_is_forgotten_was_never_reported(self, case: SchedulerCase) -> None:
        """As where a checkpoint is lost, whoever was judged by it meanwhile."""
        for seed in range(5):
            reports, rng = random_reports(seed), np.random.default_rng(seed)
            early, late = reports[: len(reports) // 2], reports[len(reports) // 2 :]
            kept: dict[Hashable, int] = {
                each: int(rng.integers(EPOCHS)) for each in range(0, 25, 3)
            }
            lost = [report for report in early if report[1] > kept.get(report[0], EPOCHS)]
            again = [(trial, epoch, random_metrics(rng)) for trial, epoch, _ in lost]
            one, other = (_all_added(case.make(), reports) for _ in range(2))
            for report in early:
                one.report(*report)
                if report not in lost:
                    other.report(*report)
            for trial, last in kept.items():
                one.forget(trial, last)
            for report in (*again, *late):
                assert one.report(*report) == other.report(*report)

    def test_a_repeated_epoch_changes_nothing(self, case: SchedulerCase) -> None:
        """Also with other metrics."""
        rng = np.random.default_rng(0)
        reports = random_reports(1)
        expected = decisions(case.make(), reports)
        scheduler = add_all(case.make(), reports)
        for (trial, epoch, values), decision in zip(reports, expected, strict=True):
            assert scheduler.report(trial, epoch, values) == decision
            again = scheduler.report(trial, epoch, random_metrics(rng))
            assert again in (decision, Decision(stop=False))

    def test_nobody_is_stopped_at_the_last_epoch(self, case: SchedulerCase) -> None:
        """Also where it is the first one that is reported."""
        for seed in range(5):
            reports = random_reports(seed)
            for report, decision in zip(reports, decisions(case.make(), reports), strict=True):
                assert not (decision.stop and report[1] == EPOCHS)
            scheduler = case.make()
            last = [scheduler.report(trial, EPOCHS, values) for trial, _, values in reports]
            assert not any(decision.stop for decision in last)

    def test_with_a_single_epoch_there_is_nothing_to_stop(self, case: SchedulerCase) -> None:
        """It is the last one; options that need more are refused by name."""
        if SCHEDULERS.options({"name": case.name, **case.options}).refusals(1, "epochs"):
            with pytest.raises(InputError):
                case.make(epochs=1)
            return
        reports = random_reports(7, epochs=1)
        assert not any(each.stop for each in decisions(case.make(epochs=1), reports))

    def test_a_missing_objective_stops_nobody_and_does_not_count(self, case: SchedulerCase) -> None:
        """Nor one that is not finite."""
        reports = random_reports(2)
        expected = decisions(case.make(), reports)
        disturbed = add_all(case.make(), reports)
        bad: list[dict[str, float]] = [{}, {"macs": 1.0}]
        bad += [{"accuracy": value, "macs": 1.0} for value in (math.nan, math.inf, -math.inf)]
        for index, (trial, epoch, values) in enumerate(reports):
            assert not disturbed.report(trial, epoch, bad[index % len(bad)]).stop
            assert disturbed.report(trial, epoch, values) == expected[index]

    def test_a_stopped_trial_may_go_on(self, case: SchedulerCase) -> None:
        """And when it is the best of all it is let through to the end."""
        scheduler = case.make()
        for trial in range(12):
            for epoch in (1, 2, 3):
                scheduler.report(trial, epoch, {"accuracy": 0.5 + trial / 100, "macs": 5.0})
        bad = {"accuracy": 0.0, "macs": 9.0}
        first = [scheduler.report("late", epoch, bad) for epoch in (1, 2, 3)]
        if self.stops and not self.spares_some:
            assert any(decision.stop for decision in first)
        good = {"accuracy": 0.9, "macs": 0.0}
        rest = range(4, EPOCHS + 1)
        assert not any(scheduler.report("late", epoch, good).stop for epoch in rest)

    def test_who_is_ahead_of_all_others_is_never_stopped(self, case: SchedulerCase) -> None:
        """By every objective, at every epoch."""
        for seed in range(5):
            scheduler = case.make()
            for trial, epoch, values in random_reports(seed):
                best = {"accuracy": 1.0, "macs": -1.0}
                decision = scheduler.report(trial, epoch, best if trial == 7 else values)
                assert not (decision.stop and trial == 7)

    def test_what_breaks_a_constraint_is_worse_than_all_that_break_none(
        self, case: SchedulerCase
    ) -> None:
        """However good it is otherwise."""
        scheduler = case.make(constraints=[Constraint("latency", upper=1.0)])
        rng = np.random.default_rng(5)
        stopped: dict[bool, list[bool]] = {False: [], True: []}
        for trial in range(60):
            broken = trial >= 40
            latency = 1.5 + rng.random() if broken else 0.5
            accuracy = 0.99 if broken else rng.random() / 2
            values = {"accuracy": accuracy, "macs": 1.0, "latency": latency}
            stopped[broken].append(scheduler.report(trial, 4, values).stop)
        if not self.stops:
            return
        if not self.spares_some:
            assert all(stopped[True])
        assert np.mean(stopped[True]) > np.mean(stopped[False])

    def test_a_stop_has_a_reason_and_nothing_else_has_one(self, case: SchedulerCase) -> None:
        """It stands in the store beside the trial."""
        seen = decisions(case.make(), random_reports(6))
        assert all(bool(decision.reason) == decision.stop for decision in seen)
        assert any(decision.stop for decision in seen) == self.stops

    def test_a_trial_is_any_hashable_and_need_not_have_been_added(
        self, case: SchedulerCase
    ) -> None:
        """As those of a study that goes on."""
        scheduler = case.make()
        for index, trial in enumerate(("a", 7, ("b", 1), None)):
            decision = scheduler.report(trial, 1, {"accuracy": 0.1 * index, "macs": 1.0})
            assert isinstance(decision, Decision)
