"""Tables of architectures: links in their cells, and a marked row that leads to its page."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from pandas.io.formats.style import Styler

from dashboard.navigation import ARCHITECTURE, STORE, architecture_query
from dashboard.view import View


def architecture_cells(view: View, ids: Sequence[str]) -> list[str]:
    """Links to the pages of these ids, which open in a new tab."""
    store = st.session_state.get(STORE)
    queries = (architecture_query(id_, store, view.study, view.where) for id_ in ids)
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    page = f"/{base}/{ARCHITECTURE}" if base else f"/{ARCHITECTURE}"
    return [f"{page}?{urlencode(query)}" for query in queries]


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
