"""Figures on a page: the page's colours, how they are shown, as a table, what was clicked."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import tables
from dashboard.navigation import ARCHITECTURE, architecture_cells, architecture_column
from dashboard.scope import current
from search.visualization.figure_table import figure_table
from search.visualization.theme import DARK, LIGHT, Theme

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}


def page_theme() -> Theme:
    """The colours of the page's own text; Plotly's theme makes labels inside of a chart grey."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def show(
    made: go.Figure,
    key: str,
    alt: str,
    *,
    least: int | None = None,
    table: pd.DataFrame | None = None,
) -> None:
    """Puts a figure on the page, as wide as the page, and below it the way to its table.

    Args:
        made: the figure.
        key: of it on the page.
        alt: what it shows, for those who cannot see it.
        least: the pixels that it keeps: on a narrower page it scrolls aside.
        table: what it holds, where its traces do not say it.
    """
    with _place(key, least):
        st.plotly_chart(_inked(made), key=key, width="stretch", config=CONFIG, alt=alt)
    _as_table(made, key, table)


def show_selectable(
    made: go.Figure,
    key: str,
    alt: str,
    *,
    least: int | None = None,
    table: pd.DataFrame | None = None,
) -> str | None:
    """As `show`; returns what the clicked point carries first in its customdata."""
    with _place(key, least):
        event = st.plotly_chart(
            _inked(made),
            key=key,
            width="stretch",
            config=CONFIG,
            alt=alt,
            on_select="rerun",
            selection_mode="points",
        )
    _as_table(made, key, table)
    return first_custom(event)


def show_picture(made: go.Figure, key: str, alt: str, *, least: int) -> None:
    """Puts a figure on the page that is nothing but a picture of what tables say."""
    with _place(key, least):
        bare = {**CONFIG, "displayModeBar": False}
        st.plotly_chart(_inked(made), key=key, width="stretch", config=bare, alt=alt)


def _place(key: str, least: int | None) -> DeltaGenerator:
    """Where a chart of this key stands, and keeps its least width."""
    if least is None:
        return st.container()
    st.html(f"<style>.st-key-{key} {{min-width: {least}px}}</style>")
    return st.container(horizontal=True, wrap=False)


def _inked(made: go.Figure) -> go.Figure:
    """Words of the axes and the legend in the page's ink: Streamlit's grey is hard to read."""
    ink = {"color": page_theme().ink}
    made.update_xaxes(tickfont=ink, title_font=ink)
    made.update_yaxes(tickfont=ink, title_font=ink)
    made.update_layout(legend_font=ink)
    return made


def _as_table(made: go.Figure, key: str, table: pd.DataFrame | None) -> None:
    """The same in words and numbers; made and sent only where somebody opens it."""
    with st.expander("As a table", key=f"{key}-as-table", on_change="rerun") as folded:
        if not folded.open:
            return
        found = figure_table(made) if table is None else table
        if ARCHITECTURE in found:
            ids = list(found[ARCHITECTURE])
            found = found.assign(**{ARCHITECTURE: architecture_cells(current(), ids)})
        links = {ARCHITECTURE: architecture_column()}
        tables.draw(found, links, height=min(38 + 35 * len(found), 400), key=f"{key}-table")


def metric_row() -> DeltaGenerator:
    """Where figures stand side by side, and below each other where the page is too narrow."""
    return st.container(horizontal=True, gap="large", key="metrics")


def first_custom(event: Any) -> str | None:
    """The first value of the customdata of the first selected point that has any."""
    for point in event["selection"]["points"]:
        data = point.get("customdata")
        if isinstance(data, dict):  # Plotly sends a typed array as an object with its indices
            data = list(data.values())
        first = data[0] if isinstance(data, (list, tuple)) and data else data
        if isinstance(first, str) and first:
            return first
    return None
