"""The pages, the ways between them, and tables of architectures that lead to theirs."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlencode

import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import tables
from dashboard.scope import Scope
from space.wording import NONE


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
    Page("overview", "Overview", ":material/dashboard:", "overview"),
    Page("progress", "Live progress", ":material/monitoring:", "progress"),
    Page("leaderboard", "Leaderboard", ":material/leaderboard:", "leaderboard", True),
    Page("accuracy_cost", "Accuracy against cost", ":material/scatter_plot:", "accuracy-cost"),
    Page("learning_curves", "Learning curves", ":material/show_chart:", "learning-curves"),
    Page("architecture", "Architecture", ":material/account_tree:", "architecture"),
    Page("compare", "Compare", ":material/compare:", "compare"),
    Page("relation_graph", "Relation graph", ":material/hub:", "relation-graph"),
    Page("axes", "Axes", ":material/tune:", "axes"),
    Page("failures", "Failures", ":material/error:", "failures"),
)
ARCHITECTURE = "architecture"
"""The query parameter, and the URL path, that lead to one architecture."""
COMPARED = "networks"
"""The query parameter that names the networks to be compared, joined by commas."""
STORE = "store"
"""Session state and query parameter of the store's name, where there are several."""
STUDY, WHERE, PROTOCOL = "study", "where", "protocol"
"""Session state and query parameters of the filter."""


def open_architecture(architecture_id: str) -> None:
    """Leaves the page for that of an architecture; the filter, bound to the URL, goes along."""
    st.switch_page("views/architecture_view.py", query_params={ARCHITECTURE: architecture_id})


def architecture_cells(scope: Scope, ids: Sequence[str]) -> list[str]:
    """Links to the pages of these ids, which open in a new tab and keep the filter."""
    kept = {STUDY: scope.study, WHERE: scope.where, PROTOCOL: scope.protocol}
    return [_link(ARCHITECTURE, {ARCHITECTURE: id_} | kept) for id_ in ids]


def architecture_column() -> Any:
    """How a column of `architecture_cells` looks: the ids alone."""
    display = f"{ARCHITECTURE}=([0-9a-f]+)"
    return st.column_config.LinkColumn(display_text=display, width=140)


def study_cells(names: Sequence[str]) -> list[str]:
    """Links to the progress of these studies, which open in a new tab."""
    return [_link("progress", {STUDY: name}) for name in names]


def study_column() -> Any:
    """How a column of `study_cells` looks: the names alone."""
    return st.column_config.LinkColumn(display_text=f"{STUDY}=([^&]+)", width=180)


def _link(page: str, parameters: Mapping[str, str | None]) -> str:
    """A page of the store that is looked at."""
    chosen = {**parameters, STORE: st.session_state.get(STORE)}
    kept = {name: value for name, value in chosen.items() if value}
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    # A blank as %20: what shows a part of a link undoes that, and leaves a "+" as it is.
    return f"/{base}/{page}?".replace("//", "/") + urlencode(kept, quote_via=quote)


def open_comparison(ids: Sequence[str]) -> None:
    """Leaves the page for the comparison of these; the filter goes along."""
    st.switch_page("views/compare_view.py", query_params={COMPARED: ",".join(ids)})


def architecture_table(
    table: Styler, ids: Sequence[str], key: str, columns: dict[str, Any]
) -> str | None:
    """Draws a table with a row for each of the ids; the id whose row was marked.

    The arguments are those of `architectures_table`.
    """
    marked = _table(table, ids, key, columns, "single-row")
    return marked[0] if marked else None


def architectures_table(
    table: Styler, ids: Sequence[str], key: str, columns: dict[str, Any]
) -> list[str]:
    """Draws a table with a row for each of the ids; the ids whose rows were marked, in order.

    Args:
        table: its column "architecture" holds `architecture_cells`.
        ids: of the architectures, in order of the rows.
        key: of the table.
        columns: how its other columns look.
    """
    return _table(table, ids, key, columns, "multi-row")


def key_of_rows(key: str, rows: Sequence[str]) -> str:
    """A key for a table of these rows, in this order.

    Marks are kept by the numbers of rows: under one key they would fall on others when the order
    changes, or a row comes in between.
    """
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return f"{key}-{digest[:16]}"


def _table(
    table: Styler,
    ids: Sequence[str],
    key: str,
    columns: dict[str, Any],
    mode: Literal["single-row", "multi-row"],
) -> list[str]:
    event = tables.draw(
        table,
        columns | {ARCHITECTURE: architecture_column()},
        height=min(38 + 35 * len(ids), 740),
        key=key_of_rows(key, ids),
        on_select="rerun",
        selection_mode=mode,
        placeholder=NONE,
    )
    return [ids[row] for row in sorted(event["selection"]["rows"]) if row < len(ids)]
