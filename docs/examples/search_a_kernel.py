"""Searches a space that is not vision: how to cut a matrix product into tiles.

    python -m docs.examples.search_a_kernel

A space says how to draw a point, which points are one move away, what tells two points apart, and
what a point looks like in numbers. What the points are is its own business.
"""

from typing import NamedTuple

import numpy as np

from search import optimize

SIZES = {"rows": (8, 16, 32, 64, 128), "columns": (8, 16, 32, 64, 128), "depth": (4, 8, 16, 32)}
Tile = NamedTuple("Tile", [(name, int) for name in SIZES])


class Tiles:
    """All tiles of these sizes."""

    def sample(self, rng: np.random.Generator) -> Tile:
        return Tile(*(int(rng.choice(sizes)) for sizes in SIZES.values()))

    def neighbours(self, tile: Tile) -> list[Tile]:
        moved = [tile._replace(**{name: s}) for name, sizes in SIZES.items() for s in sizes]
        return [near for near in moved if near != tile]

    def key(self, tile: Tile) -> Tile:
        return tile

    def encode(self, tile: Tile) -> list[float]:
        return [float(np.log2(size)) for size in tile]


def metrics(tile: Tile) -> dict[str, float]:
    """Work per word that is loaded, and the words that a tile keeps in the cache."""
    words = tile.depth * (tile.rows + tile.columns)
    reuse = tile.rows * tile.columns * tile.depth / (words + 50)
    return {"reuse": reuse, "cache": words + tile.rows * tile.columns}


if __name__ == "__main__":
    wanted = {"objectives": {"reuse": "maximise"}, "constraints": {"cache": 8192}}
    result = optimize(Tiles(), metrics, searcher="evolution", budget=60, seed=0, **wanted)
    print(f"best of {len(result.evaluations)}: {result.best.point}, {dict(result.best.values)}")
