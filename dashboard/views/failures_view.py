"""Failures: why trials gave no result, by reason, operator and size."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import notices, queries, tables
from dashboard.navigation import (
    architecture_cells,
    architecture_table,
    key_of_rows,
    open_architecture,
)
from dashboard.scope import Scope, current, zone
from search.query import FailureKind, Failures, FailureShare
from space import wording

_NAMED = 2  # operators of a reason


def page() -> None:
    """The page."""
    scope = current()
    found = queries.failures(scope)
    if not found.by_size and not found.kinds:
        notices.no_trials("No trial has ended yet.", scope.is_filtered)
        return
    st.caption(_headline(found))
    if not found.kinds:
        return
    chosen = _kinds(found.kinds)
    if chosen is not None:
        _trials(scope, chosen)
    _shares(found)


def _headline(found: Failures) -> str:
    ended = sum(each.ended for each in found.by_size)
    failed = sum(each.failed for each in found.by_size)
    if not ended:
        return "No trial has ended yet."
    share = f"{failed / ended:.1%}"
    return f"{failed:,} of {wording.count(ended, 'ended trial')} failed or did not fit ({share})."


def _kinds(kinds: Sequence[FailureKind]) -> FailureKind | None:
    """The table of reasons; the one whose row was marked."""
    st.subheader("Reasons")
    table = pd.DataFrame(
        {
            "trials": [kind.trials for kind in kinds],
            "state": [str(kind.state) for kind in kinds],
            "reason": [kind.reason or wording.NONE for kind in kinds],
            "token mixers": [_operators(kind) for kind in kinds],
            "params": [wording.short_range(*kind.params) for kind in kinds],
        }
    )
    event = tables.draw(
        table,
        {
            "trials": st.column_config.NumberColumn(width=60),
            "reason": st.column_config.TextColumn(width=420),
        },
        height=min(38 + 35 * len(kinds), 500),
        key=key_of_rows("kinds", [f"{kind.state} {kind.reason}" for kind in kinds]),
        on_select="rerun",
        selection_mode="single-row",
    )
    st.caption("Equal but for the numbers, which are written as …. Mark a row for its trials.")
    marked = event["selection"]["rows"]
    return kinds[marked[0]] if marked and marked[0] < len(kinds) else None


def _operators(kind: FailureKind) -> str:
    """The most frequent, and how many there are beside them."""
    words = [f"{name} {often:,}" for name, often in kind.operators.items()]
    rest = [f"{len(words) - _NAMED} more"] if len(words) > _NAMED else []
    return ", ".join([*words[:_NAMED], *rest])


def _trials(scope: Scope, kind: FailureKind) -> None:
    rows = queries.trials_of_kind(scope, kind)
    st.subheader("Its trials")
    st.code(kind.reason or wording.NONE, language=None, wrap_lines=True)
    ids = [row.architecture_id for row in rows]
    table = pd.DataFrame(
        {
            "architecture": architecture_cells(scope, ids),
            "study": [row.study for row in rows],
            "trial": [row.number for row in rows],
            "ended": [wording.clock(row.ended, zone()) for row in rows],
            "epochs": [row.epochs_done for row in rows],
            "params": [row.params for row in rows],
            "reason": [row.reason for row in rows],
        }
    )
    words: dict[Any, Any] = {"params": wording.short}
    width = {"reason": st.column_config.TextColumn(width=480)}
    chosen = architecture_table(table.style.format(words), ids, "trials-of-kind", width)
    more = f"The last {len(rows):,} of {kind.trials:,}. " if len(rows) < kind.trials else ""
    st.caption(
        f"{more}`python -m search show ARCHITECTURE` names the log of how one broke off. "
        "`python -m search continue STUDY --failed` tries them again, `--infeasible` those that "
        "did not fit."
    )
    if chosen is not None:
        open_architecture(chosen)


def _shares(found: Failures) -> None:
    """How often each operator and each size fails."""
    st.subheader("By operator")
    _share_table([each.name for each in found.by_operator], found.by_operator, "operator")
    st.caption("A network with several operators counts for each. 95 % by Wilson.")
    st.subheader("By size")
    _share_table(
        [wording.short_range(*each.params) for each in found.by_size], found.by_size, "params"
    )


def _share_table(names: list[str], shares: Sequence[FailureShare], what: str) -> None:
    ends = [each.interval for each in shares]
    table = pd.DataFrame(
        {
            what: names,
            "ended": [each.ended for each in shares],
            "failed": [each.failed for each in shares],
            "share": [100 * each.share for each in shares],
            "95 %": [f"{low:.1%} – {high:.1%}" for low, high in ends],
        }
    )
    share = st.column_config.ProgressColumn(format="%.1f%%", max_value=100)
    height = min(38 + 35 * len(names), 500)
    tables.draw(table, {"share": share}, height=height, key=f"shares-{what}")


if __name__ == "__main__":  # as Streamlit runs it
    page()
