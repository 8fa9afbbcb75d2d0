"""A front as a small picture in SVG, for a cell of a notebook: no script, a few kilobytes."""

import math
from collections.abc import Iterable, Sequence
from html import escape

from search.store import TrialState
from search.visualization.frame import Point, thinned
from search.visualization.theme import COST_TITLES, FRONT_COLOUR, STATE_COLOURS
from space.wording import percent, short

_WIDTH, _HEIGHT = 480, 210
_LEFT, _RIGHT, _TOP, _FLOOR = 64.0, 444.0, 26.0, 160.0
_MOST = 300
_GREY = "#6b7580"


def small_front(points: Sequence[Point], front: Sequence[Point], cost: str) -> str:
    """Accuracy against a cost, on a logarithmic axis: open dots, and the front as steps and dots.

    Args:
        points: cost (above 0) and accuracy (0 to 1) of complete architectures; there must be one.
        front: of them, in order of rising cost.
        cost: the metric that the cost is.
    """
    costs, heights = zip(*points, strict=True)
    ends = (min(costs), max(costs)), (min(heights), max(heights))
    corners = [_place(point, *ends) for point in front]
    parts = [
        f'<path d="M56 20V168H{_RIGHT + 8:g}" fill="none" stroke="{_GREY}"/>',
        *_dots((_place(point, *ends) for point in thinned(points, _MOST)), 3, "none"),
        f'<path d="{_steps(corners)}" fill="none" stroke="{FRONT_COLOUR}" stroke-width="1.5"/>',
        *_dots(corners, 4, FRONT_COLOUR),
        *(
            _text((50, _place((costs[0], height), *ends)[1] + 4), percent(height), "end")
            for height in sorted(set(ends[1]))
        ),
        *(
            _text((_place((price, heights[0]), *ends)[0], 184), short(price), "middle")
            for price in sorted(set(ends[0]))
        ),
        _text((250, 202), COST_TITLES[cost], "middle"),
        _text((4, 12), "validation accuracy; filled: the Pareto front", "start"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="Helvetica, Arial, sans-serif" '
        f'font-size="12" fill="{_GREY}">{"".join(parts)}</svg>'
    )


def _place(point: Point, costs: Point, heights: Point) -> Point:
    """In pixels; in the middle where all are the same."""
    along = _share(math.log10(point[0]), math.log10(costs[0]), math.log10(costs[1]))
    up = _share(point[1], *heights)
    return _LEFT + along * (_RIGHT - _LEFT), _FLOOR - up * (_FLOOR - _TOP)


def _share(value: float, low: float, high: float) -> float:
    return (value - low) / (high - low) if high > low else 0.5


def _dots(places: Iterable[Point], radius: float, fill: str) -> list[str]:
    colour = STATE_COLOURS[TrialState.COMPLETE] if fill == "none" else fill
    return [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{colour}"/>'
        for x, y in places
    ]


def _steps(corners: Sequence[Point]) -> str:
    """Flat from each corner to where more is reached, and on to the end."""
    first, *rest = corners
    moves = "".join(f"H{x:.1f}V{y:.1f}" for x, y in rest)
    return f"M{first[0]:.1f} {first[1]:.1f}{moves}H{_RIGHT:g}"


def _text(place: Point, text: str, anchor: str) -> str:
    x, y = place
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
