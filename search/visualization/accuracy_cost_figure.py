"""Accuracy against params or FLOPs: every architecture, the Pareto front, the paper's operators."""

import itertools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import plotly.graph_objects as go

from search.query import AccuracyCost, BestRow, Cost, Density
from search.query.accuracy_cost import COLUMNS, ROWS
from search.store import TrialState
from search.visualization.frame import (
    MAX_POINTS,
    Point,
    accuracy_axis,
    add_points,
    add_steps,
    cost_axis,
    figure,
    point_opacity,
    thinned,
)
from search.visualization.label_places import place_labels
from search.visualization.plain_text import plain
from search.visualization.theme import (
    COST_TITLES,
    FRONT_COLOUR,
    KIND_COLOURS,
    LIGHT,
    STATE_COLOURS,
    STATE_SYMBOLS,
    Theme,
    kind_of,
    translucent,
)
from space.mixer_types import mixer_type_named
from space.wording import percent, short

HEIGHT = 600
_SHADE = "#7a8794"
# What labels are placed for: the plot's inside on a page of about 1,300 pixels.
_PLOT = (880.0, 500.0)
LEAST = 500
"""Pixels across that the figure needs, so that its labels keep clear of each other."""
_NARROWEST = LEAST - 100.0  # without the axis and its words
_HOVER = (
    "<b>%{customdata[1]}</b><br>%{customdata[2]} · %{customdata[3]} params · "
    "%{customdata[4]} FLOPs<br>%{customdata[5]}, %{customdata[6]}<br>"
    "%{customdata[7]} · trial %{customdata[8]} · %{customdata[0]}<extra></extra>"
)


def accuracy_cost_figure(picture: AccuracyCost, cost: Cost, theme: Theme = LIGHT) -> go.Figure:
    """The figure; every point carries its architecture's id first in its customdata."""
    made = figure(HEIGHT)
    rows = picture.shown
    density = picture.density
    costs = [float(getattr(row, cost)) for row in rows] + [*(density.costs if density else ())]
    heights = [row.accuracy or 0.0 for row in rows] + [*(density.accuracies if density else ())]
    if density is not None:
        _shade(made, density)
    for state, colour in STATE_COLOURS.items():
        of_state = [row for row in picture.others if row.state == state]
        if any(row.state == state for row in rows):  # for the legend, even without points
            marker = {"color": colour, "size": 8, "opacity": point_opacity(len(of_state))}
            _points(made, of_state, cost, name=str(state), marker=marker)
    _front(made, picture.front, cost, max(costs))
    _named(made, picture, cost, theme)
    cost_axis(made, costs, COST_TITLES[cost])
    accuracy_axis(made, heights)
    low, high = _range(heights)
    made.update_yaxes(range=(low, high))
    return made


def add_pruned(made: go.Figure, rows: Sequence[BestRow], cost: Cost) -> None:
    """Rows that were stopped early, beside the others: open, and behind them in the legend.

    Args:
        made: accuracy against this cost; its axes grow to hold them.
        rows: what is not complete and has an accuracy is drawn, or an even sample of it.
        cost: on the axis across.
    """
    known = [row for row in rows if row.accuracy is not None and not row.is_complete]
    shown = thinned(known, MAX_POINTS)
    if not shown:
        return
    state = TrialState.PRUNED
    marker = {"color": STATE_COLOURS[state], "symbol": STATE_SYMBOLS[state], "size": 8}
    _points(made, shown, cost, name="stopped early: does not compare", marker=marker)
    across = [x for trace in made.data for x in trace.x]
    up = [y for trace in made.data for y in trace.y]
    cost_axis(made, across, COST_TITLES[cost])
    accuracy_axis(made, up)
    pad = max(0.08 * (max(up) - min(up)), 0.004)
    made.update_yaxes(range=(min(up) - pad, max(up) + pad))


def _shade(made: go.Figure, density: Density) -> None:
    """How many networks are in each cell, the more the darker, on a scale of logarithms."""
    across = edges(density.costs, COLUMNS, is_log=True)
    up = edges(density.accuracies, ROWS)
    counts = [
        [density.counts.get((column, row)) for column in range(COLUMNS)] for row in range(ROWS)
    ]
    made.add_heatmap(
        x=across,
        y=up,
        z=[[None if many is None else math.log10(many) for many in row] for row in counts],
        text=[[None if many is None else f"{many:,}" for many in row] for row in counts],
        hovertemplate="%{text} networks in this cell<extra></extra>",
        hoverongaps=False,
        colorscale=[(0.0, translucent(_SHADE, 0.12)), (1.0, translucent(_SHADE, 0.6))],
        showscale=False,
        name="networks",
    )


def edges(ends: tuple[float, float], cells: int, *, is_log: bool = False) -> list[float]:
    """The edges of so many cells between two ends; around a single value there is some room."""
    low, high = (math.log(max(end, 1.0)) for end in ends) if is_log else ends
    if low == high:
        low, high = low - 1e-3, high + 1e-3
    places = [low + (high - low) * cell / cells for cell in range(cells + 1)]
    return [math.exp(place) for place in places] if is_log else places


def _places(rows: Iterable[BestRow], cost: Cost) -> list[Point]:
    return [(getattr(row, cost), row.accuracy or 0.0) for row in rows]


def _points(made: go.Figure, rows: Sequence[BestRow], cost: Cost, **looks: Any) -> None:
    add_points(made, _places(rows, cost), _custom(rows), _HOVER, **looks)


def _front(made: go.Figure, front: Sequence[BestRow], cost: Cost, end: float) -> None:
    """The steps, and their corners as points on them."""
    add_steps(made, _places(front, cost), end, name="Pareto front", legendgroup="front")
    marker = {
        "size": 10,
        "color": [STATE_COLOURS[row.state] for row in front],
        "line": {"color": FRONT_COLOUR, "width": 2},
    }
    looks = {"legendgroup": "front", "showlegend": False}
    _points(made, front, cost, name="on the front", marker=marker, **looks)


def _named(made: go.Figure, picture: AccuracyCost, cost: Cost, theme: Theme) -> None:
    """Diamonds in the colour of what the operator adds, each with a label and a leader."""
    kinds = {row.operators: kind_of(mixer_type_named(row.operators)) for row in picture.named}
    for kind, colour in KIND_COLOURS.items():
        rows = [row for row in picture.named if kinds[row.operators] == kind]
        if rows:
            marker = {
                "symbol": "diamond",
                "size": 13,
                "color": colour,
                "line": {"color": "rgba(255, 255, 255, 0.9)", "width": 1.5},
            }
            _points(made, rows, cost, name=f"paper: {kind}", marker=marker)
    offsets = place_labels(
        list(_pixels(picture.named, picture.shown, cost)),
        [row.operators for row in picture.named],
        width=_PLOT[0],
        height=_PLOT[1],
        narrowest=_NARROWEST,
        obstacles=[
            *_pixels(picture.others[:400], picture.shown, cost),
            *_along_steps(list(_pixels(picture.front, picture.shown, cost))),
        ],
    )
    for row, (right, down) in zip(picture.named, offsets, strict=True):
        made.add_annotation(
            x=math.log10(getattr(row, cost)),
            y=row.accuracy,
            text=row.operators,
            ax=right,
            ay=down,
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=KIND_COLOURS[kinds[row.operators]],
            standoff=7,
            font={"size": 12, "color": theme.ink},
            bgcolor=theme.veil,
            borderpad=0,
        )


def _pixels(
    rows: Iterable[BestRow], every: Sequence[BestRow], cost: Cost
) -> Iterable[tuple[float, float]]:
    costs = [math.log10(getattr(row, cost)) for row in every]
    left, right = min(costs), max(costs)
    low, high = _accuracy_range(every)
    for price, accuracy in _places(rows, cost):
        along = (math.log10(price) - left + 0.05) / (right - left + 0.1)
        yield along * _PLOT[0], (1 - (accuracy - low) / (high - low)) * _PLOT[1]


def _along_steps(corners: Sequence[tuple[float, float]]) -> Iterable[tuple[float, float]]:
    """Points every few pixels along the front."""
    corners = [*corners, (_PLOT[0], corners[-1][1])]
    for (left, old), (right, new) in itertools.pairwise(corners):
        yield from ((left + step, old) for step in range(0, int(right - left), 6))
        yield from ((right, new + step) for step in range(0, int(old - new), 6))


def _accuracy_range(rows: Sequence[BestRow]) -> tuple[float, float]:
    return _range([row.accuracy or 0.0 for row in rows])


def _range(values: Sequence[float]) -> tuple[float, float]:
    pad = max(0.08 * (max(values) - min(values)), 0.004)
    return min(values) - pad, max(values) + pad


def _custom(rows: Sequence[BestRow]) -> list[list[str]]:
    return [
        [
            row.architecture_id,
            plain(row.operators),
            percent(row.accuracy),
            short(row.params),
            short(row.macs),
            str(row.state),
            f"{row.epochs} epochs",
            plain(row.study),
            str(row.trial),
        ]
        for row in rows
    ]
