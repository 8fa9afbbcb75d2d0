"""How much a study's front covers, against its evaluations, beside what its random points cover."""

from collections.abc import Sequence

import plotly.graph_objects as go

from search.query import HypervolumeCourse, HypervolumePoint
from search.visualization.frame import accuracy_axis, add_points, add_steps, figure
from search.visualization.theme import FRONT_COLOUR, RANDOM_COLOUR

HEIGHT = 320
_HOVER = "evaluation %{x:,}, trial %{customdata[1]}: %{y:.1%}<br>%{customdata[0]}<extra></extra>"


def hypervolume_figure(course: HypervolumeCourse) -> go.Figure:
    """The figure; a mark stands where an evaluation has moved the front."""
    made = figure(HEIGHT)
    if course.random:
        _steps(made, course.random, course.random_evaluations, "random points", RANDOM_COLOUR)
    _steps(made, course.searched, course.evaluations, "the study", FRONT_COLOUR)
    shares = [point.share for point in (*course.searched, *course.random)]
    accuracy_axis(made, shares, "hypervolume, share of the box")
    made.update_xaxes(title_text="evaluations")
    return made


def _steps(
    made: go.Figure, points: Sequence[HypervolumePoint], end: int, name: str, colour: str
) -> None:
    places = [(point.evaluation, point.share) for point in points]
    dash = "dash" if colour == RANDOM_COLOUR else "solid"
    add_steps(made, places, end, name=name, legendgroup=name)
    made.data[-1].line.update(color=colour, dash=dash)
    marker = {"color": colour, "size": 6, "symbol": "x" if dash == "dash" else "circle"}
    custom = [[point.architecture_id, str(point.number)] for point in points]
    add_points(
        made, places, custom, _HOVER, marker=marker, name=name, legendgroup=name, showlegend=False
    )
