"""Accuracy against params or FLOPs: every architecture, the Pareto front, the paper's operators."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Self

import plotly.graph_objects as go

from search.query import BestRow, Cost, OperatorRank, operator_ranks, pareto_front
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
)
from space.mixer_types import mixer_type_named
from space.relation_graph import NODES
from space.wording import percent, short


@dataclass(frozen=True, slots=True)
class CostPicture:
    """The architectures of the filter, as points of accuracy against cost.

    Attributes:
        front: the Pareto front, whole, in order of rising cost.
        named: the best architecture of each of the paper's operators that was tried alone.
        others: the rest, or a sample of it in which the most accurate are whole.
        total: how many completely trained architectures there are with an accuracy.
        without: how many there are without one; what was pruned does not compare.
    """

    front: list[BestRow]
    named: list[OperatorRank]
    others: list[BestRow]
    total: int
    without: int

    @classmethod
    def of(cls, rows: Sequence[BestRow], cost: Cost) -> Self:
        """The picture of these rows against one cost."""
        known = [row for row in rows if row.accuracy is not None and row.is_complete]
        front = pareto_front(known, cost)
        named = [ranked for ranked in operator_ranks(known) if ranked.name in NODES]
        special = {row.trial_id for row in front} | {ranked.row.trial_id for ranked in named}
        others = sampled([row for row in known if row.trial_id not in special], MAX_POINTS)
        return cls(front, named, others, len(known), len(rows) - len(known))

    @property
    def is_sample(self) -> bool:
        """Whether points were left out."""
        return self.total > len({row.trial_id for row in self.shown})

    @property
    def shown(self) -> list[BestRow]:
        """Every row that is drawn; front and named rows may repeat."""
        return [*self.others, *(ranked.row for ranked in self.named), *self.front]


def sampled(rows: list[BestRow], most: int) -> list[BestRow]:
    """At most `most` rows.

    Half of them are the most accurate, where people look; the others are drawn from the rest by
    chance, the same each time.
    """
    if len(rows) <= most:
        return rows
    ranked = sorted(rows, key=lambda row: (-(row.accuracy or 0.0), row.trial_id))
    top, rest = ranked[: most // 2], ranked[most // 2 :]
    Random(0).shuffle(rest)
    return top + thinned(rest, most - len(top))


HEIGHT = 600
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


def accuracy_cost_figure(picture: CostPicture, cost: Cost, theme: Theme = LIGHT) -> go.Figure:
    """The figure; every point carries its architecture's id first in its customdata."""
    made = figure(HEIGHT)
    rows = picture.shown
    for state, colour in STATE_COLOURS.items():
        of_state = [row for row in picture.others if row.state == state]
        if any(row.state == state for row in rows):  # for the legend, even without points
            marker = {"color": colour, "size": 8, "opacity": point_opacity(len(of_state))}
            _points(made, of_state, cost, name=str(state), marker=marker)
    _front(made, picture.front, cost, max(getattr(row, cost) for row in rows))
    _named(made, picture, cost, theme)
    cost_axis(made, [getattr(row, cost) for row in rows], COST_TITLES[cost])
    accuracy_axis(made, [row.accuracy or 0.0 for row in rows])
    low, high = _accuracy_range(rows)
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


def _named(made: go.Figure, picture: CostPicture, cost: Cost, theme: Theme) -> None:
    """Diamonds in the colour of what the operator adds, each with a label and a leader."""
    kinds = {s.name: kind_of(mixer_type_named(s.name)) for s in picture.named}
    for kind, colour in KIND_COLOURS.items():
        rows = [ranked.row for ranked in picture.named if kinds[ranked.name] == kind]
        if rows:
            marker = {
                "symbol": "diamond",
                "size": 13,
                "color": colour,
                "line": {"color": "rgba(255, 255, 255, 0.9)", "width": 1.5},
            }
            _points(made, rows, cost, name=f"paper: {kind}", marker=marker)
    rows = [ranked.row for ranked in picture.named]
    offsets = place_labels(
        list(_pixels(rows, picture.shown, cost)),
        [ranked.name for ranked in picture.named],
        width=_PLOT[0],
        height=_PLOT[1],
        narrowest=_NARROWEST,
        obstacles=[
            *_pixels(picture.others[:400], picture.shown, cost),
            *_along_steps(list(_pixels(picture.front, picture.shown, cost))),
        ],
    )
    for ranked, (right, down) in zip(picture.named, offsets, strict=True):
        made.add_annotation(
            x=math.log10(getattr(ranked.row, cost)),
            y=ranked.row.accuracy,
            text=ranked.name,
            ax=right,
            ay=down,
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=KIND_COLOURS[kinds[ranked.name]],
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
    values = [row.accuracy or 0.0 for row in rows]
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
