"""Accuracy against params or FLOPs: every architecture, the Pareto front, the paper's operators."""

import itertools
import math
from collections.abc import Iterable, Sequence

import plotly.graph_objects as go

from dashboard.as_text import hover
from dashboard.charts.frame import accuracy_axis, cost_axis, figure, ink, veil
from dashboard.charts.label_places import place_labels
from dashboard.palette import FRONT_COLOUR, KIND_COLOURS, STATE_COLOURS, kind_of_cell
from dashboard.reads.cost_picture import CostPicture
from search.query import BestRow
from search.query.pareto import Cost
from space.cells import cell_named
from space.wording import percent, short

HEIGHT = 600
_CROWD = 500
TITLES: dict[Cost, str] = {
    "params": "parameters",
    "flops": "FLOPs (multiply-accumulates for one image)",
}
# What labels are placed for: the plot's inside on a page of about 1,300 pixels.
_PLOT = (880.0, 500.0)
_HOVER = (
    "<b>%{customdata[1]}</b><br>%{customdata[2]} · %{customdata[3]} params · "
    "%{customdata[4]} FLOPs<br>%{customdata[5]}, %{customdata[6]}<br>"
    "%{customdata[7]} · trial %{customdata[8]} · %{customdata[0]}<extra></extra>"
)


def accuracy_cost_figure(picture: CostPicture, cost: Cost) -> go.Figure:
    """The figure; every point carries its architecture's id first in its customdata."""
    made = figure(HEIGHT)
    rows = picture.shown
    for state, colour in STATE_COLOURS.items():
        of_state = [row for row in picture.others if row.state == state]
        if any(row.state == state for row in rows):  # for the legend, even without points
            _points(made, of_state, cost, name=str(state), colour=colour)
    _front(made, picture.front, cost, max(getattr(row, cost) for row in rows))
    _named(made, picture, cost)
    cost_axis(made, [getattr(row, cost) for row in rows], TITLES[cost])
    accuracy_axis(made, [row.accuracy or 0.0 for row in rows])
    low, high = _accuracy_range(rows)
    made.update_yaxes(range=(low, high))
    return made


def _points(
    made: go.Figure, rows: Sequence[BestRow], cost: Cost, *, name: str, colour: str
) -> None:
    opacity = 0.8 if len(rows) < _CROWD else 0.45
    made.add_scatter(
        x=[getattr(row, cost) for row in rows],
        y=[row.accuracy for row in rows],
        customdata=_custom(rows),
        hovertemplate=_HOVER,
        mode="markers",
        name=name,
        marker={"color": colour, "size": 8, "opacity": opacity},
        # Points that are not selected keep their looks: a click leads away from here.
        unselected={"marker": {"opacity": opacity}},
    )


def _front(made: go.Figure, front: Sequence[BestRow], cost: Cost, end: float) -> None:
    """The steps run flat from each row to the next cost at which more is reached."""
    made.add_scatter(
        x=[*(getattr(row, cost) for row in front), end],
        y=[*(row.accuracy for row in front), front[-1].accuracy],
        mode="lines",
        line={"shape": "hv", "color": FRONT_COLOUR, "width": 2},
        hoverinfo="skip",
        name="Pareto front",
        legendgroup="front",
    )
    made.add_scatter(
        x=[getattr(row, cost) for row in front],
        y=[row.accuracy for row in front],
        customdata=_custom(front),
        hovertemplate=_HOVER,
        mode="markers",
        marker={
            "size": 10,
            "color": [STATE_COLOURS[row.state] for row in front],
            "line": {"color": FRONT_COLOUR, "width": 2},
        },
        unselected={"marker": {"opacity": 1}},
        name="on the front",
        legendgroup="front",
        showlegend=False,
    )


def _named(made: go.Figure, picture: CostPicture, cost: Cost) -> None:
    """Diamonds in the colour of what the operator adds, each with a label and a leader."""
    kinds = {s.name: kind_of_cell(cell_named(s.name)) for s in picture.named}
    for kind, colour in KIND_COLOURS.items():
        rows = [standing.row for standing in picture.named if kinds[standing.name] == kind]
        if rows:
            made.add_scatter(
                x=[getattr(row, cost) for row in rows],
                y=[row.accuracy for row in rows],
                customdata=_custom(rows),
                hovertemplate=_HOVER,
                mode="markers",
                name=f"paper: {kind}",
                marker={
                    "symbol": "diamond",
                    "size": 13,
                    "color": colour,
                    "line": {"color": "rgba(255, 255, 255, 0.9)", "width": 1.5},
                },
                unselected={"marker": {"opacity": 1}},
            )
    rows = [standing.row for standing in picture.named]
    offsets = place_labels(
        list(_pixels(rows, picture.shown, cost)),
        [standing.name for standing in picture.named],
        width=_PLOT[0],
        height=_PLOT[1],
        obstacles=[
            *_pixels(picture.others[:400], picture.shown, cost),
            *_along_steps(list(_pixels(picture.front, picture.shown, cost))),
        ],
    )
    for standing, (right, down) in zip(picture.named, offsets, strict=True):
        made.add_annotation(
            x=math.log10(getattr(standing.row, cost)),
            y=standing.row.accuracy,
            text=standing.name,
            ax=right,
            ay=down,
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=KIND_COLOURS[kinds[standing.name]],
            standoff=7,
            font={"size": 12, "color": ink()},
            bgcolor=veil(),
            borderpad=0,
        )


def _pixels(
    rows: Iterable[BestRow], every: Sequence[BestRow], cost: Cost
) -> Iterable[tuple[float, float]]:
    costs = [math.log10(getattr(row, cost)) for row in every]
    left, right = min(costs), max(costs)
    low, high = _accuracy_range(every)
    for row in rows:
        along = (math.log10(getattr(row, cost)) - left + 0.05) / (right - left + 0.1)
        up = ((row.accuracy or 0.0) - low) / (high - low)
        yield along * _PLOT[0], (1 - up) * _PLOT[1]


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
            hover(row.operators),
            percent(row.accuracy),
            short(row.params),
            short(row.flops),
            str(row.state),
            f"{row.epochs} epochs",
            hover(row.study),
            str(row.trial),
        ]
        for row in rows
    ]
