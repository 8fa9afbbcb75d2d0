"""Accuracy over time: each trial as it ended, and the best complete so far as a step line."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import plotly.graph_objects as go

from dashboard.as_text import hover
from dashboard.charts.frame import accuracy_axis, figure
from dashboard.palette import FRONT_COLOUR, STATE_COLOURS
from dashboard.reads.history import History, Point
from space.wording import percent

_HOVER = (
    "<b>%{customdata[1]}</b><br>%{customdata[2]}, %{customdata[3]}<br>"
    "trial %{customdata[4]} · %{customdata[0]}<extra></extra>"
)


def history_figure(history: History, zone: tzinfo) -> go.Figure:
    """The figure, times in the given zone; there must be a point."""
    made = figure(340)
    for state, colour in STATE_COLOURS.items():
        points = [point for point in history.points if point.state == state]
        if points:
            made.add_scatter(
                x=[_local(point.ended, zone) for point in points],
                y=[point.accuracy for point in points],
                customdata=_custom(points),
                hovertemplate=_HOVER,
                mode="markers",
                name=str(state),
                marker={"color": colour, "size": 7, "opacity": 0.75},
            )
    if history.records:
        _best_so_far(made, history, zone)
    accuracy_axis(made, [point.accuracy for point in history.points])
    return made


def _best_so_far(made: go.Figure, history: History, zone: tzinfo) -> None:
    """The steps, up to the end of the last trial."""
    records = history.records
    end = max(point.ended for point in [*history.points, *records])
    made.add_scatter(
        x=[_local(moment, zone) for moment in (*(point.ended for point in records), end)],
        y=[*(point.accuracy for point in records), records[-1].accuracy],
        mode="lines",
        line={"shape": "hv", "color": FRONT_COLOUR, "width": 2},
        hoverinfo="skip",
        name="best so far",
    )


def _local(moment: datetime, zone: tzinfo) -> datetime:
    # Plotly draws times as they are written, so the zone is applied and then left out.
    return moment.astimezone(zone).replace(tzinfo=None)


def _custom(points: Sequence[Point]) -> list[list[str]]:
    return [
        [p.architecture_id, hover(p.operators), percent(p.accuracy), str(p.state), str(p.number)]
        for p in points
    ]
