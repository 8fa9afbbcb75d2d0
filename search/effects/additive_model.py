"""The additive model of accuracies over axes: variances that it leaves, permutations, resamples.

Variances are of residuals over their degrees of freedom, so that what is of no use explains nothing
on average, however many values it has.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np

from search.effects.estimates import Floats

Pair = tuple[str, str]

PERMUTATIONS, RESAMPLES = 999, 200
_ALIKE = 1e-9


class AdditiveModel:
    """A constant, and a number for each value of each axis.

    Attributes:
        axes: their names.
        y: (networks,), accuracies.
    """

    def __init__(
        self, axes: Mapping[str, Floats], y: Floats, within: Mapping[str, str] | None = None
    ) -> None:
        """A model.

        Args:
            axes: (networks, values) by axis, the share of each network that has the value.
            y: (networks,), accuracies.
            within: axes that say more of what another says already, as a kernel's size says that
                there is a kernel: what the other explains is told without them.
        """
        self.axes, self.y = list(axes), y
        self._within: dict[str, list[str]] = {axis: [] for axis in axes}
        for inner, outer in (within or {}).items():
            if inner in axes and outer in axes:
                self._within[outer].append(inner)
        columns = [np.ones((len(y), 1)), *axes.values()]
        ends = np.cumsum([each.shape[1] for each in columns])
        self._columns = np.hstack(columns)
        places = [range(start, end) for start, end in pairwise(ends)]
        self._places = dict(zip(axes, places, strict=True))
        self._bases: dict[tuple[str, ...], Floats] = {}

    # --- what the columns tell ------------------------------------------------------------------

    def _without(self, *axes: str) -> list[int]:
        """The columns of the model without some axes."""
        gone = {column for axis in axes for column in self._places[axis]}
        return [column for column in range(self._columns.shape[1]) if column not in gone]

    def _basis(self, *axes: str) -> Floats:
        """(networks, rank), orthonormal, of the model without some axes."""
        axes = tuple(sorted(axes))
        if axes not in self._bases:
            self._bases[axes] = _basis(self._columns[:, self._without(*axes)])
        return self._bases[axes]

    @cached_property
    def rank(self) -> int:
        """How many numbers the model has."""
        return int(self._basis().shape[1])

    def is_of_its_own(self, axis: str) -> bool:
        """Whether the other axes leave something of this one open."""
        inner = self._within[axis]
        return self._numbers(axis, *inner) < self._numbers(*inner)

    def aliases(self, axis: str) -> list[str]:
        """The axes without any one of which this one would be of its own."""
        inner = self._within[axis]
        others = (each for each in self.axes if each != axis and each not in inner)
        return [
            each
            for each in others
            if self._numbers(axis, each, *inner) < self._numbers(each, *inner)
        ]

    def _numbers(self, *without: str) -> int:
        return int(self._basis(*without).shape[1])

    def _together(self, pair: Pair) -> Floats:
        """(networks, columns), the products of those of two axes."""
        one, other = (self._columns[:, self._places[axis]] for axis in pair)
        return (one[:, :, None] * other[:, None, :]).reshape(len(self.y), -1)

    # --- tests ----------------------------------------------------------------------------------

    def p_of_axis(self, axis: str) -> float:
        """Of an axis that explains nothing which the others do not."""
        permutations = _Permutations(self._basis(axis, *self._within[axis]), self.y)
        tails = permutations.tails(self._columns[:, self._places[axis]])
        return math.nan if tails is None else _share_below(tails[1:], tails[0])

    def p_of_pairs(self, pairs: Iterable[Pair], beside: Iterable[Pair] = ()) -> dict[Pair, float]:
        """Of pairs of axes that explain nothing which both by themselves do not.

        They are corrected for all pairs at once by the smallest of all in each permutation
        (Westfall and Young, 1993). Pairs that open no more numbers than each by itself, or leave
        hardly two networks for each number, are left out.

        Args:
            pairs: to be tested.
            beside: pairs that are in the model already.
        """
        model = np.hstack([self._basis(), *map(self._together, beside)])
        permutations = _Permutations(_basis(model), self.y)
        every = {pair: permutations.tails(self._together(pair)) for pair in pairs}
        tested = {pair: tails for pair, tails in every.items() if tails is not None}
        if not tested:
            return {}
        smallest = np.min([tails[1:] for tails in tested.values()], axis=0)
        return {pair: _share_below(smallest, tails[0]) for pair, tails in tested.items()}

    # --- shares ---------------------------------------------------------------------------------

    def explained(self, *axes: str) -> float:
        """The share of the variance that these axes explain alone, or all where none is named."""
        gone = [axis for axis in self.axes if axes and axis not in axes]
        total, left = _variances(self._columns, self.y, _once(self.y), ([0], self._without(*gone)))
        return float(1 - left[0] / total[0])

    def explained_together(self, pair: Pair, beside: Iterable[Pair] = ()) -> float:
        """The share that two axes explain beyond the model, with other pairs in it."""
        less = np.hstack([self._columns, *map(self._together, beside)])
        whole = np.hstack([less, self._together(pair)])
        sets = [[0], list(range(less.shape[1])), list(range(whole.shape[1]))]
        total, without, within = _variances(whole, self.y, _once(self.y), sets)
        return float((without[0] - within[0]) / total[0])

    def shares(self, axes: Sequence[str]) -> Floats:
        """(1 + resamples, axes), what each explains beyond the others: here, and in resamples."""
        sets = [[0]]
        for axis in axes:
            inner = self._within[axis]
            sets += [self._without(axis, *inner), self._without(*inner)]
        return self._resampled(self._columns, sets)

    def share_of_pair(self, pair: Pair) -> Floats:
        """(1 + resamples, 1), what two axes explain only together: here, and in resamples."""
        columns = np.hstack([self._columns, self._together(pair)])
        return self._resampled(columns, [[0], self._without(), list(range(columns.shape[1]))])

    def _resampled(self, columns: Floats, sets: Sequence[Sequence[int]]) -> Floats:
        """(1 + resamples, gains) of the first set, from each other set to the next of two."""
        count = len(self.y)
        drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES)
        total, *left = _variances(columns, self.y, np.vstack([_once(self.y), drawn]), sets)
        gains = [less - more for less, more in zip(left[::2], left[1::2], strict=True)]
        return np.stack(gains, axis=1) / np.maximum(total, np.finfo(float).tiny)[:, None]


def _once(y: Floats) -> Floats:
    return np.ones((1, len(y)))


def _basis(columns: Floats) -> Floats:
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    found: Floats = left[:, sizes > _ALIKE * sizes.max(initial=0.0)]
    return found


def _beyond(basis: Floats, columns: Floats) -> Floats:
    """(networks, rank), orthonormal, of what columns have and the basis has not."""
    left = columns - basis @ (basis.T @ columns)
    directions, sizes, _ = np.linalg.svd(left, full_matrices=False)
    found: Floats = directions[:, sizes > _ALIKE * np.sqrt(len(columns))]
    return found


class _Permutations:
    """The residuals of a model, dealt out anew (Freedman and Lane); the same each time."""

    def __init__(self, basis: Floats, y: Floats) -> None:
        rng = np.random.default_rng(0)
        self._basis = basis
        self._left = y - basis @ (basis.T @ y)
        orders = rng.permuted(np.tile(np.arange(len(y)), (PERMUTATIONS, 1)), axis=1)
        self._dealt = self._left[orders.T]
        self._rest = self._left @ self._left - np.sum((basis.T @ self._dealt) ** 2, axis=0)

    def tails(self, columns: Floats) -> Floats | None:
        """(1 + permutations,), of columns beyond the model: here, and in permutations.

        They are those of the F test, which makes tests of different numbers alike; whether errors
        are normal decides nothing, as they are but ranked. None where nothing can be tested.
        """
        from scipy.special import fdtrc  # takes a good part of a second to import

        more = _beyond(self._basis, columns)
        free = len(self._left) - self._basis.shape[1] - more.shape[1]
        if not more.shape[1] or free < len(self._left) / 2:
            return None
        gains = np.append(
            np.sum((more.T @ self._left) ** 2), np.sum((more.T @ self._dealt) ** 2, 0)
        )
        rest = np.maximum(np.append(self._left @ self._left, self._rest), _ALIKE**2)
        ratios = gains / more.shape[1] / np.maximum((rest - gains) / free, _ALIKE**2)
        found: Floats = fdtrc(more.shape[1], free, ratios)
        return found


def _share_below(dealt: Floats, seen: float) -> float:
    """p of a tail among those of permutations."""
    return float(1 + np.count_nonzero(dealt <= seen * (1 + _ALIKE))) / (1 + len(dealt))


def _variances(
    columns: Floats, y: Floats, weights: Floats, sets: Iterable[Sequence[int]]
) -> list[Floats]:
    """What models of some of the columns leave of the variance, for each row of weights.

    Where networks are drawn with replacement, the errors that some have in common make the degrees
    of freedom fewer than networks less numbers: they are trace(W) - trace((X'WX)⁻ X'W²X).

    Args:
        columns: (networks, columns). y: (networks,).
        weights: (rows, networks), how often each counts.
        sets: of columns.

    Returns:
        For each set (rows,).
    """
    centred = y - y.mean()
    grams, squares, products, totals = [], [], [], []
    for row in weights:
        weighted = columns * row[:, None]
        grams.append(weighted.T @ columns)
        squares.append(weighted.T @ weighted)
        products.append(weighted.T @ centred)
        totals.append(row @ centred**2)
    gram, square = np.stack(grams), np.stack(squares)
    product, total = np.stack(products), np.array(totals)
    found = []
    for chosen in sets:
        each = np.asarray(chosen)
        inverse = np.linalg.pinv(gram[:, each[:, None], each], rcond=_ALIKE, hermitian=True)
        told = np.einsum("bi,bij,bj->b", product[:, each], inverse, product[:, each])
        used = np.einsum("bij,bji->b", inverse, square[:, each[:, None], each])
        free = np.maximum(weights.sum(axis=1) - used, 1.0)
        found.append(np.maximum(total - told, 0.0) / free)
    return found
