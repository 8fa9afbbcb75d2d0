"""Compare: two to six networks side by side."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import notices, queries, tables
from dashboard.charts import show
from dashboard.escaping import markdown
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
from space.errors import InputError
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
    everywhere = queries.comparison_of(replace(scope, protocol=None), tuple(chosen))
    _results(scope, found, everywhere)
    _differences(found)
    _tests(found)
    _curves(scope, found.networks)


def _chosen(scope: Scope) -> list[str] | None:
    """The ids of the networks; those of the URL, until others are chosen; None without any."""
    rows = queries.leaderboard(scope, "-accuracy", _OFFERED)
    names = {row.architecture_id: _name(row) for row in rows}
    asked = _asked(scope)[:MOST]
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


def _asked(scope: Scope) -> list[str]:
    """The whole ids of the networks of the URL; of what is none of the store, a notice."""
    named = dict.fromkeys(filter(None, st.query_params.get(COMPARED, "").split(",")))
    found: dict[str, None] = {}
    for id_ in named:
        try:
            found[scope.store.architectures.get(id_).id] = None
        except InputError as error:
            st.warning(markdown(str(error)), icon=":material/search_off:")
    return list(found)


def _name(row: BestRow) -> str:
    return f"{percent(row.accuracy)} · {row.operators} · {row.architecture_id}"


def _results(scope: Scope, found: NetworkComparison, everywhere: NetworkComparison) -> None:
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
    notices.captions(_said(found, everywhere))


def _said(found: NetworkComparison, everywhere: NetworkComparison) -> list[str]:
    """By which protocol the results are, and by which there are more."""
    shown = found.protocol
    of_all = [] if everywhere.protocol is None else [everywhere.protocol, *everywhere.others]
    others = [each for each in of_all if shown is None or each.hash != shown.hash]
    said = (
        "None of them has a result in this filter."
        if shown is None
        else f"Results by the protocol of {shown.words}."
    )
    if not others:
        return [said]
    words = "; ".join(each.words for each in others)
    more = f"There are results by other protocols, which do not compare with these: {words}."
    return [said, more if shown else f"There are results by other protocols: {words}."]


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
