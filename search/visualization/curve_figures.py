"""Curves: a line per trial over its epochs, and the accuracy of all trials over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal, Self

import plotly.graph_objects as go

from search.query import AccuracyOverTime, EndedTrial, TrialSummary
from search.store import EpochRecord, TrialState
from search.visualization.frame import (
    accuracy_axis,
    add_points,
    add_steps,
    figure,
)
from search.visualization.plain_text import plain
from search.visualization.theme import LINE_COLOURS, LINE_SYMBOLS, STATE_COLOURS, STATE_SYMBOLS
from space.wording import percent, short

Measure = Literal["accuracy", "validation loss", "train loss"]
MEASURES: dict[Measure, str] = {
    "accuracy": "validation_accuracy",
    "validation loss": "validation_loss",
    "train loss": "train_loss",
}
_LEGEND_LINES = 10
_LEGEND_LINE = 20
"""Pixels."""
_LEGEND_LETTERS = 42


@dataclass(frozen=True, slots=True)
class Curve:
    """A trial's epochs with what the legend and the hover say of it."""

    name: str
    detail: str
    state: TrialState
    epochs: Sequence[EpochRecord]

    @classmethod
    def of(cls, row: TrialSummary, epochs: Sequence[EpochRecord]) -> Self:
        """The curve of a trial, named by its number and its operators."""
        parts = [row.study, str(row.state), f"{short(row.params)} params", row.architecture_id]
        return cls(f"#{row.number} {row.operators}", " · ".join(parts), row.state, epochs)


def curves_figure(curves: Sequence[Curve], measure: Measure, height: int = 520) -> go.Figure:
    """The figure; epochs without a finite value are gaps."""
    named = len(curves) <= _LEGEND_LINES
    made = figure(height + named * _LEGEND_LINE * len(curves), legend=named)
    if named:  # below, as names are long and pages may be narrow
        made.update_layout(
            margin={"t": 16},
            legend={"orientation": "v", "x": 0, "xanchor": "left", "yref": "container", "y": 0}
            | {"yanchor": "bottom"},
        )
    values: list[float] = []
    for place, curve in enumerate(curves):
        heights = [getattr(epoch, MEASURES[measure]) for epoch in curve.epochs]
        values += [value for value in heights if value is not None]
        colour = LINE_COLOURS[place % len(LINE_COLOURS)]
        symbol = LINE_SYMBOLS[place % len(LINE_SYMBOLS)]
        _line(made, curve, heights, measure, {"color": colour, "symbol": symbol})
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
    looks: dict[str, str],
) -> None:
    pruned = curve.state is TrialState.PRUNED
    name, detail = plain(curve.name), plain(curve.detail)
    number = "%{y:.2%}" if measure == "accuracy" else "%{y:.4f}"
    made.add_scatter(
        x=[epoch.epoch for epoch in curve.epochs],
        y=heights,
        mode="lines+markers",
        name=plain(_shortened(curve.name)),
        line={
            "color": looks["color"],
            "width": 1.5 if pruned else 2.5,
            "dash": "dot" if pruned else None,
        },
        marker={**looks, "size": 6},
        opacity=0.45 if pruned else 1.0,
        hovertemplate=f"<b>{name}</b><br>{detail}<br>epoch %{{x}}: {number}<extra></extra>",
    )


def _shortened(name: str) -> str:
    """As much as the legend has room for on a narrow page; the hover has all of it."""
    return name if len(name) <= _LEGEND_LETTERS else name[: _LEGEND_LETTERS - 1] + "…"


def _whole_ticks(curves: Sequence[Curve]) -> dict[str, float]:
    last = max((epoch.epoch for curve in curves for epoch in curve.epochs), default=1)
    return {"dtick": 1} if last <= 20 else {}


_HOVER = (
    "<b>%{customdata[1]}</b><br>%{customdata[2]}, %{customdata[3]}<br>"
    "trial %{customdata[4]} · %{customdata[0]}<extra></extra>"
)


def accuracy_over_time_figure(course: AccuracyOverTime, zone: tzinfo) -> go.Figure:
    """The figure, times in the given zone; there must be a point."""
    made = figure(340)
    made.update_xaxes(nticks=4)  # of trials that end within a second labels are long
    for state, colour in STATE_COLOURS.items():
        points = [point for point in course.points if point.state == state]
        if points:
            marker = {
                "color": colour,
                "symbol": STATE_SYMBOLS[state],
                "size": 7,
                "opacity": 0.75,
            }
            places = _places(points, zone)
            add_points(made, places, _custom(points), _HOVER, marker=marker, name=str(state))
    if records := course.records:
        end = max(point.ended for point in [*course.points, *records])
        add_steps(made, _places(records, zone), _local(end, zone), name="best so far")
    accuracy_axis(made, [point.accuracy for point in course.points])
    return made


def _places(points: Sequence[EndedTrial], zone: tzinfo) -> list[tuple[datetime, float]]:
    return [(_local(point.ended, zone), point.accuracy) for point in points]


def _local(moment: datetime, zone: tzinfo) -> datetime:
    # Plotly draws times as they are written, so the zone is applied and then left out.
    return moment.astimezone(zone).replace(tzinfo=None)


def _custom(points: Sequence[EndedTrial]) -> list[list[str]]:
    return [
        [p.architecture_id, plain(p.operators), percent(p.accuracy), str(p.state), str(p.number)]
        for p in points
    ]
