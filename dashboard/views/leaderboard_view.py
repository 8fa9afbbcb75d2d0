"""Leaderboard: the architectures by accuracy, narrowed by the filter."""

from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import notices, queries
from dashboard.navigation import architecture_cells, architecture_table, open_architecture
from dashboard.scope import current
from search.query import BestRow, Spread, StudyObjectives, optimism, ranks
from space.wording import NONE, duration, percent, short

# What the table can be sorted by, as the query sorts.
_SORTS = {
    "accuracy": "-accuracy",
    "fewest params": "params",
    "fewest FLOPs": "macs",
    "shortest training": "seconds",
}


def page() -> None:
    """The page."""
    scope = current()
    left, right, _ = st.columns([1, 1, 2], vertical_alignment="bottom")
    sort = left.selectbox("Sort by", list(_SORTS), key="sort", bind="query-params")
    top = right.selectbox("Rows", [25, 100, 1000], key="rows", bind="query-params")
    rows = queries.leaderboard(scope, _SORTS[sort], top)
    if not rows:
        notices.no_trials("No trial has ended yet.", scope.is_filtered)
        return
    spread = queries.spreads(scope) if sort == "accuracy" else {}
    st.caption(_note(rows, top))
    st.caption(_ties(spread))
    notices.captions([*queries.accuracy_notes(scope, optimistic=False), optimism(rows)])
    wanted = queries.study_objectives(scope)
    notices.captions([] if wanted is None else wanted.sentences)
    ids = [row.architecture_id for row in rows]
    _tables(rows, architecture_cells(scope, ids), spread, wanted)


def _tables(
    rows: list[BestRow], cells: list[str], spread: dict[str, Spread], wanted: StudyObjectives | None
) -> None:
    """What is complete, and apart from it what was stopped early."""
    named = list(zip(rows, cells, strict=True))
    for key, whole in (("leaderboard", True), ("leaderboard-pruned", False)):
        part = [(row, cell) for row, cell in named if row.is_complete is whole]
        if not part:
            continue
        if not whole:
            st.caption("Stopped early: these accuracies compare with none of a complete training.")
        shown, words = [row for row, _ in part], [cell for _, cell in part]
        table = _frame(shown, words, spread, wanted)
        chosen = architecture_table(table, [row.architecture_id for row in shown], key, _columns())
        if chosen is not None:
            open_architecture(chosen)


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


def _frame(
    rows: list[BestRow],
    cells: list[str],
    spread: dict[str, Spread],
    wanted: StudyObjectives | None,
) -> Styler:
    """Numbers that sort as numbers and read as people write them."""
    table = pd.DataFrame(
        {
            "place": ranks(rows, spread),
            "accuracy": [row.accuracy for row in rows],
            "architecture": cells,
            "token mixers": [row.operators for row in rows],
            "params": [row.params for row in rows],
            "FLOPs": [row.macs for row in rows],
            "state": [str(row.state) for row in rows],
            "epochs": [row.epochs for row in rows],
            "training": [row.seconds for row in rows],
            "block type": [row.block_type for row in rows],
        }
    )
    if wanted is not None and wanted.bounds:
        table.insert(2, "bounds", [wanted.word(row) for row in rows])
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


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "accuracy": column.NumberColumn(width=80),
        "token mixers": column.TextColumn(width=240),
        "params": column.NumberColumn(width=70),
        "FLOPs": column.NumberColumn(width=70, help="Multiply-accumulates for one image."),
        "epochs": column.NumberColumn(width=65),
        "training": column.NumberColumn(width=85),
    }


if __name__ == "__main__":  # as Streamlit runs it
    page()
