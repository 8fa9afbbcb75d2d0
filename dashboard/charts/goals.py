"""Two objectives of a study: every complete architecture, and the study's own Pareto front."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dashboard.as_text import hover
from dashboard.charts.frame import Axis, accuracy_axis, cost_axis, figure, update_axis
from dashboard.figure_names import COSTS, NAMES, axis_title
from dashboard.palette import BREAKING_COLOUR, FRONT_COLOUR, STATE_COLOURS
from dashboard.reads.goals_picture import GoalsPicture
from search.query import Judged, Objective, Objectives, figure_words
from search.store import TrialState
from space.wording import count

HEIGHT = 520
_CROWD = 500
_COLOUR = STATE_COLOURS[TrialState.COMPLETE]
_HOVER = (
    "<b>%{customdata[1]}</b><br>%{customdata[2]}<br>%{customdata[3]} · %{customdata[0]}"
    "<extra></extra>"
)


def goals_figure(picture: GoalsPicture, across: Objective, up: Objective) -> go.Figure:
    """The figure; every point carries its architecture's id first in its customdata.

    Steps join the front of two objectives; that of more is no line in any two of them.
    """
    made = figure(HEIGHT)
    opacity = 0.8 if len(picture.shown) < _CROWD else 0.45
    grey = {"symbol": "circle-open", "color": BREAKING_COLOUR, "size": 8, "line": {"width": 2}}
    plain = {"color": _COLOUR, "size": 8, "opacity": opacity}
    ringed = {"color": _COLOUR, "size": 10, "line": {"color": FRONT_COLOUR, "width": 2}}
    joined = len(picture.goals.objectives) == 2
    for rows, marker, name in (
        (picture.breaking, grey, "breaks a constraint"),
        (picture.dominated, plain, "complete"),
    ):
        if rows:
            _points(made, rows, (across, up), picture.goals, marker=marker, name=name)
    if picture.front:
        if joined:
            _steps(made, picture, across, up)
        _points(
            made,
            picture.front,
            (across, up),
            picture.goals,
            marker=ringed,
            name="on the front" if joined else "Pareto front",
            legendgroup="front",
            showlegend=not joined,
        )
    _axis(made, "x", across, [row.values[across.name] for row in picture.shown])
    _axis(made, "y", up, [row.values[up.name] for row in picture.shown])
    return made


def _points(
    made: go.Figure,
    rows: Sequence[Judged],
    axes: tuple[Objective, Objective],
    goals: Objectives,
    **looks: Any,
) -> None:
    across, up = axes
    made.add_scatter(
        x=[row.values[across.name] for row in rows],
        y=[row.values[up.name] for row in rows],
        customdata=[_custom(row, goals) for row in rows],
        hovertemplate=_HOVER,
        mode="markers",
        # Points that are not selected keep their looks: a click leads away from here.
        unselected={"marker": {"opacity": looks["marker"].get("opacity", 1)}},
        **looks,
    )


def _steps(made: go.Figure, picture: GoalsPicture, across: Objective, up: Objective) -> None:
    """Flat from each point of the front to where more is reached, and on to the worst drawn."""
    front = sorted(
        picture.front, key=lambda row: (-across.to_maximise(row.values), up.to_maximise(row.values))
    )
    end = min(picture.shown, key=lambda row: across.to_maximise(row.values)).values[across.name]
    heights = [row.values[up.name] for row in front]
    made.add_scatter(
        x=[*(row.values[across.name] for row in front), end],
        y=[*heights, heights[-1]],
        mode="lines",
        line={"shape": "hv", "color": FRONT_COLOUR, "width": 2},
        hoverinfo="skip",
        name="Pareto front",
        legendgroup="front",
    )


def _axis(made: go.Figure, axis: Axis, objective: Objective, values: Sequence[float]) -> None:
    title = axis_title(objective)
    if objective.name in COSTS:
        cost_axis(made, values, title, axis)
    elif objective.name == "validation_accuracy":
        accuracy_axis(made, values, title, axis)
    else:
        update_axis(made, axis, title_text=title)


def _custom(row: Judged, goals: Objectives) -> list[str]:
    figures = [
        f"{figure_words(each.name, row.values[each.name])} {NAMES[each.name]}"
        for each in goals.objectives
    ]
    trained = count(row.repeats, "training")
    return [row.architecture_id, hover(row.operators), " · ".join(figures), trained]
