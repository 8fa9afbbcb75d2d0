"""What is counted, flagged and measured again, on a made-up clock."""

import gc
import itertools
from collections.abc import Iterator
from dataclasses import replace
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.latency.figure import (
    FEWEST,
    Latency,
    Run,
    counted,
    drift_of,
    median_interval,
)
from trainers.latency.measuring import Effort, _block, measure_in_turns, warm_up

EFFORT = Effort(runs=30, seconds=5.0, attempts=3, patience=0.0)


class Clock:
    """Seconds that pass when a made-up pass runs."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.order: list[str] = []

    def __call__(self) -> float:
        return self.seconds

    def thing(self, name: str, runs: Iterator[Run]) -> "Thing":
        return Thing(self, name, runs)


class Thing:
    """Something to be measured: its runs take what they are told to."""

    def __init__(self, clock: Clock, name: str, runs: Iterator[Run]) -> None:
        self.clock, self.name, self.runs = clock, name, runs

    def __call__(self) -> Run:
        run = next(self.runs)
        self.clock.seconds += run.milliseconds / 1000
        self.clock.order.append(self.name)
        return run


def always(milliseconds: float) -> Iterator[Run]:
    return itertools.repeat(Run(milliseconds))


def measured(*things: Thing, effort: Effort = EFFORT, **options: object) -> list[Latency]:
    clock = things[0].clock
    return measure_in_turns(things, effort, now=clock, sleep=lambda s: None, **options)  # type: ignore[arg-type]


def test_a_steady_thing_takes_what_it_takes() -> None:
    (found,) = measured(Clock().thing("a", always(4.0)))
    assert (found.median_ms, found.low_ms, found.high_ms) == (4.0, 4.0, 4.0)
    assert (found.interrupted, found.attempts, found.reasons) == (0, 1, ())
    assert found.n >= EFFORT.runs
    assert found.spread == found.drift == 0


def test_the_first_runs_do_not_count() -> None:
    slow = [Run(100.0)] * 9
    (found,) = measured(Clock().thing("a", itertools.chain(slow, always(2.0))))
    assert found.quantiles_ms["95"] == 2.0


def test_warming_up_ends_when_it_is_steady_and_when_the_time_is_over() -> None:
    clock = Clock()
    assert warm_up(clock.thing("a", always(1.0)), EFFORT, clock) == 10
    falling = (Run(1000.0 * 0.5**i + 1) for i in itertools.count())
    assert 10 < warm_up(clock.thing("b", falling), replace(EFFORT, warm_seconds=9.0), clock) < 25
    assert warm_up(clock.thing("c", always(3000.0)), EFFORT, clock) == 2


def test_things_take_turns() -> None:
    clock = Clock()
    measured(clock.thing("a", always(10.0)), clock.thing("b", always(10.0)))
    warm = 2 * 10
    blocks = [name for name, _ in itertools.groupby(clock.order[warm:])]
    assert len(blocks) >= 6
    assert all(one != other for one, other in itertools.pairwise(blocks))


def test_interrupted_runs_are_left_out_and_counted() -> None:
    runs = itertools.cycle([Run(5.0), Run(9.0, interrupted=True), Run(5.0)])
    (found,) = measured(Clock().thing("a", runs))
    assert found.median_ms == found.quantiles_ms["95"] == 5.0
    assert found.interrupted > 0
    assert found.quiet


def test_where_nearly_all_are_interrupted_all_count_and_it_is_said() -> None:
    runs = itertools.repeat(Run(9.0, interrupted=True))
    (found,) = measured(Clock().thing("a", runs))
    assert (found.median_ms, found.n, found.attempts) == (9.0, found.interrupted, 3)
    assert found.reasons[0].endswith("and all count")


RUNS = st.builds(Run, st.floats(0.1, 10), st.booleans(), st.booleans())


@given(st.lists(RUNS, min_size=1, max_size=60))
def test_what_counts(runs: list[Run]) -> None:
    kept = [run.milliseconds for run in runs if not run.interrupted and not run.off_pace]
    expected = kept if len(kept) >= FEWEST else [run.milliseconds for run in runs]
    assert counted(runs).tolist() == expected


def test_a_drift_is_seen_and_measured_again() -> None:
    def runs() -> Iterator[Run]:
        for i in itertools.count():
            yield Run(1.0 if i > 400 else 1.0 + i / 100)

    effort = replace(EFFORT, runs=60, warm_seconds=0.0)
    (found,) = measured(Clock().thing("a", runs()), effort=effort)
    assert found.attempts > 1
    one = replace(effort, attempts=1)
    (found,) = measured(Clock().thing("a", runs()), effort=one)
    assert any("drifted" in reason for reason in found.reasons)


def test_only_what_was_disturbed_is_measured_again() -> None:
    clock = Clock()
    wild = (Run(value) for value in itertools.cycle([1.0, 1.0, 3.0, 3.0]))
    steady, disturbed = measured(clock.thing("a", always(1.0)), clock.thing("b", wild))
    assert (steady.attempts, disturbed.attempts) == (1, 3)
    assert steady.quiet
    assert not disturbed.quiet
    last = len(clock.order) - clock.order[::-1].index("a")
    assert clock.order.count("b") - clock.order[:last].count("b") > 60


def test_the_least_disturbed_attempt_is_kept() -> None:
    clock, pauses = Clock(), list[float]()

    def runs() -> Iterator[Run]:
        for high in itertools.cycle([False, True]):
            wide = (1.3, 1.2, 1.4)[len(pauses)]
            yield Run(wide if high else 1.0)

    (found,) = measure_in_turns(
        [clock.thing("a", runs())], replace(EFFORT, patience=0.7), now=clock, sleep=pauses.append
    )
    assert found.quantiles_ms["75"] == 1.2
    assert found.attempts == 3
    assert pauses == [0.7, 0.7]


def test_another_pace_of_the_machine_is_seen() -> None:
    clock = Clock()
    gauge = clock.thing("gauge", always(2.2))
    (slow,) = measured(clock.thing("a", always(5.0)), gauge=gauge, pace=2.0)
    assert slow.gauge_ms == 2.2
    assert slow.reasons == ("the machine was 10% slower than at its quickest",)
    gauge = clock.thing("gauge", always(2.2))
    (quick,) = measured(clock.thing("a", always(5.0)), gauge=gauge, pace=2.5)
    assert quick.quiet


class Shared:
    """A core that another guest shares in some spans of time: all is slower by 40 % in these."""

    def __init__(self, clock: Clock, share: float, seed: int = 0) -> None:
        self.clock, rng = clock, np.random.default_rng(seed)
        self.ends = 2.0 + np.cumsum(rng.exponential(0.5, 4000))
        self.slow = np.r_[True, rng.random(3999) < share]

    def runs(self, milliseconds: float) -> Iterator[Run]:
        while True:
            slow = self.slow[np.searchsorted(self.ends, self.clock.seconds)]
            yield Run(milliseconds * (1.4 if slow else 1.0))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.8])
@pytest.mark.parametrize("milliseconds", [0.7, 3.0, 20.0])
def test_what_runs_while_the_core_is_shared_does_not_count(
    share: float, milliseconds: float
) -> None:
    clock = Clock()
    core = Shared(clock, share)
    gauge = clock.thing("gauge", core.runs(1.4))
    one, two = (clock.thing(name, core.runs(milliseconds)) for name in "ab")
    for found in measured(one, two, gauge=gauge, pace=1.4):
        assert found.median_ms == found.quantiles_ms["75"] == milliseconds
        assert found.off_pace > 0
        assert found.gauge_ms == 1.4
        assert found.quiet


def test_where_the_core_is_nearly_always_shared_all_counts_and_it_is_said() -> None:
    clock = Clock()
    slow = clock.thing("gauge", always(1.4))
    (found,) = measured(clock.thing("a", always(5.0)), gauge=slow, pace=1.0)
    assert found.off_pace == found.n
    assert "the machine was off its pace during" in found.reasons[0]
    assert found.reasons[-1] == "the machine was 40% slower than at its quickest"


def test_the_gauge_stands_on_both_sides_of_every_turn() -> None:
    clock = Clock()
    gauge = clock.thing("gauge", always(1.0))
    measured(clock.thing("a", always(10.0)), clock.thing("b", always(10.0)), gauge=gauge)
    turns = [name for name, _ in itertools.groupby(clock.order)]
    first = turns.index("gauge")  # what warmed up comes before
    assert set(turns[first::2]) == {"gauge"}
    assert turns[-1] == "gauge"


def test_a_slow_thing_is_not_measured_for_ever() -> None:
    clock = Clock()
    measured(clock.thing("a", always(900.0)), effort=replace(EFFORT, seconds=3.0))
    assert clock.order.count("a") < 12


def test_a_busy_machine_is_waited_for_six_times_as_long() -> None:
    runs = itertools.cycle([Run(100.0, interrupted=True)] * 9 + [Run(50.0)])
    effort = replace(EFFORT, seconds=4.0, runs=20, precision=9.0, attempts=1)
    (found,) = measured(Clock().thing("a", runs), effort=effort)
    assert found.median_ms == 50.0
    assert found.n >= 20
    never = itertools.repeat(Run(100.0, interrupted=True))
    clock = Clock()
    measured(clock.thing("a", never), effort=effort)
    assert 24.0 < clock.seconds < 28.0


def test_a_few_runs_are_not_enough_where_most_are_disturbed() -> None:
    """Of fewer undisturbed ones than ten all would count."""
    runs = itertools.cycle([Run(5.0), Run(9.0, interrupted=True), Run(9.0, interrupted=True)])
    few = Effort(runs=5, seconds=0.3, warm_seconds=0.3, attempts=1)
    (found,) = measured(Clock().thing("a", runs), effort=few)
    assert found.median_ms == 5.0
    assert found.n >= FEWEST


def test_the_collector_is_as_it_was() -> None:
    seen: list[bool] = []
    clock = Clock()

    def run() -> Run:
        seen.append(gc.isenabled())
        clock.seconds += 0.01
        return Run(10.0)

    measure_in_turns([run], EFFORT, now=clock, sleep=lambda s: None)
    assert set(seen) == {False}
    assert gc.isenabled()


@pytest.mark.parametrize("n", [6, 9, 20, 41, 150])
def test_the_interval_holds_the_median_as_often_as_it_says(n: int) -> None:
    """Over all orders of n draws about a median: the binomial, not a simulation."""
    low, high = (int(rank) for rank in median_interval(list(range(n))))
    covered = sum(comb(n, below) for below in range(low + 1, high + 1)) / 2**n
    assert covered >= 0.95 - (0.02 if n < 20 else 0.0)
    assert low + high == pytest.approx(n, abs=1)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=80))
def test_the_interval_is_around_the_median(times: list[float]) -> None:
    low, high = median_interval(times)
    assert min(times) <= low <= np.median(times) <= high <= max(times)


def test_drift() -> None:
    assert drift_of([1.0] * 10 + [1.1] * 10 + [1.2] * 10) == pytest.approx(0.2 / 1.1)
    assert drift_of([1.0, 9.0]) == 0.0


def test_a_figure_is_read_back() -> None:
    (found,) = measured(Clock().thing("a", always(4.0)))
    assert Latency.from_dict(found.to_dict()) == found
    assert found.words.startswith("4 ms (4 – 4, n = ")


def test_intervals_of_medians_in_figures() -> None:
    """Of 0, 1, 2, …: n/2 ± 0.98 √n, rounded outwards."""
    expected = {1: (0, 0), 5: (0, 4), 6: (0, 5), 7: (0, 6), 25: (7, 18), 100: (40, 60)}
    for n, ends in expected.items():
        assert median_interval([float(each) for each in range(n)][::-1]) == ends


def test_drift_in_figures() -> None:
    assert drift_of([1.0, 2.0, 3.0, 4.0, 5.0]) == 0.0
    assert drift_of([1.0, 1.0, 2.0, 2.0, 4.0, 4.0]) == 1.5


@pytest.mark.parametrize(
    ("milliseconds", "block_seconds", "runs"),
    [(10.0, 0.1, 10), (10.0, 0.1099, 10), (10.0, 0.11, 11), (10.0, 0.0, 3), (1.0, 0.1, 30)],
)
def test_a_turn_has_as_many_runs_as_it_has_time_for(
    milliseconds: float, block_seconds: float, runs: int
) -> None:
    """At least three, and no more than are wanted in all."""
    effort = replace(EFFORT, block_seconds=block_seconds)
    thing = Clock().thing("a", always(milliseconds))
    assert len(_block(thing, effort, ())) == runs
