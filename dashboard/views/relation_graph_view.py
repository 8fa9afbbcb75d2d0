"""The paper's relation graph with what this store found of its operators and along its edges."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import notices, queries
from dashboard.charts import page_theme, show, show_selectable
from dashboard.navigation import ARCHITECTURE, open_architecture, words_column
from dashboard.scope import Scope, current
from search.query import (
    AxisShare,
    Effect,
    MoveKind,
    OperatorRecord,
    StudyEffects,
    StudyImportance,
    interval_in_points,
)
from search.store import TrialState
from search.visualization.relation_graph_figure import relation_graph_figure
from search.visualization.shares_figure import shares_figure
from space.relation_graph import NODES
from space.wording import NONE, count, percent

_KINDS = {
    "Edges": MoveKind.EDGE,
    "Axes": MoveKind.AXIS,
    "Types": MoveKind.TYPES,
    "Sizes": MoveKind.SIZE,
    "Block types": MoveKind.BLOCK_TYPE,
}
_COST_NAMES = {"macs": "MACs", "training_bytes": "memory"}
_WIDTH = 940  # what the names in its boxes need, and a page of 1440 pixels has
_AT_ONCE = 5_000  # trials of which the effects are shown without being asked for


def page() -> None:
    """The page."""
    scope = current()
    st.markdown(
        "The 12 operators that the paper names, and what changes from one to the next. Each node "
        "shows the best accuracy of the networks made of that operator alone; one that was trained "
        "several times counts with the mean. Where it says ≥, that network's trial was pruned: it "
        "would have gone further, and does not compare with those that are complete."
    )
    records = queries.operator_records(scope)
    if len(records) > len(NODES):
        st.markdown(
            "Mixers that somebody registered stand beneath the twelve. Dashed lines lead to the "
            "relatives that they declare, where they are known to this server (`MIXSPACE_PLUGINS`)."
        )
    names = _studies(scope)
    found = _of_one(queries.effects(scope, names)) if names else None
    figure = relation_graph_figure(records, page_theme(), () if found is None else found.effects)
    alt = "The relation graph: 12 operators joined by 13 labelled edges"
    table = _operators(records)
    chosen = show_selectable(figure, "relation-graph", alt, least=_WIDTH, table=table)
    st.caption(
        "Point at a node for its place on every axis, at an edge's label for what changes along "
        "it; click a node to open its best architecture. After Figure 1 of “On the Connection "
        "between Local Attention and Dynamic Depth-wise Convolution” (ICLR 2022)."
    )
    said = queries.accuracy_notes(scope)
    notices.captions(said)
    if found is not None:
        _table(found, said)
        importance = _of_one(queries.importance(scope, names))
        if importance is not None:
            _importance(importance, (*said, *found.notes))
    if chosen is not None:
        open_architecture(chosen)


def _operators(records: Mapping[str, OperatorRecord]) -> pd.DataFrame:
    """What the nodes say; what is on the edges has a table of its own."""
    known = list(records.items())
    return pd.DataFrame(
        {
            "operator": [name for name, _ in known],
            "accuracy": [percent(record.best_accuracy) for _, record in known],
            "state": [_state(record) for _, record in known],
            "trials alone": [record.alone for _, record in known],
            "beside others": [record.mixed for _, record in known],
            ARCHITECTURE: [record.best_architecture or "" for _, record in known],
        }
    )


def _state(record: OperatorRecord) -> str:
    if record.best_architecture is None:
        return NONE
    return str(TrialState.PRUNED if record.pruned else TrialState.COMPLETE)


# --- effects ----------------------------------------------------------------------------------


def _studies(scope: Scope) -> tuple[str, ...]:
    """Those of the filter that have results; none where many trials are there and nobody asked."""
    studies = [study for study in queries.summaries(scope) if study.ended_trials]
    trials = sum(study.ended_trials for study in studies)
    asked = trials <= _AT_ONCE or st.toggle(
        f"Effects of moves and axes, from {count(trials, 'trial')} (takes a while)", key="effects"
    )
    return tuple(study.name for study in studies) if asked else ()


_Answer = TypeVar("_Answer")


def _of_one(groups: Sequence[_Answer]) -> _Answer | None:
    """That of the only protocol; a filter that leaves no trial has all."""
    return groups[0] if len(groups) == 1 else None


def _table(found: StudyEffects, said: Sequence[str]) -> None:
    st.subheader("What each design decision does")
    offered = {
        name: rows
        for name, kind in _KINDS.items()
        if (rows := [each for each in found.effects if each.move.kind is kind])
    }
    chosen = st.segmented_control(
        "Moves", list(offered), default="Edges", required=True, key="moves", bind="query-params"
    )
    rows = offered[chosen or "Edges"]
    st.dataframe(
        _frame(rows),
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(rows), 740),
        placeholder=NONE,
        column_config={
            "move": words_column(each.move.name for each in rows),
            "verdict": words_column(each.verdict for each in rows),
        },
    )
    whole = f"{found.networks:,} networks of {' + '.join(found.studies)}, {found.judged}."
    notices.captions(
        [
            f"{whole} Points of validation accuracy, target less source, between networks that "
            "are equal in all else; 95 % over contexts. Verdicts are corrected for all moves of "
            "the kind.",
            *(note for note in found.notes if note not in said),
        ]
    )


def _frame(effects: Sequence[Effect]) -> Styler:
    """Numbers that sort as numbers and read as people write them."""
    blocks = list(dict.fromkeys(name for each in effects for name in each.by_block_type))
    costs = list(dict.fromkeys(name for each in effects for name in each.ratios))
    parts = {f"in {name}": name for name in blocks if len(blocks) > 1}
    ratios = {f"{_COST_NAMES.get(name, name)} ×": name for name in costs}
    table = pd.DataFrame(
        {
            "move": [each.move.name for each in effects],
            "points": [100 * each.accuracy.mean for each in effects],
            "95 %": [interval_in_points(each.accuracy) for each in effects],
            "verdict": [each.verdict for each in effects],
            "pairs": [each.pairs for each in effects],
            "contexts": [each.accuracy.contexts for each in effects],
            **{title: [_in_block(each, name) for each in effects] for title, name in parts.items()},
            **{
                t: [each.ratios.get(name, math.nan) for each in effects]
                for t, name in ratios.items()
            },
        }
    )
    signed: dict[Any, Any] = dict.fromkeys(("points", *parts), "{:+.2f}")
    return table.style.format(signed | dict.fromkeys(ratios, "{:.2f}"), na_rep=NONE)


# --- importance -------------------------------------------------------------------------------


def _importance(found: StudyImportance, said: Sequence[str]) -> None:
    st.subheader("How much each axis matters")
    made = shares_figure(found.shares)
    if made is not None:
        show(made, "shares", "The share of the variance of accuracies that each axis explains")
    rows = [*found.shares.axes, *found.shares.together]
    st.dataframe(
        _shares_frame(rows),
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(rows), 740),
        placeholder=NONE,
        column_config={"verdict": words_column(each.verdict for each in rows)},
    )
    notices.captions(
        [
            "Per cent of the variance of validation accuracies that an axis explains beyond all "
            "others, with 95 % over networks; alone, with all that comes with it. It needs no "
            "pairs, and is no effect: it says where to look. Verdicts are corrected for all axes.",
            *(note for note in found.notes if note not in said),
        ]
    )


def _shares_frame(rows: Sequence[AxisShare]) -> Styler:
    table = pd.DataFrame(
        {
            "axis": [each.axis for each in rows],
            "% of variance": [100 * each.share for each in rows],
            "from": [100 * each.low for each in rows],
            "to": [100 * each.high for each in rows],
            "verdict": [each.verdict for each in rows],
            "alone": [100 * each.alone for each in rows],
            "values": [each.values for each in rows],
        }
    )
    shares: dict[Any, Any] = dict.fromkeys(("% of variance", "from", "to", "alone"), "{:.1f}")
    return table.style.format(shares, na_rep=NONE)


def _in_block(effect: Effect, block_type: str) -> float:
    found = effect.by_block_type.get(block_type)
    return math.nan if found is None else 100 * found.mean


if __name__ == "__main__":  # as Streamlit runs it
    page()
