"""The relative neighbourhood graph of cells: which of them a move joins."""

from functools import lru_cache

import numpy as np

from space.cells import Cell


@lru_cache(maxsize=64)
def relative_neighbours(cells: tuple[Cell, ...]) -> dict[Cell, tuple[Cell, ...]]:
    """For each cell those with no third cell closer to both (Toussaint 1980), in the given order.

    The distance of two cells is the number of axes in which they differ, so that cells one axis
    apart are always joined. The graph is connected, without long ways round.
    """
    values = np.array([cell.values for cell in cells])
    apart = (values[:, None] != values[None]).sum(2)
    joined = np.zeros_like(apart, dtype=bool)
    for far in range(1, int(apart.max()) + 1):
        near = (apart < far).astype(np.int64)
        joined |= (apart == far) & (near @ near == 0)
    return {
        cell: tuple(cells[other] for other in np.flatnonzero(row))
        for cell, row in zip(cells, joined, strict=True)
    }
