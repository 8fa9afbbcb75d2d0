"""The pages, the ways between them, and tables of architectures that lead to theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.scope import Scope


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its file `views/NAME_view.py`, and how it is called in the menu and in URLs.

    Attributes:
        wide_filter: whether the where box stands on the page too, with room to write.
    """

    name: str
    title: str
    icon: str
    url_path: str
    wide_filter: bool = False


PAGES = (
    Page("progress", "Live progress", ":material/monitoring:", "progress"),
    Page("leaderboard", "Leaderboard", ":material/leaderboard:", "leaderboard", True),
    Page("accuracy_cost", "Accuracy against cost", ":material/scatter_plot:", "accuracy-cost"),
    Page("learning_curves", "Learning curves", ":material/show_chart:", "learning-curves"),
    Page("architecture", "Architecture", ":material/account_tree:", "architecture"),
    Page("relation_graph", "Relation graph", ":material/hub:", "relation-graph"),
)
ARCHITECTURE = "architecture"
"""The query parameter, and the URL path, that lead to one architecture."""
STORE = "store"
"""Session state and query parameter of the store's name, where there are several."""
STUDY, WHERE = "study", "where"
"""Session state and query parameters of the filter."""


def open_architecture(architecture_id: str) -> None:
    """Leaves the page for that of an architecture; the filter, bound to the URL, goes along."""
    st.switch_page("views/architecture_view.py", query_params={ARCHITECTURE: architecture_id})


def architecture_cells(scope: Scope, ids: Sequence[str]) -> list[str]:
    """Links to the pages of these ids, which open in a new tab and keep the filter."""
    chosen = {STORE: st.session_state.get(STORE), STUDY: scope.study, WHERE: scope.where}
    kept = {name: value for name, value in chosen.items() if value}
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    page = f"/{base}/{ARCHITECTURE}" if base else f"/{ARCHITECTURE}"
    return [f"{page}?{urlencode({ARCHITECTURE: id_, **kept})}" for id_ in ids]


def architecture_table(
    table: Styler, ids: Sequence[str], key: str, columns: dict[str, Any]
) -> str | None:
    """Draws a table with a row for each of the ids; the id whose row was marked.

    Args:
        table: its column "architecture" holds `architecture_cells`.
        ids: of the architectures, in order of the rows.
        key: of the table.
        columns: how its other columns look.
    """
    display = f"{ARCHITECTURE}=([0-9a-f]+)"
    link = st.column_config.LinkColumn(display_text=display, width=150)
    columns = columns | {"architecture": link}
    event = st.dataframe(
        table,
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(ids), 740),
        key=key,
        on_select="rerun",
        selection_mode="single-row",
        column_config=columns,
    )
    marked = event["selection"]["rows"]
    return ids[marked[0]] if marked and marked[0] < len(ids) else None
