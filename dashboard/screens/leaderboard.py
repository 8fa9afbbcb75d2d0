"""Leaderboard: the architectures by accuracy, narrowed by the filter."""

from typing import Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import messages, source
from dashboard.navigation import ARCHITECTURE, architecture_query, open_architecture
from dashboard.reads.remember import remembered
from dashboard.reads.studies import aimed
from dashboard.view import View, current
from search.query import Aims, BestRow, Spread, best, places, spreads
from space.wording import NONE, duration, percent, short

# What the table can be sorted by, as the query sorts.
_SORTS = {
    "accuracy": "-accuracy",
    "fewest params": "params",
    "fewest FLOPs": "flops",
    "shortest training": "seconds",
}


def page() -> None:
    """The page."""
    view = current()
    left, right, _ = st.columns([1, 1, 2], vertical_alignment="bottom")
    sort = left.selectbox("Sort by", list(_SORTS), key="sort", bind="query-params")
    top = right.selectbox("Rows", [25, 100, 1000], key="rows", bind="query-params")
    rows = _rows(view, _SORTS[sort], top)
    if not rows:
        messages.no_trials("No trial has ended yet.", view.is_filtered)
        return
    spread = _spread(view) if sort == "accuracy" else {}
    st.caption(_note(rows, top))
    st.caption(_ties(spread))
    aims = aimed(view)
    for sentence in [] if aims is None else aims.sentences:
        st.caption(sentence)
    chosen = _table(view, rows, spread, aims)
    if chosen is not None:
        open_architecture(chosen)


def _rows(view: View, sort: str, top: int) -> list[BestRow]:
    def read() -> list[BestRow]:
        where = view.where or None
        return best(view.store, where=where, study=view.study, sort=sort, top=top)

    return remembered(view, "leaderboard", (view.study, view.where, sort, top), read)


def _spread(view: View) -> dict[str, Spread]:
    return remembered(view, "spread", (view.study,), lambda: spreads(view.store, view.study))


def _ties(spread: dict[str, Spread]) -> str:
    if not spread:
        return "Places by accuracy are as measured: no spread over seeds is known or asked for."
    return (
        "Architectures trained several times count with their mean. Places with = are ties: a "
        "t-test at the 5 % level, with the spread over seeds, does not tell them apart."
    )


def _note(rows: list[BestRow], top: int) -> str:
    counted = f"The first {top:,} architectures." if len(rows) == top else f"{len(rows):,} found."
    protocols = {row.protocol_hash for row in rows}
    if len(protocols) > 1:
        counted += (
            f" They were judged by {len(protocols)} different protocols; accuracies compare only"
            " within one. Choose a study in the sidebar."
        )
    return f"{counted} Accuracy is of validation images. Mark a row to open its architecture."


def _table(
    view: View, rows: list[BestRow], spread: dict[str, Spread], aims: Aims | None
) -> str | None:
    """The table; the id of the architecture whose row was marked."""
    links = source.is_default()
    query = architecture_query("", view.study, view.where)
    event = st.dataframe(
        _frame(rows, query if links else None, spread, aims),
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(rows), 740),
        key="leaderboard",
        on_select="rerun",
        selection_mode="single-row",
        column_config=_columns(links),
    )
    marked = event["selection"]["rows"]
    return rows[marked[0]].architecture_id if marked and marked[0] < len(rows) else None


def _frame(
    rows: list[BestRow],
    query: dict[str, str] | None,
    spread: dict[str, Spread],
    aims: Aims | None,
) -> Styler:
    """Numbers that sort as numbers and read as people write them."""
    table = pd.DataFrame(
        {
            "place": places(rows, spread),
            "accuracy": [row.accuracy for row in rows],
            "architecture": [_cell(row.architecture_id, query) for row in rows],
            "token mixers": [row.operators for row in rows],
            "params": [row.params for row in rows],
            "FLOPs": [row.flops for row in rows],
            "state": [str(row.state) for row in rows],
            "epochs": [row.epochs for row in rows],
            "training": [row.seconds for row in rows],
            "scaffold": [row.scaffold for row in rows],
        }
    )
    if aims is not None and aims.bounds:
        table.insert(2, "bounds", [aims.word(row) for row in rows])
    if any(row.repeats > 1 for row in rows):
        table["spread"] = [row.deviation for row in rows]
        table["seeds"] = [row.repeats for row in rows]
    if len({row.study for row in rows}) > 1:
        table["study"] = [row.study for row in rows]
    words: dict[Any, Any] = {
        "accuracy": percent,
        **({"spread": percent} if "spread" in table else {}),
        "params": short,
        "FLOPs": short,
        "training": duration,
    }
    return table.style.format(words, na_rep=NONE)


def _cell(architecture_id: str, query: dict[str, str] | None) -> str:
    """The id, or a link to its page; a link opens a new tab, which knows the default store only."""
    if query is None:
        return architecture_id
    return f"/{ARCHITECTURE}?{urlencode(query | {ARCHITECTURE: architecture_id})}"


def _columns(links: bool) -> dict[str, Any]:
    column = st.column_config
    columns: dict[str, Any] = {
        "accuracy": column.NumberColumn(width=80),
        "token mixers": column.TextColumn(width=240),
        "params": column.NumberColumn(width=70),
        "FLOPs": column.NumberColumn(width=70, help="Multiply-accumulates for one image."),
        "epochs": column.NumberColumn(width=65),
        "training": column.NumberColumn(width=85),
    }
    if links:
        display = f"{ARCHITECTURE}=([0-9a-f]+)"
        columns["architecture"] = column.LinkColumn(display_text=display, width=150)
    return columns


if __name__ == "__main__":  # as Streamlit runs it
    page()
