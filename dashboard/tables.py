"""Tables whose words can be read: Streamlit fits a column to its first rows alone."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

_MOST = 480
"""Pixels; what is longer can be read in a row that is opened."""


def draw(
    table: pd.DataFrame | Styler, columns: Mapping[str, Any] | None = None, **options: Any
) -> Any:
    """Draws a table as wide as the page.

    Args:
        table: each of its columns that holds nothing but text is as wide as that needs.
        columns: how some of them look instead.
        options: of `st.dataframe`.

    Returns:
        What `st.dataframe` does: with `on_select` which rows are marked.
    """
    frame = table.data if isinstance(table, Styler) else table  # type: ignore[attr-defined]
    names = [str(name) for name in frame]
    fitted = {name: _words_column([name, *frame[name]]) for name in names if _is_text(frame[name])}
    draw_it: Any = st.dataframe  # its overloads go by options that are passed on here
    return draw_it(
        table,
        hide_index=True,
        width="stretch",
        column_config=fitted | dict(columns or {}),
        **options,
    )


def _words_column(texts: Iterable[str]) -> Any:
    """How a column looks in which none of these is cut off, unless it is very long."""
    longest = max(map(len, texts), default=0)
    return st.column_config.TextColumn(width=min(20 + 7 * longest, _MOST))


def _is_text(column: pd.Series) -> bool:
    return all(isinstance(each, str) for each in column)
