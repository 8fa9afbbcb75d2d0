"""Two objectives of a study: every complete architecture, and the study's own Pareto front."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import plotly.graph_objects as go

from search.query import Evaluated, Objective, Objectives, front_of, metric_words
from search.store import TrialState
from search.visualization.frame import (
    MAX_POINTS,
    Point,
    add_points,
    add_steps,
    figure,
    objective_axis,
    point_opacity,
    thinned,
)
from search.visualization.plain_text import plain
from search.visualization.theme import (
    BREAKING_COLOUR,
    FRONT_COLOUR,
    METRIC_NAMES,
    STATE_COLOURS,
)
from space.wording import count


@dataclass(frozen=True, slots=True)
class ObjectivesPicture:
    """The completely trained architectures of a study that have all of its objectives.

    Attributes:
        objectives: of the study.
        front: what no other dominates, whole, the best by the first objective first.
        dominated: the others that keep the study's constraints, or an even sample of them.
        breaking: those that break a constraint, or an even sample of them.
        total: how many architectures there are with all objectives.
        without: how many lack one.
        missing: the objectives that some of those lack.
    """

    objectives: Objectives
    front: list[Evaluated]
    dominated: list[Evaluated]
    breaking: list[Evaluated]
    total: int
    without: int
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, rows: Sequence[Evaluated], objectives: Objectives) -> Self:
        """The picture of these architectures over the study's objectives."""
        found = [row for row in rows if objectives.has(row.values)]
        lacked = {name for row in rows for name in objectives.missing(row.values)}
        front = front_of(found, objectives)
        on_front = {row.architecture_id for row in front}
        rest = [row for row in found if row.architecture_id not in on_front]
        dominated = [row for row in rest if objectives.keeps(row.values)]
        breaking = [row for row in rest if not objectives.keeps(row.values)]
        return cls(
            objectives,
            front,
            thinned(dominated, MAX_POINTS),
            thinned(breaking, MAX_POINTS),
            len(found),
            len(rows) - len(found),
            tuple(each.name for each in objectives if each.name in lacked),
        )

    @property
    def shown(self) -> list[Evaluated]:
        """Every architecture that is drawn."""
        return [*self.breaking, *self.dominated, *self.front]

    @property
    def is_sample(self) -> bool:
        """Whether points were left out."""
        return self.total > len(self.shown)


HEIGHT = 520
_COLOUR = STATE_COLOURS[TrialState.COMPLETE]
_HOVER = (
    "<b>%{customdata[1]}</b><br>%{customdata[2]}<br>%{customdata[3]} · %{customdata[0]}"
    "<extra></extra>"
)


def objectives_figure(picture: ObjectivesPicture, across: Objective, up: Objective) -> go.Figure:
    """The figure; every point carries its architecture's id first in its customdata.

    Steps join the front of two objectives; that of more is no line in any two of them.
    """
    made = figure(HEIGHT)
    opacity = point_opacity(len(picture.shown))
    grey = {"symbol": "circle-open", "color": BREAKING_COLOUR, "size": 8, "line": {"width": 2}}
    filled = {"color": _COLOUR, "size": 8, "opacity": opacity}
    ringed = {"color": _COLOUR, "size": 10, "line": {"color": FRONT_COLOUR, "width": 2}}
    joined = len(picture.objectives) == 2
    for rows, marker, name in (
        (picture.breaking, grey, "breaks a constraint"),
        (picture.dominated, filled, "complete"),
    ):
        if rows:
            _points(made, rows, (across, up), picture.objectives, marker=marker, name=name)
    if picture.front:
        if joined:
            _steps(made, picture, across, up)
        _points(
            made,
            picture.front,
            (across, up),
            picture.objectives,
            marker=ringed,
            name="on the front" if joined else "Pareto front",
            legendgroup="front",
            showlegend=not joined,
        )
    objective_axis(made, "x", across, [row.values[across.name] for row in picture.shown])
    objective_axis(made, "y", up, [row.values[up.name] for row in picture.shown])
    return made


def _points(
    made: go.Figure,
    rows: Sequence[Evaluated],
    axes: tuple[Objective, Objective],
    objectives: Objectives,
    **looks: Any,
) -> None:
    add_points(
        made, _places(rows, *axes), [_custom(row, objectives) for row in rows], _HOVER, **looks
    )


def _places(rows: Iterable[Evaluated], across: Objective, up: Objective) -> list[Point]:
    return [(row.values[across.name], row.values[up.name]) for row in rows]


def _steps(made: go.Figure, picture: ObjectivesPicture, across: Objective, up: Objective) -> None:
    """Flat from each point of the front to where more is reached, and on to the worst drawn."""
    front = sorted(
        picture.front, key=lambda row: (-across.to_maximise(row.values), up.to_maximise(row.values))
    )
    end = min(picture.shown, key=lambda row: across.to_maximise(row.values)).values[across.name]
    places = _places(front, across, up)
    add_steps(made, places, end, name="Pareto front", legendgroup="front")


def _custom(row: Evaluated, objectives: Objectives) -> list[str]:
    figures = [
        f"{metric_words(each.name, row.values[each.name])} {METRIC_NAMES[each.name]}"
        for each in objectives
    ]
    trained = count(row.repeats, "training")
    return [row.architecture_id, plain(row.operators), " · ".join(figures), trained]
