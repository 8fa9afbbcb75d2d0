"""Accuracy against cost: every architecture, the Pareto front, the paper's operators."""

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import notices, queries
from dashboard.charts import page_theme, show_selectable
from dashboard.navigation import architecture_cells, architecture_table, open_architecture
from dashboard.scope import Scope, current
from search.query import AccuracyCost, Cost, Objective, Objectives, bound_words, metric_words
from search.visualization.accuracy_cost_figure import LEAST, accuracy_cost_figure
from search.visualization.objectives_figure import ObjectivesPicture, objectives_figure
from search.visualization.theme import COST_TITLES, METRIC_NAMES, arrow
from space.wording import NONE, count, percent, short

_COSTS: dict[str, Cost] = {"Params": "params", "FLOPs": "macs"}


_ACROSS = (*COST_TITLES, "latency")
"""What has its place on the axis across."""


def page() -> None:
    """The page."""
    scope = current()
    name = st.segmented_control(
        "Cost", list(_COSTS), default="Params", required=True, key="cost", bind="query-params"
    )
    cost = _COSTS[name or "Params"]
    picture = queries.accuracy_cost(scope, cost)
    if not picture.total and not picture.without:
        notices.no_trials("No trial has ended yet.", scope.is_filtered)
        return
    chosen = None
    if picture.total:
        chosen = show_selectable(
            accuracy_cost_figure(picture, cost, page_theme()),
            "accuracy-cost",
            f"Accuracy against {name}",
            least=LEAST,
        )
    st.caption(_note(picture))
    wanted, study = queries.study_objectives(scope), queries.only_study(scope)
    own = wanted is not None and study is not None and not wanted.accuracy_alone
    if not own:  # else the front that the study looks for has the table
        chosen = _front_table(scope, picture, cost) or chosen
    notices.captions(queries.accuracy_notes(scope))
    if wanted is not None and study is not None:
        notices.captions(wanted.sentences)
        if own:
            with notices.reported("The study's own objectives cannot be shown"):
                chosen = _own_objectives(scope, study, wanted.objectives) or chosen
    if chosen is not None:
        open_architecture(chosen)


def _front_table(scope: Scope, picture: AccuracyCost, cost: Cost) -> str | None:
    """The front as a table, the most accurate first; the id of the row that was marked."""
    rows = picture.front[::-1]
    if not rows:
        return None
    ids = [row.architecture_id for row in rows]
    table = pd.DataFrame(
        {
            "architecture": architecture_cells(scope, ids),
            "accuracy": [row.accuracy for row in rows],
            METRIC_NAMES[cost]: [getattr(row, cost) for row in rows],
            "seeds": [row.repeats for row in rows],
            "token mixers": [row.operators for row in rows],
            "study": [row.study for row in rows],
        }
    )
    words: dict[Any, Any] = {"accuracy": percent, METRIC_NAMES[cost]: short}
    return architecture_table(table.style.format(words, na_rep=NONE), ids, "front", {})


def _note(picture: AccuracyCost) -> str:
    parts = (
        ["Click a point, or mark a row of the front, to open its architecture."]
        if picture.total
        else []
    )
    if picture.named:
        parts.append("Diamonds: the best network made of one of the paper's operators alone.")
    if picture.density is not None:
        parts.append(
            f"{picture.points:,} of {picture.total:,} networks are points: the whole front, the "
            "diamonds, and a sample that knows nothing of accuracy. The shades count all of them: "
            "the darker a cell, the more."
        )
    if picture.without:
        parts.append(
            f"{count(picture.without, 'architecture')} without a complete training left out."
        )
    return " ".join([*parts, "Costs are analytic, accuracy is measured on validation images."])


# --- the study's own objectives: a picture of two, and the whole front -------------------------


def _own_objectives(scope: Scope, study: str, objectives: Objectives) -> str | None:
    """Draws it; the id of the architecture that was clicked or marked."""
    st.subheader("The study's own objectives")
    picture = queries.objectives_picture(scope, study, objectives)
    if not picture.total:
        _nothing(scope, picture)
        return None
    clicked = None
    if len(objectives) > 1:
        across, up = _axes(objectives)
        alt = f"{METRIC_NAMES[up.name]} against {METRIC_NAMES[across.name]}"
        drawn = objectives_figure(picture, across, up)
        clicked = show_selectable(drawn, "own-objectives", alt.capitalize(), least=LEAST)
    notices.captions([_objectives_note(picture)])
    if not picture.front:
        return clicked
    ids = [row.architecture_id for row in picture.front]
    table = _frame(picture, architecture_cells(scope, ids))
    marked = architecture_table(table, ids, "own-front", {})
    return clicked or marked


def _nothing(scope: Scope, picture: ObjectivesPicture) -> None:
    """Says why there is nothing to draw."""
    if picture.without:
        notices.nothing_measured(picture.without, _missing(picture))
    else:
        notices.nothing_complete(scope.is_filtered)


def _missing(picture: ObjectivesPicture) -> str:
    return " or ".join(METRIC_NAMES[name] for name in picture.missing)


def _axes(objectives: Objectives) -> tuple[Objective, Objective]:
    """The objectives that run across and up; of more than two a person chooses."""
    # Measured ones up and costs across, as in the other picture.
    ordered = sorted(objectives.objectives, key=lambda each: each.name in _ACROSS)
    if len(ordered) == 2:
        return ordered[1], ordered[0]
    left, right = st.columns(2)
    with left:
        up = _chosen("Up", ordered)
    with right:
        return _chosen("Across", [each for each in ordered if each != up]), up


def _chosen(label: str, offered: list[Objective]) -> Objective:
    by_name = {METRIC_NAMES[each.name]: each for each in offered}
    name = st.segmented_control(
        label,
        list(by_name),
        default=METRIC_NAMES[offered[0].name],
        required=True,
        key=label.lower(),
        bind="query-params",
    )
    return by_name[name or METRIC_NAMES[offered[0].name]]


def _objectives_note(picture: ObjectivesPicture) -> str:
    several = len(picture.objectives)
    parts = [_of_front(picture)]
    if several > 2:
        parts.append(
            f"It is that of all {several} objectives: in the two drawn here others may beat it."
        )
    if picture.is_sample:
        parts.append(f"{len(picture.shown):,} points are drawn; the front is whole.")
    if picture.without:
        left_out = count(picture.without, "architecture")
        parts.append(f"{left_out} without a value for {_missing(picture)} left out.")
    parts.append("Complete trials only; over several trainings the mean.")
    return " ".join([*parts, "Click a point or mark a row to open its architecture."])


def _of_front(picture: ObjectivesPicture) -> str:
    total = count(picture.total, "architecture")
    bounds = bound_words(picture.objectives.constraints)
    if not picture.front:
        return f"None of {total} keeps the study's constraints ({bounds})."
    within = f", within the study's constraints ({bounds})" if bounds else ""
    return f"On the front: {len(picture.front):,} of {total}{within}."


def _frame(picture: ObjectivesPicture, cells: list[str]) -> Styler:
    """Numbers that sort as numbers and read as people write them."""
    rows, objectives = picture.front, picture.objectives.objectives
    named = {f"{METRIC_NAMES[each.name]} {arrow(each)}": each.name for each in objectives}
    table = pd.DataFrame(
        {
            "architecture": cells,
            **{title: [row.values[name] for row in rows] for title, name in named.items()},
            "seeds": [row.repeats for row in rows],
            "token mixers": [row.operators for row in rows],
        }
    )
    words: dict[Any, Any] = {title: partial(metric_words, name) for title, name in named.items()}
    return table.style.format(words)


if __name__ == "__main__":  # as Streamlit runs it
    page()
