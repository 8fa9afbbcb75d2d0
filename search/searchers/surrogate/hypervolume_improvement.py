"""How much a point with uncertain objectives is expected to add to the best known ones."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from search.objectives import crowding_distances, nondominated

Floats = NDArray[np.float64]

_MOST_CELLS = 4096


def expected_improvement(mean: Floats, deviation: Floats, above: Floats) -> Floats:
    """E[max(0, Y − above)] of a normal Y; the shapes broadcast, a deviation may be 0."""
    certain = np.maximum(mean - above, 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        z = (mean - above) / deviation
        density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
        found = deviation * (z * ndtr(z) + density)
    return np.where(deviation > 0, np.maximum(np.nan_to_num(found), 0.0), certain)


class FrontPartitioning:
    """The best known vectors, cut into cells in which the improvement is a product.

    For independent normal objectives the expected hypervolume improvement is exact: over the
    cells of a grid through the front in all objectives but the last, the sum of the expected
    overlaps times the expected improvement of the last one above the front in that cell. An
    objective that is known for sure is one of deviation 0; for one objective it is the classic
    expected improvement.

    Args:
        vectors: shape (n, m), higher is better; n may be 0.
        reference: shape (m,), the worst that still counts.
    """

    def __init__(self, vectors: Floats, reference: Floats) -> None:
        self.reference = reference
        rows = vectors[(vectors > reference).all(1)]
        self.rows = _thinned(rows[nondominated(rows)])
        edges = [np.unique([*self.rows[:, i], reference[i]]) for i in range(len(reference) - 1)]
        cells = math.prod(len(edge) for edge in edges)
        self._lows = _grid(edges, cells)
        self._highs = _grid([np.append(edge[1:], np.inf) for edge in edges], cells)
        self._floor = np.full(cells, reference[-1])
        for row in self.rows:
            under = (row[:-1, None] > self._lows).all(0)
            self._floor[under] = np.maximum(self._floor[under], row[-1])

    def with_vector(self, vector: Floats) -> "FrontPartitioning":
        """The front with one more vector."""
        return FrontPartitioning(np.vstack([self.rows, vector]), self.reference)

    def expected_improvement(self, means: Floats, deviations: Floats) -> Floats:
        """Expected hypervolume improvement, shape (c,), of means and deviations of (c, m)."""
        last = expected_improvement(means[:, -1:], deviations[:, -1:], self._floor[None, :])
        for place, (low, high) in enumerate(zip(self._lows, self._highs, strict=True)):
            mean, deviation = means[:, place, None], deviations[:, place, None]
            inside = expected_improvement(mean, deviation, low[None, :])
            beyond = expected_improvement(mean, deviation, high[None, :])
            last = last * np.maximum(inside - beyond, 0.0)
        total: Floats = last.sum(1)
        return total


def _grid(edges: list[Floats], cells: int) -> Floats:
    """The edge of every cell along every axis, shape (axes, cells)."""
    corners = [corner.ravel() for corner in np.meshgrid(*edges, indexing="ij")]
    return np.array(corners).reshape(len(edges), cells)


def _thinned(rows: Floats) -> Floats:
    """The least crowded rows of a front, as many as keep the cells few."""
    width = rows.shape[1] - 1
    most = len(rows) if width == 0 else int(_MOST_CELLS ** (1 / width)) - 1
    most = min(most, 64)
    if len(rows) <= most:
        return rows
    return rows[np.argsort(-crowding_distances(rows), kind="stable")[:most]]
