"""What all figures share: margins, legends, axes, marks, arrows."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar

import plotly.graph_objects as go

from search.query import Objective
from search.visualization.theme import COST_TITLES, FRONT_COLOUR, axis_title, translucent
from space.wording import short

Item = TypeVar("Item")

Axis = Literal["x", "y"]
Point = tuple[float, float]
"""Across and up, in the units of the axes."""
GRID = "rgba(128, 140, 155, 0.22)"
AXIS = "rgba(128, 140, 155, 0.6)"
MAX_POINTS = 3000
"""How many points a picture draws; of more it draws a sample."""
_CROWD = 500


def figure(height: int, *, legend: bool = True) -> go.Figure:
    """An empty figure with the legend above the plot."""
    made = go.Figure()
    made.update_layout(
        height=height,
        margin={"l": 8, "r": 16, "t": 48 if legend else 16, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": None},
        hovermode="closest",
        dragmode="zoom",
    )
    axis = {"gridcolor": GRID, "zeroline": False, "linecolor": AXIS, "automargin": True}
    made.update_xaxes(**axis, showline=True)
    made.update_yaxes(**axis)
    return made


def accuracy_axis(
    made: go.Figure, values: Sequence[float], title: str = "validation accuracy", axis: Axis = "y"
) -> None:
    """Percent on an axis, with digits that keep neighbouring ticks apart."""
    spread = max(values, default=1.0) - min(values, default=0.0)
    digits = 0 if spread > 0.05 else 1 if spread > 0.005 else 2
    update_axis(made, axis, tickformat=f".{digits}%", title_text=title)


def cost_axis(made: go.Figure, values: Sequence[float], title: str, axis: Axis = "x") -> None:
    """A logarithmic axis with ticks that read 20k, 50k, 100k."""
    low, high = min(values, default=1.0), max(values, default=10.0)
    pad = 0.06 * max(math.log10(high / low), 0.3)
    ends = (math.log10(low) - pad, math.log10(high) + pad)
    ticks = _ticks(*ends)
    update_axis(
        made,
        axis,
        type="log",
        range=ends,
        tickvals=ticks,
        ticktext=[short(tick) for tick in ticks],
        title_text=title,
    )


def objective_axis(
    made: go.Figure, axis: Axis, objective: Objective, values: Sequence[float]
) -> None:
    """An axis of an objective: its unit, and the direction that is wanted."""
    title = axis_title(objective)
    if objective.name in COST_TITLES:
        cost_axis(made, values, title, axis)
    elif objective.name == "validation_accuracy":
        accuracy_axis(made, values, title, axis)
    else:
        update_axis(made, axis, title_text=title)


def update_axis(made: go.Figure, axis: Axis, **options: Any) -> None:
    """Changes the axis that runs across, or the one that runs up."""
    (made.update_xaxes if axis == "x" else made.update_yaxes)(**options)


def _ticks(low: float, high: float) -> list[float]:
    steps = (1, 2, 5) if high - low < 4 else (1,)
    powers = range(math.floor(low), math.ceil(high) + 1)
    every = [step * 10.0**power for power in powers for step in steps]
    found = [tick for tick in every if low <= math.log10(tick) <= high]
    return found if len(found) >= 3 else _even_ticks(10**low, 10**high)


def _even_ticks(low: float, high: float) -> list[float]:
    """At most six round numbers at even steps, where those of a logarithm are too far apart."""
    fifth = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(fifth))
    step = next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= fifth)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def point_opacity(number: int) -> float:
    """The opacity of so many points."""
    return 0.8 if number < _CROWD else 0.45


def add_points(
    made: go.Figure,
    places: Iterable[tuple[Any, Any]],
    custom: Sequence[Sequence[str]],
    hover: str,
    *,
    marker: dict[str, Any],
    **looks: Any,
) -> None:
    """A mark at every place, across and up; a click on it gives what its customdata holds."""
    across, up = _apart(places)
    made.add_scatter(
        x=across,
        y=up,
        customdata=custom,
        hovertemplate=hover,
        mode="markers",
        marker=marker,
        # Points that are not selected keep their looks: a click leads away from here.
        unselected={"marker": {"opacity": marker.get("opacity", 1)}},
        **looks,
    )


def add_steps(made: go.Figure, places: Iterable[tuple[Any, Any]], end: Any, **looks: Any) -> None:
    """Flat from each place, across and up, to where more is reached, and on to the end."""
    across, up = _apart(places)
    made.add_scatter(
        x=[*across, end],
        y=[*up, up[-1]],
        mode="lines",
        line={"shape": "hv", "color": FRONT_COLOUR, "width": 2},
        hoverinfo="skip",
        **looks,
    )


def _apart(places: Iterable[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    found = list(places)
    return [across for across, _ in found], [up for _, up in found]


def add_box(
    made: go.Figure, middle: Point, half: Point, colour: str, opacity: float, **looks: Any
) -> None:
    """A rectangle of half so wide and high, filled with the colour."""
    made.add_shape(
        type="rect",
        x0=middle[0] - half[0],
        x1=middle[0] + half[0],
        y0=middle[1] - half[1],
        y1=middle[1] + half[1],
        fillcolor=translucent(colour, opacity),
        **looks,
    )


def add_arrow(made: go.Figure, start: Point, end: Point, colour: str, **looks: Any) -> None:
    """An arrow between two places of the figure."""
    made.add_annotation(
        x=end[0],
        y=end[1],
        ax=start[0],
        ay=start[1],
        axref="x",
        ayref="y",
        text="",
        showarrow=True,
        arrowhead=2,
        arrowcolor=colour,
        **looks,
    )


def thinned(items: Sequence[Item], most: int) -> list[Item]:
    """All items when there are at most `most`; else so many, evenly spread over their order."""
    if len(items) <= most:
        return list(items)
    return [items[index * len(items) // most] for index in range(most)]
