"""The best against the trials: every evaluation, the best so far, and what random search gives."""

from collections.abc import Sequence

import plotly.graph_objects as go

from search.query import CoursePoint, RandomBand, StudyCourse, metric_words
from search.store import TrialState
from search.visualization.frame import (
    MAX_POINTS,
    add_points,
    add_steps,
    figure,
    objective_axis,
    point_opacity,
    thinned,
)
from search.visualization.theme import (
    RANDOM_COLOUR,
    STATE_COLOURS,
    STATE_SYMBOLS,
    translucent,
)

HEIGHT = 460
_HOVER = "trial %{customdata[1]}: %{customdata[2]}, %{customdata[3]}<br>%{customdata[0]}"


def history_figure(course: StudyCourse) -> go.Figure:
    """The figure; of many points a sample, the best so far and the band whole."""
    made = figure(HEIGHT)
    known = [point for point in course.points if point.value is not None]
    if course.random is not None:
        _band(made, course.random)
    for is_random in (False, True):
        for state in (TrialState.PRUNED, TrialState.COMPLETE):
            points = [p for p in known if (p.is_random, p.state) == (is_random, state)]
            if points:
                _points(made, course, thinned(points, MAX_POINTS), state, is_random)
    if course.records:
        end = max(point.number for point in course.points)
        add_steps(made, _places(course.records), end, name="best so far, of complete trials")
    objective_axis(made, "y", course.objective, [point.value or 0.0 for point in known])
    made.update_xaxes(title_text="trial")
    return made


def _points(
    made: go.Figure,
    course: StudyCourse,
    points: Sequence[CoursePoint],
    state: TrialState,
    is_random: bool,
) -> None:
    symbol = "x-thin-open" if is_random and state is TrialState.COMPLETE else STATE_SYMBOLS[state]
    colour = RANDOM_COLOUR if is_random else STATE_COLOURS[state]
    custom = [
        [
            point.architecture_id,
            str(point.number),
            metric_words(course.objective.name, point.value or 0.0),
            str(point.state),
        ]
        for point in points
    ]
    marker = {
        "color": colour,
        "symbol": symbol,
        "size": 8,
        "opacity": point_opacity(len(points)),
        "line": {"color": colour, "width": 1.5 if symbol.endswith("open") else 0},
    }
    name = f"random baseline, {state}" if is_random else str(state)
    hover = f"{_HOVER}<extra></extra>"
    add_points(made, _places(points), custom, hover, marker=marker, name=name)


def _places(points: Sequence[CoursePoint]) -> list[tuple[int, float]]:
    return [(point.number, point.value or 0.0) for point in points]


def _band(made: go.Figure, band: RandomBand) -> None:
    """From the worse to the better quantile, where both are known, and the median in it."""
    known = [
        (number, worse, better)
        for number, worse, better in zip(band.numbers, band.worse, band.better, strict=True)
        if worse is not None and better is not None
    ]
    if known:
        numbers, worse, better = map(list, zip(*known, strict=True))
        made.add_scatter(
            x=[*numbers, *reversed(numbers)],
            y=[*better, *reversed(worse)],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=translucent(RANDOM_COLOUR, 0.22),
            hoverinfo="skip",
            name="random search at as many evaluations, 95 %",
        )
    made.add_scatter(
        x=band.numbers,
        y=band.median,
        mode="lines",
        line={"color": RANDOM_COLOUR, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
        name="its median",
    )
