"""Pairs of architectures: in which of them two measures agree, and Kendall's tau of that.

A pair agrees where both measures order it alike, disagrees where they order it the other way, and
is tied where one does not order it at all. Tau-b (Kendall, 1945) is the agreeing pairs less the
disagreeing ones, over the geometric mean of the pairs that each measure orders. Restricted to some
of the pairs, such as those within one family, it is the same ratio over these.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST = 4096
"""Points whose pairs are counted; of more so many are drawn, which leaves tau within 0.01."""

_ROWS = 256


@dataclass(frozen=True)
class PairCounts:
    """For every point, over its pairs with the others; arrays of shape (n,).

    Attributes:
        balance: agreeing less disagreeing pairs.
        ordered, full_ordered: pairs that the one measure, and the other, does not tie.
        pairs: all that are allowed.
    """

    balance: Floats
    ordered: Floats
    full_ordered: Floats
    pairs: Floats

    def __len__(self) -> int:
        return len(self.balance)

    def __sub__(self, other: "PairCounts") -> "PairCounts":
        """The pairs of this that are not of the other."""
        return PairCounts(
            self.balance - other.balance,
            self.ordered - other.ordered,
            self.full_ordered - other.full_ordered,
            self.pairs - other.pairs,
        )

    @property
    def tau(self) -> float:
        """Tau-b; NaN where a measure orders no pair."""
        return float(_ratio(self.balance.sum(), self.ordered.sum(), self.full_ordered.sum()))

    @property
    def without_each(self) -> Floats:
        """Tau-b without the first point, without the second and so on; (n,)."""
        # Every pair is counted at both of its points.
        sums = (self.balance, self.ordered, self.full_ordered)
        return np.asarray(_ratio(*(each.sum() - 2 * each for each in sums)))

    @property
    def tied(self) -> tuple[float, float]:
        """The share of the pairs that each measure ties, 0 to 1; NaN without pairs."""
        pairs = self.pairs.sum()
        if not pairs:
            return float("nan"), float("nan")
        return (
            float(1 - self.ordered.sum() / pairs),
            float(1 - self.full_ordered.sum() / pairs),
        )


def _ratio(balance: Floats, ordered: Floats, full_ordered: Floats) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(balance / np.sqrt(ordered * full_ordered), dtype=float)


def count_pairs(
    proxy: Floats, full: Floats, families: Sequence[str] | None = None
) -> tuple[PairCounts, PairCounts]:
    """All pairs, and those within one family; O(n²) time, O(n) memory.

    Args:
        proxy, full: (n,) finite values.
        families: (n,) names; without them the second counts are zero.
    """
    codes = None if families is None else np.unique(np.asarray(families), return_inverse=True)[1]
    counts = np.zeros((2, 4, len(full)))
    for start in range(0, len(full), _ROWS):
        rows = slice(start, start + _ROWS)
        one, other = _signs(proxy, rows), _signs(full, rows)
        counts[0, :, rows] = _counts(one, other)
        counts[0, 3, rows] -= 1  # nobody is a pair with itself
        if codes is not None:
            same = codes[rows, None] == codes
            counts[1, :, rows] = _counts(one * same, other * same, same)
            counts[1, 3, rows] -= 1
    return PairCounts(*counts[0]), PairCounts(*counts[1])


def _signs(values: Floats, rows: slice) -> NDArray[np.int8]:
    """Whether the values of rows are above (1), below (-1) or equal to those of columns."""
    mine = values[rows, None]
    return (mine > values).astype(np.int8) - (mine < values).astype(np.int8)


def _counts(
    one: NDArray[np.int8], other: NDArray[np.int8], allowed: NDArray[np.bool_] | None = None
) -> Floats:
    pairs = np.full(len(one), one.shape[1]) if allowed is None else allowed.sum(1)
    sums = [each.sum(1, dtype=np.int64) for each in (one * other, np.abs(one), np.abs(other))]
    return np.stack([*sums, pairs]).astype(float)


def drawn(points: int, seed: int = 0) -> NDArray[np.int64]:
    """Positions of all points, or of `MOST` of them, always the same ones, in order."""
    if points <= MOST:
        return np.arange(points)
    return np.sort(np.random.default_rng(seed).choice(points, MOST, replace=False))
