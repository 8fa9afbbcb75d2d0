"""Learning curves: a line per trial, those that were cut short dimmed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from dashboard.as_text import hover
from dashboard.charts.frame import accuracy_axis, figure
from dashboard.palette import LINE_COLOURS
from search.store import EpochRecord, TrialState

Measure = Literal["accuracy", "validation loss", "train loss"]
MEASURES: dict[Measure, str] = {
    "accuracy": "validation_accuracy",
    "validation loss": "validation_loss",
    "train loss": "train_loss",
}
_LEGEND_LINES = 10


@dataclass(frozen=True, slots=True)
class Curve:
    """A trial's epochs with what the legend and the hover say of it."""

    name: str
    detail: str
    state: TrialState
    epochs: Sequence[EpochRecord]


def curves_figure(curves: Sequence[Curve], measure: Measure, height: int = 520) -> go.Figure:
    """The figure; epochs without a finite value are gaps."""
    short = len(curves) <= _LEGEND_LINES
    made = figure(height, legend=short)
    if short:
        made.update_layout(
            margin={"t": 16},
            legend={"orientation": "v", "x": 1.01, "y": 1, "xanchor": "left", "yanchor": "top"},
        )
    values: list[float] = []
    for place, curve in enumerate(curves):
        heights = [getattr(epoch, MEASURES[measure]) for epoch in curve.epochs]
        values += [value for value in heights if value is not None]
        _line(made, curve, heights, measure, LINE_COLOURS[place % len(LINE_COLOURS)])
    made.update_xaxes(title_text="epoch", **_whole_ticks(curves))
    made.update_yaxes(title_text=measure)
    if measure == "accuracy":
        accuracy_axis(made, values)
    return made


def _line(
    made: go.Figure,
    curve: Curve,
    heights: Sequence[float | None],
    measure: Measure,
    colour: str,
) -> None:
    pruned = curve.state is TrialState.PRUNED
    name, detail = hover(curve.name), hover(curve.detail)
    number = "%{y:.2%}" if measure == "accuracy" else "%{y:.4f}"
    made.add_scatter(
        x=[epoch.epoch for epoch in curve.epochs],
        y=heights,
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": 1.5 if pruned else 2.5, "dash": "dot" if pruned else None},
        marker={"size": 5},
        opacity=0.45 if pruned else 1.0,
        hovertemplate=f"<b>{name}</b><br>{detail}<br>epoch %{{x}}: {number}<extra></extra>",
    )


def _whole_ticks(curves: Sequence[Curve]) -> dict[str, float]:
    last = max((epoch.epoch for curve in curves for epoch in curve.epochs), default=1)
    return {"dtick": 1} if last <= 20 else {}
