"""Moves between the shapes of a stage: the next smaller or larger depth, width or MLP ratio."""

from collections.abc import Sequence
from operator import ne, sub

from space.design.stage_options import Shape


class ShapeMoves:
    """The shapes that a stage may have; the moves from each are worked out once."""

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self._shapes = shapes
        self._moves: dict[Shape, list[Shape]] = {}

    def of(self, here: Shape) -> list[Shape]:
        """The next smaller and the next larger value of width, depth and MLP ratio.

        Where the other two do not go with the new value, they follow it: the nearest that do.
        """
        if here not in self._moves:
            found = [shape for axis in range(3) for shape in self._along(axis, here)]
            self._moves[here] = list(dict.fromkeys(found))
        return self._moves[here]

    def _along(self, axis: int, here: Shape) -> list[Shape]:
        values = sorted({shape[axis] for shape in self._shapes})
        place = values.index(here[axis])
        return [
            min(
                (shape for shape in self._shapes if shape[axis] == value),
                key=lambda shape: _distance(shape, here),
            )
            for value in values[max(0, place - 1) : place] + values[place + 1 : place + 2]
        ]


def _distance(one: Shape, other: Shape) -> tuple[int, float]:
    return sum(map(ne, one, other)), sum(map(abs, map(sub, one, other)))
