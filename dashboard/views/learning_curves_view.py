"""Learning curves: the best trials, or chosen ones."""

import streamlit as st

from dashboard import notices, queries
from dashboard.charts import show
from dashboard.scope import Scope, current
from search.query import TrialSummary
from search.visualization.curve_figures import MEASURES, Curve, curves_figure
from space.wording import percent

_OFFERED = 500


def page() -> None:
    """The page."""
    scope = current()
    rows = [
        row
        for row in queries.trial_summaries(scope, states=None, order="best", limit=_OFFERED)
        if row.epochs_done
    ]
    if not rows:
        notices.no_trials("No trial has finished an epoch yet.", scope.is_filtered)
        return
    measure = st.segmented_control(
        "Measure",
        list(MEASURES),
        default="accuracy",
        required=True,
        key="measure",
        bind="query-params",
    )
    top = st.slider("Best trials", 1, 50, 10, key="top", bind="query-params")
    chosen = _chosen(rows) or rows[:top]
    curves = [curve for curve in _curves(scope, chosen) if curve.epochs]
    if not curves:
        st.info("No epoch of these trials is written down.", icon=":material/hourglass_empty:")
        return
    show(curves_figure(curves, measure), "curves", "Learning curves")
    st.caption(
        "Pruned trials are dotted and dim, and come behind all complete ones; epochs without a "
        "finite value are gaps."
    )


def _chosen(rows: list[TrialSummary]) -> list[TrialSummary]:
    names = {row.id: _name(row) for row in rows}
    ids = st.multiselect(
        "Or only these trials",
        list(names),
        format_func=names.__getitem__,
        key="trials",
        placeholder=f"Choose among the {len(rows)} most accurate",
    )
    return [row for row in rows if row.id in ids]


def _curves(scope: Scope, rows: list[TrialSummary]) -> list[Curve]:
    ids = tuple(row.id for row in rows)

    epochs = queries.curves(scope, ids)
    return [Curve.of(row, epochs[row.id]) for row in rows]


def _name(row: TrialSummary) -> str:
    return f"#{row.number} {row.operators} · {percent(row.accuracy)} · {row.study}"


if __name__ == "__main__":  # as Streamlit runs it
    page()
