"""Places for labels beside points, so that labels cover neither each other nor the points."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

_HEIGHT = 18.0
_LETTER = 6.6
_REACH = (20.0, 34.0, 50.0, 70.0, 95.0, 125.0)
_DIRECTIONS = (
    (0.0, -1.0),
    (0.0, 1.0),
    (0.9, -0.7),
    (-0.9, -0.7),
    (0.9, 0.7),
    (-0.9, 0.7),
    (1.5, 0.0),
    (-1.5, 0.0),
)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, in pixels, y downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: "Box") -> float:
        """The common area in square pixels."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, width) * max(0.0, height)

    def outside(self, width: float, height: float) -> float:
        """By how many pixels it leaves a plot of this size."""
        return (
            max(0.0, -self.left)
            + max(0.0, -self.top)
            + max(0.0, self.right - width)
            + max(0.0, self.bottom - height)
        )


def place_labels(
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    *,
    width: float,
    height: float,
    obstacles: Sequence[tuple[float, float]] = (),
    narrowest: float | None = None,
) -> list[tuple[float, float]]:
    """Offsets in pixels from each point to the middle of its label.

    Labels are placed one after the other, each where it covers least: other labels, the labelled
    points, other points (which count less), and what is outside of the plot.

    Args:
        points: the labelled points, in pixels, y downwards.
        texts: their labels.
        width: of the plot, in pixels.
        height: of the plot, in pixels.
        obstacles: points that labels should rather not cover.
        narrowest: as narrow as the plot may become, the points with it and the labels not: the
            places are good for both widths.
    """
    widths = [width] if narrowest is None else [width, narrowest]
    plots = [_Plot(points, obstacles, each / width, each, height) for each in widths]
    offsets: list[tuple[float, float]] = [(0.0, 0.0)] * len(points)
    for index in sorted(range(len(points)), key=lambda index: points[index]):
        x, y = points[index]
        size = len(texts[index]) * _LETTER + 8
        best = (float("inf"), 0.0, 0.0)
        for reach, (right, down) in itertools.product(_REACH, _DIRECTIONS):
            along = right * (reach + (size / 2 - 10 if right else 0))
            spent = sum(plot.price(x, y, along, down * reach, size) for plot in plots)
            if spent + 2 * reach < best[0]:
                best = (spent + 2 * reach, along, down * reach)
        offsets[index] = best[1:]
        for plot in plots:
            plot.put(x, y, *best[1:], size)
    return offsets


class _Plot:
    """The plot at one of its widths, and the labels that have their places there."""

    def __init__(
        self,
        points: Sequence[tuple[float, float]],
        obstacles: Sequence[tuple[float, float]],
        scale: float,
        width: float,
        height: float,
    ) -> None:
        self._scale, self._width, self._height = scale, width, height
        self._taken = [_around(scale * x, y, 14.0, 14.0) for x, y in points]
        self._dots = [_around(scale * x, y, 6.0, 6.0) for x, y in obstacles]

    def price(self, x: float, y: float, along: float, down: float, size: float) -> float:
        """What a label covers there, and by how much it leaves the plot."""
        box = _around(self._scale * x + along, y + down, size, _HEIGHT)
        taken = sum(box.overlap(other) for other in self._taken)
        dotted = sum(box.overlap(dot) for dot in self._dots)
        return 20 * taken + dotted + 200 * box.outside(self._width, self._height)

    def put(self, x: float, y: float, along: float, down: float, size: float) -> None:
        """Keeps the label there."""
        self._taken.append(_around(self._scale * x + along, y + down, size, _HEIGHT))


def _around(x: float, y: float, width: float, height: float) -> Box:
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
