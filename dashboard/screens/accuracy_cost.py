"""Accuracy against cost: every architecture, the Pareto front, the paper's operators."""

import streamlit as st

from dashboard import messages
from dashboard.as_text import markdown
from dashboard.charts.accuracy_cost import accuracy_cost_figure
from dashboard.charts.frame import show_selectable
from dashboard.navigation import open_architecture
from dashboard.own_goals import own_goals
from dashboard.reads.accuracy_notes import accuracy_notes
from dashboard.reads.cost_picture import CostPicture, cost_picture
from dashboard.reads.studies import aimed, only_study
from dashboard.view import current
from search.query.pareto import Cost
from space.wording import count

_COSTS: dict[str, Cost] = {"Params": "params", "FLOPs": "flops"}


def page() -> None:
    """The page."""
    view = current()
    name = st.segmented_control(
        "Cost", list(_COSTS), default="Params", required=True, key="cost", bind="query-params"
    )
    cost = _COSTS[name or "Params"]
    picture = cost_picture(view, cost)
    if not picture.total and not picture.without:
        messages.no_trials("No trial has ended yet.", view.is_filtered)
        return
    chosen = None
    if picture.total:
        chosen = show_selectable(
            accuracy_cost_figure(picture, cost), "accuracy-cost", f"Accuracy against {cost}"
        )
    st.caption(_note(picture))
    for said in accuracy_notes(view):
        st.caption(markdown(said))
    aims, study = aimed(view), only_study(view)
    if aims is not None and study is not None:
        for sentence in aims.sentences:
            st.caption(markdown(sentence))
        if not aims.accuracy_alone:
            with messages.reported("The study's own objectives cannot be shown"):
                chosen = own_goals(view, study, aims.goals) or chosen
    if chosen is not None:
        open_architecture(chosen)


def _note(picture: CostPicture) -> str:
    parts = ["Click a point to open its architecture."] if picture.total else []
    if picture.named:
        parts.append("Diamonds: the best network made of one of the paper's operators alone.")
    if picture.is_sample:
        parts.append(
            f"{len({row.trial_id for row in picture.shown}):,} of {picture.total:,} points are "
            "drawn; the front is whole."
        )
    if picture.without:
        parts.append(
            f"{count(picture.without, 'architecture')} without a complete training left out."
        )
    return " ".join([*parts, "Costs are analytic, accuracy is measured on validation images."])


if __name__ == "__main__":  # as Streamlit runs it
    page()
