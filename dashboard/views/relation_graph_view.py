"""The paper's relation graph with what this store found of its operators and along its edges."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import notices, queries
from dashboard.charts import at_least, page_theme, show_selectable
from dashboard.navigation import open_architecture
from dashboard.scope import Scope, current
from search.query import Effect, MoveKind, StudyEffects, interval_in_points
from search.visualization.relation_graph_figure import relation_graph_figure
from space.relation_graph import NODES
from space.wording import NONE, count

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
    found = _effects(scope)
    figure = relation_graph_figure(records, page_theme(), () if found is None else found.effects)
    alt = "The relation graph: 12 operators joined by 13 labelled edges"
    with at_least(_WIDTH, "relation-graph"):
        chosen = show_selectable(figure, "relation-graph", alt)
    st.caption(
        "Point at a node for its place on every axis, at an edge's label for what changes along "
        "it; click a node to open its best architecture. After Figure 1 of “On the Connection "
        "between Local Attention and Dynamic Depth-wise Convolution” (ICLR 2022)."
    )
    said = queries.accuracy_notes(scope)
    notices.captions(said)
    if found is not None:
        _table(found, said)
    if chosen is not None:
        open_architecture(chosen)


# --- effects ----------------------------------------------------------------------------------


def _effects(scope: Scope) -> StudyEffects | None:
    """Of the studies of the filter."""
    studies = [study for study in queries.summaries(scope) if study.ended_trials]
    trials = sum(study.ended_trials for study in studies)
    if not trials:
        return None
    asked = trials <= _AT_ONCE or st.toggle(
        f"Effects of moves, from {count(trials, 'trial')} (takes a while)", key="effects"
    )
    if not asked:
        return None
    groups = queries.effects(scope, tuple(study.name for study in studies))
    return groups[0] if len(groups) == 1 else None  # of a filter that leaves no trial all


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


def _in_block(effect: Effect, block_type: str) -> float:
    found = effect.by_block_type.get(block_type)
    return math.nan if found is None else 100 * found.mean


if __name__ == "__main__":  # as Streamlit runs it
    page()
