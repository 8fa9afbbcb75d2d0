"""The searcher of a study beside the random points of the same study.

The relative improvement is (A − R) / R at equal numbers n of evaluations (Yang, Esperança and
Carlucci, "NAS evaluation is frustratingly hard", ICLR 2020): R is the best validation accuracy of
the n random points, A that of the first n points of the searcher. Its interval comes from drawing
the n random points anew with replacement (bootstrap, 95 %); it does not hold the luck of the
searcher, of which there is one run.
"""

from dataclasses import dataclass

import numpy as np

from search.store.states import TrialState
from search.store.store import Store

BASELINE = "random baseline"
"""Origin of the trials that are random points beside a searcher."""

ENOUGH = 10
"""Evaluations on either side from which on a comparison is made."""

_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Comparison:
    """The searcher against random search in one study.

    Attributes:
        random: evaluated random points, and searched: evaluated points of the searcher; complete
            and pruned trials with an accuracy, no repeats.
        improvement: relative, at min(random, searched) evaluations; None where they are too few.
        low, high: of its 95 % interval.
    """

    random: int
    searched: int
    improvement: float | None = None
    low: float | None = None
    high: float | None = None

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        if self.improvement is None or self.low is None or self.high is None:
            return (
                f"Against random search: {self.random} random and {self.searched} searched "
                f"evaluations are too few to tell ({ENOUGH} of each are needed)."
            )
        return (
            f"Against random search, at {min(self.random, self.searched)} evaluations each: best "
            f"accuracy {self.improvement:+.2%} relative "
            f"(95 % interval {self.low:+.2%} to {self.high:+.2%})."
        )


def comparison(store: Store, study: str) -> Comparison | None:
    """How the searcher of a study compares; None for a study without random points beside it.

    Raises:
        InputError: an unknown study.
    """
    found = store.study(study)
    judged = [
        (trial.origin, trial.best_accuracy)
        for trial in store.trials(found.id, (TrialState.COMPLETE, TrialState.PRUNED))
        if trial.best_accuracy is not None and trial.repeat == 0
    ]
    random = [accuracy for origin, accuracy in judged if origin == BASELINE]
    searched = [accuracy for origin, accuracy in judged if origin == found.searcher]
    return compared(random, searched) if random else None


def compared(random: list[float], searched: list[float]) -> Comparison:
    """The comparison of accuracies (0 to 1) in the order in which they were proposed."""
    count = min(len(random), len(searched))
    if count < ENOUGH or max(random[:count]) <= 0:
        return Comparison(len(random), len(searched))
    best = max(searched[:count])
    draws = np.random.default_rng(0).choice(random[:count], (_DRAWS, count)).max(1)
    # A draw's best may be 0 where most accuracies are; it says nothing of a ratio.
    ratios = best / draws[draws > 0] - 1
    low, high = np.quantile(ratios, (0.025, 0.975))
    improvement = best / max(random[:count]) - 1
    return Comparison(len(random), len(searched), improvement, float(low), float(high))
