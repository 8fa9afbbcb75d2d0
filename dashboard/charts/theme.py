"""What all charts share: colours, margins, legends, axes, and how they are put on a page.

The kinds of operators have the colours of the paper's figure (blue, green and cyan), in tones that
keep apart for colour-blind eyes and read on a light and on a dark page.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

import plotly.graph_objects as go
import streamlit as st

from search.store import TrialState
from space.cells import Cell
from space.relation_graph import Kind
from space.wording import short

Item = TypeVar("Item")

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}
Axis = Literal["x", "y"]
GRID = "rgba(128, 140, 155, 0.22)"
AXIS = "rgba(128, 140, 155, 0.6)"


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


def ink() -> str:
    """The colour of the page's own text; Plotly's theme makes labels inside of a chart grey."""
    return "#e6ebf0" if st.context.theme.type == "dark" else "#1d2733"


def veil() -> str:
    """The page's background, half see-through: behind text that may lie over points."""
    return (
        "rgba(18, 23, 29, 0.7)" if st.context.theme.type == "dark" else "rgba(255, 255, 255, 0.7)"
    )


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


def show(made: go.Figure, key: str, alt: str) -> None:
    """Puts a figure on the page, as wide as the page."""
    st.plotly_chart(made, key=key, width="stretch", config=CONFIG, alt=alt)


def show_selectable(made: go.Figure, key: str, alt: str) -> str | None:
    """Puts a figure on the page; what the clicked point carries first in its customdata."""
    event = st.plotly_chart(
        made,
        key=key,
        width="stretch",
        config=CONFIG,
        alt=alt,
        on_select="rerun",
        selection_mode="points",
    )
    return first_custom(event)


def first_custom(event: Any) -> str | None:
    """The first value of the customdata of the first selected point that has any."""
    for point in event["selection"]["points"]:
        data = point.get("customdata")
        if isinstance(data, dict):  # Plotly sends a typed array as an object with its indices
            data = list(data.values())
        first = data[0] if isinstance(data, (list, tuple)) and data else data
        if isinstance(first, str) and first:
            return first
    return None


DENSE = "dense"
"""The kind of an operator that is neither sparse, low rank nor dynamic: MLP."""

KIND_COLOURS: dict[str, str] = {
    DENSE: "#8b96a3",
    Kind.SPARSE: "#3f6fb5",
    Kind.LOW_RANK: "#27884f",
    Kind.DYNAMIC: "#128aab",
}

STATE_COLOURS: dict[TrialState, str] = {
    TrialState.COMPLETE: "#6a62b8",
    TrialState.PRUNED: "#d39a2d",
    TrialState.RUNNING: "#e2703a",
    TrialState.WAITING: "#a3adb8",
    TrialState.PREEMPTED: "#8c8a3e",
    TrialState.INFEASIBLE: "#b0569a",
    TrialState.FAILED: "#cf4553",
}

FRONT_COLOUR = "#d1495b"
"""The Pareto front, and the best so far."""

BREAKING_COLOUR = "#8b96a3"
"""What breaks a constraint of its study."""

LINE_COLOURS = (
    "#3f6fb5",
    "#e2703a",
    "#2c9a5b",
    "#b0569a",
    "#1fa9c9",
    "#d39a2d",
    "#6a62b8",
    "#cf4553",
    "#8c8a3e",
    "#8b96a3",
)
"""One after the other for lines that differ in nothing but who they are."""


def kind_of(locality: str, channels: str, rank: str, dynamics: str) -> str:
    """What an operator with these axis values adds over the dense one, the rarest first."""
    if dynamics != "static":
        return Kind.DYNAMIC
    if rank != "full":
        return Kind.LOW_RANK
    return DENSE if locality == "global" and channels == "dense" else Kind.SPARSE


def kind_of_cell(cell: Cell) -> str:
    """What a cell adds over the dense one."""
    return kind_of(cell.locality, cell.channels, cell.rank, cell.dynamics)


def translucent(colour: str, opacity: float) -> str:
    """A colour "#rrggbb" as CSS rgba with this opacity (0 to 1)."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def thinned(items: Sequence[Item], most: int) -> list[Item]:
    """All items when there are at most `most`; else so many, evenly spread over their order."""
    if len(items) <= most:
        return list(items)
    return [items[index * len(items) // most] for index in range(most)]
