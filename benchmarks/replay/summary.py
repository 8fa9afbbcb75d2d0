"""Medians with intervals over the runs of every method, and how much cheaper than the baseline."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from benchmarks.replay.record import Aim, Record

RESAMPLES = 2000
TPE_WITH_STOPPING = ("tpe + asha", "Optuna TPE + halving")


@dataclass(frozen=True)
class Spread:
    """Of one figure over the runs.

    Attributes:
        median: of the runs.
        low, high: 95% bootstrap interval of the median.
        worst: the highest.
    """

    median: float
    low: float
    high: float
    worst: float


@dataclass(frozen=True)
class Summary:
    """All runs of one method.

    Attributes:
        aim, method: of what. runs: how many.
        shortfall: at the end. quarter: when a quarter of the budget was spent.
        after: by a number of trials, when so many had ended.
        to_random: share of the budget to reach the median end of random search; infinite where a
            run never did.
        to_tpe: the same for TPE with early stopping; None where that was not run.
        duplicates: mean number a run. trials: mean number of ended ones a run, by end.
        milliseconds: of a proposal: mean, and mean of the runs' 95th percentiles.
    """

    aim: Aim
    method: str
    runs: int
    shortfall: Spread
    quarter: Spread
    after: dict[int, Spread]
    to_random: Spread
    to_tpe: Spread | None
    duplicates: float
    trials: dict[str, float]
    milliseconds: tuple[float, float]


def summaries(records: Iterable[Record], baseline: str, marks: Sequence[int]) -> list[Summary]:
    """A summary of every method, in the order in which they first come.

    Args:
        records: of any aims and methods; the baseline must be among them for every aim.
        baseline: the method whose end the others are to reach.
        marks: numbers of trials for the shortfall by trials.
    """
    groups: dict[tuple[Aim, str], list[Record]] = {}
    for each in records:
        groups.setdefault((each.aim, each.method), []).append(each)
    return [_summary(aim, name, groups, baseline, marks) for aim, name in groups]


def _summary(
    aim: Aim,
    name: str,
    groups: dict[tuple[Aim, str], list[Record]],
    baseline: str,
    marks: Sequence[int],
) -> Summary:
    runs = groups[aim, name]
    target = _end(groups[aim, baseline])
    stopping = [_end(groups[aim, peer]) for peer in TPE_WITH_STOPPING if (aim, peer) in groups]
    kinds = sorted({kind for run in runs for kind in run.ends})

    def over_runs(figure: Callable[[Record], float]) -> Spread:
        return spread([figure(run) for run in runs])

    return Summary(
        aim=aim,
        method=name,
        runs=len(runs),
        shortfall=over_runs(lambda run: run.shortfall),
        quarter=over_runs(lambda run: run.shortfall_at(0.25)),
        after={n: over_runs(lambda run, n=n: run.shortfall_after(n)) for n in marks},  # type: ignore[misc]
        to_random=over_runs(lambda run: run.cost_to_reach(target)),
        # The harder of the two, where both ran.
        to_tpe=over_runs(lambda run: run.cost_to_reach(min(stopping))) if stopping else None,
        duplicates=mean(run.duplicates for run in runs),
        trials={kind: mean(run.ends.get(kind, 0) for run in runs) for kind in kinds},
        milliseconds=(
            mean(run.milliseconds[0] for run in runs),
            mean(run.milliseconds[1] for run in runs),
        ),
    )


def _end(runs: list[Record]) -> float:
    return float(np.median([run.shortfall for run in runs]))


def spread(values: Sequence[float]) -> Spread:
    """Median with its bootstrap interval, always the same for the same values; may be infinite."""
    rng = np.random.default_rng(0)
    figures = np.array(values, float)
    medians = np.median(rng.choice(figures, (RESAMPLES, len(figures))), axis=1)
    low, high = np.quantile(medians, (0.025, 0.975), method="nearest")
    return Spread(float(np.median(figures)), float(low), float(high), float(figures.max()))
