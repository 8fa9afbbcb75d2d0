"""Measures several things in turns, so that a change of the machine's pace meets all alike.

Knows no torch: what is measured is a callable that gives one `Run`, and tests hand in made-up ones.
"""

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from trainers.latency.figure import (
    FEWEST,
    Latency,
    Run,
    counted,
    drift_of,
    median_interval,
    quickest,
)

Pass = Callable[[], Run]
"""Runs something once, to its end, and says how long that took."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is spent on one measurement.

    Attributes:
        runs: undisturbed runs that are wanted of each, at least.
        precision: the half-width of the interval that is wanted, relative to the median.
        seconds: of undisturbed runs of each, at most; while most runs are disturbed, up to six
            times as long is waited for them. A first block is run anyway.
        block_seconds: of a turn.
        warm_seconds: of the warm-up, at most.
        attempts: how often everything is measured anew while the machine is not quiet.
        patience: seconds of waiting before another attempt.
    """

    runs: int = 30
    precision: float = 0.01
    seconds: float = 3.0
    block_seconds: float = 0.05
    warm_seconds: float = 1.0
    attempts: int = 3
    patience: float = 0.5


NETWORK = Effort(runs=40, seconds=4.0)
"""For a whole network that is judged by it."""
PART = Effort(runs=20, precision=0.02, seconds=1.0, warm_seconds=0.3, attempts=2, patience=0.1)
"""For a part of which hundreds are measured."""

MOST_DRIFT = 0.05
"""Between the thirds of a measurement, relative to the median."""
MOST_SPREAD = 0.15
"""Between the quartiles. Hyper-threads that others use, and other guests of the host, show here."""
MOST_INTERRUPTED = 0.5
"""Of the runs."""
MOST_OFF_PACE = 0.05
"""Of the gauge, to its quickest on this device."""
MOST_OFF_IN_A_TURN = 0.15
"""Of the gauge just before or after some runs, to its quickest: what is beyond does not count. One
of two hyper-threads of a core slows the other by a third and more, for tenths of a second."""


def measure_in_turns(
    passes: Sequence[Pass],
    effort: Effort = NETWORK,
    *,
    gauge: Pass | None = None,
    pace: float | None = None,
    now: Callable[[], float] = time.perf_counter,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Latency]:
    """The latency of each, measured block by block in turns.

    What was disturbed is measured again, `effort.attempts` times in all; of each the attempt that
    was disturbed the least is returned, and says what disturbed it.

    Args:
        passes: what is measured.
        effort: how much is spent.
        gauge: a fixed computation between the turns of the others: what was run while it was slow
            does not count.
        pace: what the gauge took at its quickest on this device, in milliseconds.
        now, sleep: a clock in seconds; tests have their own.
    """
    best: dict[int, Latency] = {}
    disturbed = list(range(len(passes)))
    for attempt in range(1, effort.attempts + 1):
        if attempt > 1:
            sleep(effort.patience)
        again = [passes[index] for index in disturbed]
        with _undisturbed_by_ourselves():
            for run in (*again, *([] if gauge is None else [gauge])):
                warm_up(run, effort, now)
            found = _one_attempt(again, effort, gauge, pace, now)
        for index, latency in zip(disturbed, found, strict=True):
            better = min([latency, *([best[index]] if index in best else [])], key=_badness)
            best[index] = replace(better, attempts=attempt)
        disturbed = [index for index in disturbed if not best[index].quiet]
        if not disturbed:
            break
    return [best[index] for index in range(len(passes))]


def _badness(latency: Latency) -> tuple[int, float]:
    return len(latency.reasons), latency.drift + latency.spread


@contextmanager
def _undisturbed_by_ourselves() -> Iterator[None]:
    """Without the garbage collector, which stops for milliseconds when it likes."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_WINDOW = 5
_STEADY = 0.03


def warm_up(run: Pass, effort: Effort, now: Callable[[], float] = time.perf_counter) -> int:
    """Run until two windows of five runs agree within 3 %, or the time for it is over.

    Returns:
        How many runs it took, at least ten where there is time for them, at least two.
    """
    times: list[float] = []
    started = now()
    while True:
        times.append(run().milliseconds)
        if len(times) >= 2 * _WINDOW:
            before = float(np.median(times[-2 * _WINDOW : -_WINDOW]))
            latest = float(np.median(times[-_WINDOW:]))
            if abs(latest - before) <= _STEADY * before:
                break
        if len(times) >= 2 and now() - started > effort.warm_seconds:
            break
    return len(times)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Some runs of one pass in a row, and the slower of the gauges just before and after them."""

    runs: list[Run]
    gauge_ms: float | None

    def is_off_pace(self, at_pace: float | None) -> bool:
        """Whether the gauge was slow beside them."""
        if self.gauge_ms is None or at_pace is None:
            return False
        return self.gauge_ms > (1 + MOST_OFF_IN_A_TURN) * at_pace


def _one_attempt(
    passes: Sequence[Pass],
    effort: Effort,
    gauge: Pass | None,
    pace: float | None,
    now: Callable[[], float],
) -> list[Latency]:
    turns: list[list[_Turn]] = [[] for _ in passes]
    spent = [0.0] * len(passes)
    gauged = [_gauge_ms(gauge)]
    while True:
        at_pace = _quickest(gauged, pace)
        wanting = [i for i, own in enumerate(turns) if _wants(own, at_pace, spent[i], effort)]
        if not wanting:
            break
        for index in wanting:
            started = now()
            runs = _block(passes[index], effort, turns[index][-1].runs if turns[index] else ())
            spent[index] += now() - started
            gauged.append(_gauge_ms(gauge))
            beside = [each for each in gauged[-2:] if each is not None]
            turns[index].append(_Turn(runs, max(beside, default=None)))
    return [_summary(own, _quickest(gauged, pace), pace) for own in turns]


_GAUGED = 3
"""Runs of the gauge between two turns; their median counts."""


def _gauge_ms(gauge: Pass | None) -> float | None:
    if gauge is None:
        return None
    return float(np.median([gauge().milliseconds for _ in range(_GAUGED)]))


def _quickest(gauged: Sequence[float | None], pace: float | None) -> float | None:
    """What the gauge takes when nobody else has part of the core."""
    known = [quickest([each for each in gauged if each is not None]), pace]
    return min((each for each in known if each is not None), default=None)


_WAITED = 6.0
"""Times the seconds of an effort."""


def _wants(turns: Sequence[_Turn], at_pace: float | None, spent: float, effort: Effort) -> bool:
    """Whether more runs are needed, and there is time for them."""
    if not turns:
        return True
    on_pace = (turn for turn in turns if not turn.is_off_pace(at_pace))
    kept = [run.milliseconds for turn in on_pace for run in turn.runs if not run.interrupted]
    if sum(kept) / 1000 >= effort.seconds or spent >= _WAITED * effort.seconds:
        return False
    # Of fewer undisturbed runs than that all would count, the disturbed ones too.
    disturbed = len(kept) < sum(len(turn.runs) for turn in turns)
    if len(kept) < (max(effort.runs, FEWEST) if disturbed else effort.runs):
        return True
    low, high = median_interval(kept)
    return (high - low) / 2 > effort.precision * float(np.median(kept))


def _block(run: Pass, effort: Effort, before: Sequence[Run]) -> list[Run]:
    """So many runs as a turn has time for, at least three."""
    first = run()
    milliseconds = float(np.median([r.milliseconds for r in (*before[-9:], first)]))
    more = int(effort.block_seconds * 1000 / max(milliseconds, 1e-6))
    return [first, *(run() for _ in range(min(max(more, 3), effort.runs) - 1))]


def _summary(turns: Sequence[_Turn], at_pace: float | None, pace: float | None) -> Latency:
    runs = [run._replace(off_pace=turn.is_off_pace(at_pace)) for turn in turns for run in turn.runs]
    times = counted(runs)
    interrupted = sum(run.interrupted for run in runs)
    off_pace = sum(run.off_pace for run in runs)
    low, high = median_interval(times.tolist())
    levels = (5, 25, 75, 95)
    quantiles = dict(zip(map(str, levels), np.percentile(times, levels).tolist(), strict=True))
    on_pace = [turn for turn in turns if not turn.is_off_pace(at_pace)] or turns
    beside = [turn.gauge_ms for turn in on_pace if turn.gauge_ms is not None]
    gauge_ms = float(np.median(beside)) if beside else None
    latency = Latency(
        median_ms=float(np.median(times)),
        low_ms=low,
        high_ms=high,
        n=len(times),
        interrupted=interrupted,
        quantiles_ms=quantiles,
        drift=drift_of(times.tolist()),
        gauge_ms=gauge_ms,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        off_pace=off_pace,
    )
    undisturbed = sum(run.undisturbed for run in runs)
    return replace(latency, reasons=tuple(_disturbances(latency, len(runs), undisturbed, pace)))


def _disturbances(
    latency: Latency, total: int, undisturbed: int, pace: float | None
) -> Iterator[str]:
    """What shows that the machine was not quiet."""
    if undisturbed < min(FEWEST, total):
        yield (
            f"other processes interrupted {latency.interrupted} of {total} runs and the machine "
            f"was off its pace during {latency.off_pace}, and all count"
        )
    elif latency.interrupted > MOST_INTERRUPTED * total:
        yield f"other processes interrupted {latency.interrupted} of {total} runs"
    if latency.drift > MOST_DRIFT:
        yield f"the median drifted by {latency.drift:.0%}"
    if latency.spread > MOST_SPREAD:
        yield f"the quartiles are {latency.spread:.0%} apart"
    if pace is not None and latency.gauge_ms is not None:
        off = latency.gauge_ms / pace - 1
        if off > MOST_OFF_PACE:
            yield f"the machine was {off:.0%} slower than at its quickest"
