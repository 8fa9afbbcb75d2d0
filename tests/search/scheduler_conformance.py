"""What `Scheduler` promises, as checks that any scheduler can be held to."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from search.objectives import Constraint, Goals, Objective
from search.schedulers import SCHEDULERS, Decision, Scheduler, make_scheduler
from tests.search.rules import Report

ONE = Goals((Objective("accuracy"),))
TWO = Goals((Objective("accuracy"), Objective("macs", "minimise")))
EPOCHS = 9


@dataclass(frozen=True)
class Case:
    """A scheduler with options, for some goals."""

    name: str
    goals: Goals
    options: tuple[tuple[str, Any], ...] = ()

    def make(self, epochs: int = EPOCHS, constraints: Sequence[Constraint] = ()) -> Scheduler:
        goals = Goals(self.goals.objectives, (*self.goals.constraints, *constraints))
        return make_scheduler(self.name, goals, epochs, dict(self.options))

    def __str__(self) -> str:
        return f"{self.name}-{len(self.goals.objectives)}-{dict(self.options) or 'defaults'}"


def cases() -> list[Case]:
    """Every scheduler as it comes and with other options, for one objective and for two."""
    options: dict[str, list[tuple[tuple[str, Any], ...]]] = {
        "median": [(("grace_epochs", 3), ("min_trials", 1))],
    }
    halving: list[tuple[tuple[str, Any], ...]] = [(("grace_epochs", 2), ("reduction_factor", 2))]
    found = []
    for name in SCHEDULERS.built_in:
        chosen = [()] if name == "none" else [(), *options.get(name, halving)]
        goals = [ONE] if name in ("median", "asha") else [ONE, TWO]
        found += [Case(name, each, some) for each in goals for some in chosen]
    return found


def figures(rng: np.random.Generator) -> dict[str, float]:
    """Random figures on a coarse grid, so that there are ties."""
    return {"accuracy": int(rng.integers(20)) / 20, "macs": float(rng.integers(10))}


def random_reports(seed: int, trials: int = 25, epochs: int = EPOCHS) -> list[Report]:
    """Curves of trials that report in a random order, each in its own from the first epoch."""
    rng = np.random.default_rng(seed)
    turns = rng.permutation(np.repeat(np.arange(trials), epochs))
    reached = dict.fromkeys(range(trials), 0)
    reports: list[Report] = []
    for trial in turns.tolist():
        reached[trial] += 1
        reports.append((trial, reached[trial], figures(rng)))
    return reports


def replay(scheduler: Scheduler, reports: Sequence[Report]) -> list[Decision]:
    """The decisions; every trial is added, in the order of their numbers, before all reports."""
    for trial in sorted({trial for trial, _, _ in reports}, key=str):
        scheduler.added(trial)
    return [scheduler.report(*report) for report in reports]


def check_replay(case: Case) -> None:
    """The same calls are answered alike, whatever the scheduler said in between."""
    for seed in range(5):
        reports = random_reports(seed)
        assert replay(case.make(), reports) == replay(case.make(), reports)


def check_repeats(case: Case) -> None:
    """An epoch that is reported again, also with other figures, changes nothing."""
    rng = np.random.default_rng(0)
    reports = random_reports(1)
    once, twice = case.make(), case.make()
    first = replay(once, reports)
    second = []
    for trial in sorted({trial for trial, _, _ in reports}, key=str):
        twice.added(trial)
    for trial, epoch, values in reports:
        second.append(twice.report(trial, epoch, values))
        again = twice.report(trial, epoch, figures(rng))
        assert again in (second[-1], Decision(stop=False))
    assert first == second


def check_the_end(case: Case) -> None:
    """Nobody is stopped at the last epoch, also where it is the first one that is reported."""
    for seed in range(5):
        reports = random_reports(seed)
        for report, decision in zip(reports, replay(case.make(), reports), strict=True):
            assert not (decision.stop and report[1] == EPOCHS)
        scheduler = case.make()
        assert not any(scheduler.report(trial, EPOCHS, values).stop for trial, _, values in reports)


def check_missing(case: Case) -> None:
    """Where an objective is missing or not finite the trial goes on, and nothing is counted."""
    reports = random_reports(2)
    plain, disturbed = case.make(), case.make()
    expected = replay(plain, reports)
    for trial in sorted({trial for trial, _, _ in reports}, key=str):
        disturbed.added(trial)
    answers = []
    bad = [{}, {"macs": 1.0}, {"accuracy": math.nan, "macs": 1.0}]
    bad += [{"accuracy": value, "macs": 1.0} for value in (math.inf, -math.inf)]
    for index, (trial, epoch, values) in enumerate(reports):
        assert not disturbed.report(trial, epoch, bad[index % len(bad)]).stop
        answers.append(disturbed.report(trial, epoch, values))
    assert answers == expected


def check_continued(case: Case) -> None:
    """A trial that was stopped may go on, and the best of all is let through to the end."""
    scheduler = case.make()
    for trial in range(12):
        for epoch in (1, 2, 3):
            scheduler.report(trial, epoch, {"accuracy": 0.5 + trial / 100, "macs": 5.0})
    first = [scheduler.report("late", epoch, {"accuracy": 0.0, "macs": 9.0}) for epoch in (1, 2, 3)]
    if case.name not in ("none", "hyperband"):  # a bracket without a rung lets everybody through
        assert any(decision.stop for decision in first)
    rest = range(4, EPOCHS + 1)
    assert not any(scheduler.report("late", e, {"accuracy": 0.9, "macs": 0.0}).stop for e in rest)


def check_best(case: Case) -> None:
    """Who is ahead of all others by every objective at every epoch is never stopped."""
    for seed in range(5):
        scheduler = case.make()
        for trial, epoch, values in random_reports(seed):
            if trial == 7:
                values = {"accuracy": 1.0, "macs": -1.0}
            decision = scheduler.report(trial, epoch, values)
            assert not (decision.stop and trial == 7)


def check_constraints(case: Case) -> None:
    """What breaks a constraint is worse than all that break none, and less of it is better."""
    bound = Constraint("latency", upper=1.0)
    scheduler = case.make(constraints=[bound])
    rng = np.random.default_rng(5)
    stopped: dict[str, list[bool]] = {"kept": [], "broken": []}
    for trial in range(60):
        broken = trial >= 40
        # The better a broken one is, the less it may matter.
        latency = 1.5 + rng.random() if broken else 0.5
        accuracy = 0.99 if broken else rng.random() / 2
        decision = scheduler.report(
            trial, 4, {"accuracy": accuracy, "macs": 1.0, "latency": latency}
        )
        stopped["broken" if broken else "kept"].append(decision.stop)
    if case.name == "none":
        return
    if case.name != "hyperband":  # a bracket without a rung lets everybody through
        assert all(stopped["broken"])
    assert np.mean(stopped["broken"]) > np.mean(stopped["kept"])


def check_reasons(case: Case) -> None:
    """A stop says the place, of how many, after which epochs and what went on; a go-on nothing."""
    seen = 0
    for decision in replay(case.make(), random_reports(6)):
        if not decision.stop:
            assert decision.reason == ""
            continue
        seen += 1
        words = decision.reason.split()
        assert words[0] == "place"
        assert words[2] == "of"
        assert 1 < int(words[1]) <= int(words[3])
        assert "after" in words
        assert "went on" in decision.reason
        assert f"({case.name}" in decision.reason
    assert (seen > 0) == (case.name != "none")


def check_strangers(case: Case) -> None:
    """A trial may report that was never added, and trials may be any hashable."""
    scheduler = case.make()
    for index, trial in enumerate(("a", 7, ("b", 1), None)):
        assert isinstance(
            scheduler.report(trial, 1, {"accuracy": 0.1 * index, "macs": 1.0}).stop, bool
        )


def check_one_epoch(case: Case) -> None:
    """With a single epoch there is nothing to stop."""
    scheduler = case.make(epochs=1)
    reports = random_reports(7, epochs=1)
    assert not any(decision.stop for decision in replay(scheduler, reports))


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_replay,
    check_repeats,
    check_the_end,
    check_missing,
    check_continued,
    check_best,
    check_constraints,
    check_reasons,
    check_strangers,
    check_one_epoch,
)
"""Every promise; each takes a case."""


def survivors(case: Case, trials: int = 3000) -> float:
    """The share of trials that are still there after their first epoch, in random order."""
    scheduler = case.make()
    rng = np.random.default_rng(8)
    gone_on = 0
    for trial in range(trials):
        scheduler.added(trial)
        values = {"accuracy": rng.random(), "macs": rng.random()}
        gone_on += not scheduler.report(trial, 1, values).stop
    return gone_on / trials


def microseconds(case: Case, trials: int = 10_000, epochs: int = 1) -> float:
    """The time of one report, at the mean over that many trials."""
    scheduler = case.make()
    rng = np.random.default_rng(9)
    rows = rng.random((trials, epochs, 2))
    started = time.perf_counter()
    for trial in range(trials):
        scheduler.added(trial)
        for epoch in range(epochs):
            accuracy, macs = rows[trial, epoch].tolist()
            if scheduler.report(trial, epoch + 1, {"accuracy": accuracy, "macs": macs}).stop:
                break
    return (time.perf_counter() - started) / trials * 1e6
