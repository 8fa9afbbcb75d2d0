"""Compare: two to six networks side by side."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard import notices, queries, tables
from dashboard.charts import show
from dashboard.navigation import (
    ARCHITECTURE,
    COMPARED,
    architecture_cells,
    architecture_column,
)
from dashboard.scope import Scope, current
from search.query import BestRow, ComparedNetwork, NetworkComparison
from search.query.network_comparison import FEWEST, MOST
from search.visualization.curve_figures import Curve, curves_figure
from space.wording import NONE, duration, percent, short

_OFFERED = 200


def page() -> None:
    """The page."""
    scope = current()
    chosen = _chosen(scope)
    if chosen is None:
        notices.no_trials("No trial has ended yet.", scope.is_filtered)
        return
    if len(chosen) < FEWEST:
        st.info(f"Choose {FEWEST} to {MOST} networks.", icon=":material/compare:")
        st.caption("Or mark rows of the leaderboard, and press Compare there.")
        return
    found = queries.comparison_of(scope, tuple(chosen))
    _results(scope, found)
    _differences(found)
    _tests(found)
    _curves(scope, found.networks)


def _chosen(scope: Scope) -> list[str] | None:
    """The ids of the networks; those of the URL, until others are chosen; None without any."""
    rows = queries.leaderboard(scope, "-accuracy", _OFFERED)
    names = {row.architecture_id: _name(row) for row in rows}
    named = st.query_params.get(COMPARED, "").split(",")
    asked = list(dict.fromkeys(id_ for id_ in named if id_))[:MOST]
    ids = list(dict.fromkeys([*names, *asked]))
    if not ids:
        return None
    chosen = st.multiselect(
        "Networks",
        ids,
        default=asked,
        format_func=lambda id_: names.get(id_, id_),
        max_selections=MOST,
        key=f"compared-{','.join(asked)}",
        help=f"The first {_OFFERED} of the filter's leaderboard.",
    )
    if chosen != asked:
        st.query_params[COMPARED] = ",".join(chosen)
        st.rerun()  # the box goes by the URL
    return chosen


def _name(row: BestRow) -> str:
    return f"{percent(row.accuracy)} · {row.operators} · {row.architecture_id}"


def _results(scope: Scope, found: NetworkComparison) -> None:
    networks = found.networks
    rows = [each.row for each in networks]
    table = pd.DataFrame(
        {
            "architecture": architecture_cells(scope, [each.id for each in networks]),
            "accuracy": [NONE if row is None else row.accuracy_words for row in rows],
            "seeds": [NONE if row is None else str(row.repeats) for row in rows],
            "state": [NONE if row is None else str(row.state) for row in rows],
            "params": [short(each.params) for each in networks],
            "FLOPs": [short(each.macs) for each in networks],
            "training": [NONE if row is None else duration(row.seconds) for row in rows],
            "token mixers": [each.operators for each in networks],
        }
    )
    links = {ARCHITECTURE: architecture_column()}
    tables.draw(table, links, key="results")
    notices.captions(_said(found))


def _said(found: NetworkComparison) -> list[str]:
    if found.protocol is None:
        return ["None of them has a result in this filter."]
    said = [f"Results by the protocol of {found.protocol.words}."]
    if found.others:
        others = "; ".join(each.words for each in found.others)
        said.append(f"There are results by other protocols, which do not compare: {others}.")
    return said


def _differences(found: NetworkComparison) -> None:
    st.subheader("What differs, from image to logits")
    if not found.differences:
        st.caption("Nothing: these networks are alike in every part.")
        return
    table = pd.DataFrame({"part": [each.part for each in found.differences]})
    for place, network in enumerate(found.networks):
        table[network.id] = [each.values[place] for each in found.differences]
    tables.draw(table, key="differences")


def _tests(found: NetworkComparison) -> None:
    if not found.tests:
        return
    st.subheader("Which is better")
    margins = [NONE if each.margin is None else f"±{100 * each.margin:.2f}" for each in found.tests]
    table = pd.DataFrame(
        {
            "first": [each.first for each in found.tests],
            "second": [each.second for each in found.tests],
            "points": [f"{100 * each.difference:+.2f}" for each in found.tests],
            "95 %": margins,
            "verdict": [each.verdict for each in found.tests],
        }
    )
    tables.draw(table, key="tests")
    st.caption(
        "Points of validation accuracy, the first less the second; the interval holds for all "
        "pairs at once (Student's t with the spread over seeds, Bonferroni)."
    )


def _curves(scope: Scope, networks: Sequence[ComparedNetwork]) -> None:
    rows = {each.row.trial_id: each.row for each in networks if each.row is not None}
    epochs = queries.curves(scope, tuple(rows))
    curves = [
        Curve(f"{row.architecture_id[:8]} {row.operators}", row.study, row.state, epochs[id_])
        for id_, row in rows.items()
        if epochs[id_]
    ]
    if curves:
        st.subheader("Learning curves")
        show(curves_figure(curves, "accuracy", height=380), "curves", "Validation accuracy")
        st.caption("Of each network its best training.")


if __name__ == "__main__":  # as Streamlit runs it
    page()
