"""The paper's relation graph with what this store found of its operators and along its edges."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from dashboard import effects, notices, queries
from dashboard.charts import page_theme, show_selectable
from dashboard.navigation import ARCHITECTURE, open_architecture
from dashboard.scope import current
from search.query import MoveKind, OperatorRecord, StudyEffects
from search.store import TrialState
from search.visualization.relation_graph_figure import relation_graph_figure
from space.relation_graph import NODES
from space.wording import NONE, percent

_KINDS = {"Edges": MoveKind.EDGE, "Types": MoveKind.TYPES}
_WIDTH = 900  # what the names in its boxes need, and a page of 1280 pixels has


def page() -> None:
    """The page."""
    scope = current()
    st.markdown(
        "The 12 operators that the paper names, and what changes from one to the next. Each node "
        "shows the best accuracy of the networks made of that operator alone; one that was trained "
        "several times counts with the mean. Where it says ≥, that network's trial was pruned: it "
        "would have gone further, and does not compare with those that are complete."
    )
    records = queries.operator_records(scope)
    if len(records) > len(NODES):
        st.markdown(
            "Mixers that somebody registered stand beneath the twelve. Dashed lines lead to the "
            "relatives that they declare, where they are known to this server (`MIXSPACE_PLUGINS`)."
        )
    names = effects.studies(scope)
    found = effects.of_one(queries.effects(scope, names)) if names else None
    figure = relation_graph_figure(records, page_theme(), () if found is None else found.effects)
    alt = "The relation graph: 12 operators joined by 13 labelled edges"
    table = _operators(records)
    chosen = show_selectable(figure, "relation-graph", alt, least=_WIDTH, table=table)
    st.caption(
        "Point at a node for its place on every axis, at an edge's label for what changes along "
        "it; click a node to open its best architecture. After Figure 1 of “On the Connection "
        "between Local Attention and Dynamic Depth-wise Convolution” (ICLR 2022)."
    )
    said = queries.accuracy_notes(scope)
    notices.captions(said)
    if found is not None:
        _table(found, said)
    if chosen is not None:
        open_architecture(chosen)


def _operators(records: Mapping[str, OperatorRecord]) -> pd.DataFrame:
    """What the nodes say; what is on the edges has a table of its own."""
    known = list(records.items())
    return pd.DataFrame(
        {
            "operator": [name for name, _ in known],
            "accuracy": [percent(record.best_accuracy) for _, record in known],
            "state": [_state(record) for _, record in known],
            "trials alone": [record.alone for _, record in known],
            "beside others": [record.mixed for _, record in known],
            ARCHITECTURE: [record.best_architecture or "" for _, record in known],
        }
    )


def _state(record: OperatorRecord) -> str:
    if record.best_architecture is None:
        return NONE
    return str(TrialState.PRUNED if record.pruned else TrialState.COMPLETE)


def _table(found: StudyEffects, said: Sequence[str]) -> None:
    st.subheader("What each move does")
    offered = {
        name: rows
        for name, kind in _KINDS.items()
        if (rows := [each for each in found.effects if each.move.kind is kind])
    }
    chosen = st.segmented_control(
        "Moves", list(offered), default="Edges", required=True, key="moves", bind="query-params"
    )
    effects.table(offered[chosen or "Edges"])
    effects.captions(found, said)
    st.caption("What single axes, sizes and types of block do is on the page Axes.")


if __name__ == "__main__":  # as Streamlit runs it
    page()
