"""The paper's relation graph with what this store found of each operator."""

import streamlit as st

from dashboard import notices, queries
from dashboard.charts import page_theme, show_selectable
from dashboard.navigation import open_architecture
from dashboard.scope import current
from search.visualization.relation_graph_figure import relation_graph_figure
from space.relation_graph import NODES


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
    figure = relation_graph_figure(records, page_theme())
    alt = "The relation graph: 12 operators joined by 13 labelled edges"
    chosen = show_selectable(figure, "relation-graph", alt)
    st.caption(
        "Point at a node for its place on every axis, at an edge's label for what changes along "
        "it; click a node to open its best architecture. After Figure 1 of “On the Connection "
        "between Local Attention and Dynamic Depth-wise Convolution” (ICLR 2022)."
    )
    notices.captions(queries.accuracy_notes(scope))
    if chosen is not None:
        open_architecture(chosen)


if __name__ == "__main__":  # as Streamlit runs it
    page()
