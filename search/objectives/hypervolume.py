"""The hypervolume that a set of results dominates, exactly, for any number of objectives."""

import numpy as np
from numpy.typing import ArrayLike

from search.objectives.pareto import Floats, nondominated


def hypervolume(vectors: ArrayLike, reference: ArrayLike) -> float:
    """The volume between the rows and the reference point; higher is better in every column.

    Computed by slicing along the last objective (Zitzler's HSO): exact, O(n log n) for two
    objectives, and fast enough for fronts of a few hundred rows in three or four.

    Args:
        vectors: shape (n, m); rows that are not above the reference everywhere add nothing.
        reference: shape (m,), the worst point that still counts.

    Raises:
        ValueError: the widths differ.
    """
    worst = np.asarray(reference, float)
    rows = np.asarray(vectors, float).reshape(-1, len(worst)) - worst
    return _volume(rows[(rows > 0).all(1)])


def _volume(rows: Floats) -> float:
    """Of rows above the origin."""
    if not len(rows):
        return 0.0
    if rows.shape[1] == 1:
        return float(rows.max())
    rows = rows[nondominated(rows)]
    rows = rows[np.argsort(-rows[:, -1], kind="stable")]
    floors = np.append(rows[1:, -1], 0.0)
    if rows.shape[1] == 2:
        widths = np.maximum.accumulate(rows[:, 0])
        return float(np.sum(widths * (rows[:, 1] - floors)))
    return float(
        sum(
            _volume(rows[: index + 1, :-1]) * (height - floor)
            for index, (height, floor) in enumerate(zip(rows[:, -1], floors, strict=True))
            if height > floor
        )
    )
