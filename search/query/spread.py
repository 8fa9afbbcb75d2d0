"""How far results of one architecture scatter over seeds, and which ranks that leaves open.

The rule: two architectures are told apart by a two-sided t-test of their mean accuracies at the 5 %
level, with a standard deviation pooled over all architectures of the protocol that were trained
completely more than once. What it does not tell apart is a tie. Without any such architecture
nothing is known of the spread, and nothing is called a tie.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# 97.5 % quantiles of Student's t by degrees of freedom; between them, linear in 1/df, which is
# within 0.5 % from 2 on and too large, so on the safe side, below.
_QUANTILES = {
    1: 12.706,
    2: 4.303,
    3: 3.182,
    4: 2.776,
    5: 2.571,
    6: 2.447,
    8: 2.306,
    10: 2.228,
    15: 2.131,
    30: 2.042,
    60: 2.000,
    120: 1.980,
    math.inf: 1.960,
}


@dataclass(frozen=True, slots=True)
class Spread:
    """A pooled standard deviation.

    Attributes:
        deviation: of one result (accuracy, 0 to 1).
        freedom: degrees of freedom: repeats beyond the first, over all architectures.
    """

    deviation: float
    freedom: int

    def separates(self, difference: float, first: int, second: int) -> bool:
        """Whether means of `first` and of `second` results differ by more than chance would."""
        error = self.deviation * math.sqrt(1 / first + 1 / second)
        return abs(difference) > t_quantile(self.freedom) * error


def t_quantile(freedom: float) -> float:
    """The 97.5 % quantile of Student's t, for 1 degree of freedom or more."""
    inverse = [1 / df for df in _QUANTILES]
    return float(np.interp(1 / freedom, inverse[::-1], list(_QUANTILES.values())[::-1]))


def pooled(groups: Sequence[Sequence[float]]) -> Spread | None:
    """The spread within groups of results; None where no group has two."""
    several = [np.asarray(group, float) for group in groups if len(group) > 1]
    freedom = sum(len(group) - 1 for group in several)
    if not freedom:
        return None
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in several)
    return Spread(math.sqrt(squares / freedom), freedom)
