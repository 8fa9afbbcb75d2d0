"""The part of a page that shows a study's own objectives: a picture of two, and the whole front."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import messages
from dashboard.architecture_table import architecture_cells, architecture_table
from dashboard.as_text import markdown
from dashboard.charts.frame import show_selectable
from dashboard.charts.goals import goals_figure
from dashboard.figure_names import COSTS, NAMES, arrow
from dashboard.reads.goals_picture import GoalsPicture, goals_picture
from dashboard.view import View
from search.query import Objective, Objectives, figure_words, listed
from space.wording import count


def own_goals(view: View, study: str, goals: Objectives) -> str | None:
    """Draws it; the id of the architecture that was clicked or marked."""
    st.subheader("The study's own objectives")
    picture = goals_picture(view, study, goals)
    if not picture.total:
        _nothing(view, picture)
        return None
    clicked = None
    if len(goals.objectives) > 1:
        across, up = _axes(goals)
        alt = f"{NAMES[up.name]} against {NAMES[across.name]}"
        clicked = show_selectable(goals_figure(picture, across, up), "own-goals", alt.capitalize())
    st.caption(markdown(_note(picture)))
    if not picture.front:
        return clicked
    ids = [row.architecture_id for row in picture.front]
    table = _frame(picture, architecture_cells(view, ids))
    marked = architecture_table(table, ids, "own-front", {})
    return clicked or marked


def _nothing(view: View, picture: GoalsPicture) -> None:
    """Says why there is nothing to draw."""
    if picture.without:
        messages.nothing_measured(picture.without, _missing(picture))
    else:
        messages.nothing_complete(view.is_filtered)


def _missing(picture: GoalsPicture) -> str:
    return " or ".join(NAMES[name] for name in picture.missing)


def _axes(goals: Objectives) -> tuple[Objective, Objective]:
    """The objectives that run across and up; of more than two a person chooses."""
    # Measured ones up and costs across, as in the other picture.
    ordered = sorted(goals.objectives, key=lambda each: each.name in COSTS)
    if len(ordered) == 2:
        return ordered[1], ordered[0]
    left, right = st.columns(2)
    with left:
        up = _chosen("Up", ordered)
    with right:
        return _chosen("Across", [each for each in ordered if each != up]), up


def _chosen(label: str, offered: list[Objective]) -> Objective:
    by_name = {NAMES[each.name]: each for each in offered}
    name = st.segmented_control(
        label,
        list(by_name),
        default=NAMES[offered[0].name],
        required=True,
        key=label.lower(),
        bind="query-params",
    )
    return by_name[name or NAMES[offered[0].name]]


def _note(picture: GoalsPicture) -> str:
    several = len(picture.goals.objectives)
    parts = [_of_front(picture)]
    if several > 2:
        parts.append(
            f"It is that of all {several} objectives: in the two drawn here others may beat it."
        )
    if picture.is_sample:
        parts.append(f"{len(picture.shown):,} points are drawn; the front is whole.")
    if picture.without:
        left_out = count(picture.without, "architecture")
        parts.append(f"{left_out} without a figure for {_missing(picture)} left out.")
    parts.append("Complete trials only; over several trainings the mean.")
    return " ".join([*parts, "Click a point or mark a row to open its architecture."])


def _of_front(picture: GoalsPicture) -> str:
    total = count(picture.total, "architecture")
    bounds = listed(picture.goals.constraints)
    if not picture.front:
        return f"None of {total} keeps the study's constraints ({bounds})."
    within = f", within the study's constraints ({bounds})" if bounds else ""
    return f"On the front: {len(picture.front):,} of {total}{within}."


def _frame(picture: GoalsPicture, cells: list[str]) -> Styler:
    """Numbers that sort as numbers and read as people write them."""
    rows, objectives = picture.front, picture.goals.objectives
    named = {f"{NAMES[each.name]} {arrow(each)}": each.name for each in objectives}
    table = pd.DataFrame(
        {
            "architecture": cells,
            **{title: [row.values[name] for row in rows] for title, name in named.items()},
            "seeds": [row.repeats for row in rows],
            "token mixers": [row.operators for row in rows],
        }
    )
    words: dict[Any, Any] = {title: partial(figure_words, name) for title, name in named.items()}
    return table.style.format(words)
