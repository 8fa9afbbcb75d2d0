"""Leaderboard: the architectures by accuracy, narrowed by the filter."""

import re
import shlex
from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import notices, queries, remarks, source
from dashboard.navigation import (
    architecture_cells,
    architectures_table,
    open_architecture,
    open_comparison,
)
from dashboard.scope import Scope, current
from search.query import TABLE_FORMATS, BestRow, Spread, StudyObjectives, optimism, ranks
from search.query.network_comparison import FEWEST, MOST
from space.wording import NONE, count, duration, percent, short

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
    with st.container(horizontal=True):
        sort = st.selectbox("Sort by", list(_SORTS), key="sort", bind="query-params", width=220)
        top = st.selectbox("Rows", [25, 100, 1000], key="rows", bind="query-params", width=100)
    rows = queries.leaderboard(scope, _SORTS[sort], top)
    if not rows:
        notices.no_trials("No trial has ended yet.", scope.is_filtered)
        return
    spread = queries.spreads(scope) if sort == "accuracy" else {}
    wanted = queries.study_objectives(scope)
    notices.captions(
        [
            _note(rows, top),
            _ties(spread),
            *queries.accuracy_notes(scope, optimistic=False),
            optimism(rows),
            *([] if wanted is None else wanted.sentences),
        ]
    )
    ids = [row.architecture_id for row in rows]
    marked = _tables(rows, architecture_cells(scope, ids), spread, wanted)
    if marked:
        _shortlist(scope, marked)
    _downloads(scope)


def _tables(
    rows: list[BestRow], cells: list[str], spread: dict[str, Spread], wanted: StudyObjectives | None
) -> list[BestRow]:
    """What is complete, and apart from it what was stopped early; the rows that are marked."""
    named = list(zip(rows, cells, strict=True))
    marked: list[BestRow] = []
    for key, whole in (("leaderboard", True), ("leaderboard-pruned", False)):
        part = [(row, cell) for row, cell in named if row.is_complete is whole]
        if not part:
            continue
        if not whole:
            st.caption("Stopped early: these accuracies compare with none of a complete training.")
        shown, words = [row for row, _ in part], [cell for _, cell in part]
        table = _frame(shown, words, spread, wanted)
        ids = [row.architecture_id for row in shown]
        chosen = architectures_table(table, ids, key, _columns())
        marked += [row for row in shown if row.architecture_id in chosen]
    return marked


# --- what is done with marked rows, and with all of them ----------------------------------------


def _shortlist(scope: Scope, rows: Sequence[BestRow]) -> None:
    """Ways on from marked rows."""
    with st.container(border=True):
        st.markdown(f"**{count(len(rows), 'architecture')} marked**")
        ids = [row.architecture_id for row in rows]
        left, right = st.columns(2)
        if left.button(
            "Open the first", icon=":material/account_tree:", width="stretch", key="open"
        ):
            open_architecture(ids[0])
        can = FEWEST <= len(ids) <= MOST
        help_ = None if can else f"Of {FEWEST} to {MOST} architectures."
        if right.button(
            "Compare",
            icon=":material/compare:",
            width="stretch",
            key="compare",
            disabled=not can,
            help=help_,
        ):
            open_comparison(ids)
        st.code(_commands(scope, rows), language=None, wrap_lines=True)
        _tags(scope, ids)


def _tags(scope: Scope, ids: Sequence[str]) -> None:
    """Those of the marked architectures, and where one may, a box for another."""
    found = queries.tags(scope, tuple(ids))
    notices.captions(f"{id_}: {', '.join(found[id_])}" for id_ in ids if id_ in found)
    with notices.reported("Tags cannot be written"):
        closed = remarks.why_closed(scope)
        if closed is None:
            remarks.tag_form(scope, ids, "Tag all that are marked")
        else:
            notices.captions([f"Tags cannot be written here: {closed}."])


def _commands(scope: Scope, rows: Sequence[BestRow]) -> str:
    """What trains them in full, compares and ships them, to be copied into a shell."""
    store = source.store_option(scope)
    by_study: dict[str, list[str]] = {}
    for row in rows:
        by_study.setdefault(row.study, []).append(row.architecture_id)
    lines = [
        f"python -m search retrain {' '.join(ids)} --study {shlex.quote(study)}{store}"
        for study, ids in by_study.items()
    ]
    if FEWEST <= len(rows) <= MOST:
        named = " ".join(row.architecture_id for row in rows)
        where = f'--where "protocol = {rows[0].protocol_hash}"'
        lines.append(f"python -m search compare {named} {where}{store}")
    first = rows[0].architecture_id
    of_study = f"--study {shlex.quote(rows[0].study)}"
    lines.append(f"python -m search export {first} --to {first} {of_study}{store}")
    return "\n".join(lines)


def _file(scope: Scope, suffix: str) -> bytes:
    """Made when it is asked for: it may be large."""
    return TABLE_FORMATS[suffix](queries.trial_table(scope))


def _downloads(scope: Scope) -> None:
    """All trials of the filter in a file, whatever is on the screen."""
    st.subheader("All trials of the filter")
    with st.container(horizontal=True):
        for suffix in TABLE_FORMATS:
            st.download_button(
                suffix.removeprefix(".").upper() if suffix == ".csv" else "Parquet",
                partial(_file, scope, suffix),
                file_name=re.sub(r"[^\w.-]+", "_", scope.study or "trials") + suffix,
                icon=":material/download:",
                width=160,
                on_click="ignore",
                key=f"download{suffix}",
            )
    st.caption(
        "A row each, with plain ids, protocol, seeds and state; as `python -m search dump FILE`."
    )


def _ties(spread: dict[str, Spread]) -> str:
    if not spread:
        return "Places by accuracy are as measured: no spread over seeds is known or asked for."
    return (
        "Architectures trained several times count with their mean. Places with = are ties: a "
        "t-test at the 5 % level, with the spread over seeds, does not tell them apart."
    )


def _note(rows: list[BestRow], top: int) -> str:
    counted = f"The first {top:,} architectures." if len(rows) == top else f"{len(rows):,} found."
    return (
        f"{counted} Accuracy is of validation images. The name opens an architecture; mark rows to "
        "compare, retrain or export them."
    )


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
            **({} if rows[0].is_complete else {"state": [str(row.state) for row in rows]}),
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
        "place": column.TextColumn(width=55),
        "accuracy": column.NumberColumn(width=75),
        "params": column.NumberColumn(width=70),
        "FLOPs": column.NumberColumn(width=70, help="Multiply-accumulates for one image."),
        "epochs": column.NumberColumn(width=65),
        "training": column.NumberColumn(width=80),
        "block type": column.TextColumn(width=80),
        "spread": column.NumberColumn(width=65),
        "seeds": column.NumberColumn(width=55),
    }


if __name__ == "__main__":  # as Streamlit runs it
    page()
