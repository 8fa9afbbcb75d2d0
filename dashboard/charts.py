"""Figures on a page: the page's colours, how they are shown, what was clicked."""

from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from search.visualization.theme import DARK, LIGHT, Theme

CONFIG: dict[str, Any] = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
}


def page_theme() -> Theme:
    """The colours of the page's own text; Plotly's theme makes labels inside of a chart grey."""
    return DARK if st.context.theme.type == "dark" else LIGHT


def show(made: go.Figure, key: str, alt: str) -> None:
    """Puts a figure on the page, as wide as the page."""
    st.plotly_chart(made, key=key, width="stretch", config=CONFIG, alt=alt)


def at_least(width: int, key: str) -> DeltaGenerator:
    """Where a chart of this key keeps so many pixels: on a narrower page it scrolls aside."""
    st.html(f"<style>.st-key-{key} {{min-width: {width}px}}</style>")
    return st.container(horizontal=True, wrap=False)


def show_selectable(made: go.Figure, key: str, alt: str) -> str | None:
    """Puts a figure on the page; what the clicked point carries first in its customdata."""
    event = st.plotly_chart(
        made,
        key=key,
        width="stretch",
        config=CONFIG,
        alt=alt,
        on_select="rerun",
        selection_mode="points",
    )
    return first_custom(event)


def metric_row() -> DeltaGenerator:
    """Where figures stand side by side, and below each other where the page is too narrow."""
    return st.container(horizontal=True, gap="large")


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
