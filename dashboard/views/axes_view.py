"""What each axis of the design space does: how much it matters, and each value against others."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dashboard import effects, notices, queries, tables
from dashboard.charts import show
from dashboard.navigation import WHERE
from dashboard.scope import Scope, current
from search.query import FIELDS, AxisShare, Effect, MoveKind, StudyEffects, StudyImportance
from search.visualization.effects_figure import effects_figure, sizes_figure
from search.visualization.shares_figure import shares_figure
from space.architecture import BLOCK_TYPES
from space.axes import AXES
from space.wording import NONE, count

_BLOCK_TYPE = str(MoveKind.BLOCK_TYPE)
_WAITING = ":material/hourglass_empty:"
_SHOWN = (MoveKind.AXIS, MoveKind.SIZE, MoveKind.BLOCK_TYPE)


def page() -> None:
    """The page."""
    scope = current()
    st.markdown(
        "The decisions that a design space leaves open: how much each of them matters, and what "
        "each value does against the others, by networks that are **equal in all else**. The best "
        "network with a value against the best without it would say nothing."
    )
    names = effects.studies(scope)
    if not names:
        if any(study.ended_trials for study in queries.summaries(scope)):
            st.info("Of so many trials, effects are worked out when you ask.", icon=_WAITING)
        else:
            notices.no_trials("No trial has ended yet.", scope.is_filtered)
        return
    found = effects.of_one(queries.effects(scope, names))
    if found is not None and not found.networks:
        if scope.is_filtered:
            notices.no_trials("", filtered=True)
        else:
            notices.nothing_complete(filtered=False)
        notices.captions(found.notes)
        return
    said = queries.accuracy_notes(scope)
    notices.captions(said)
    importance = effects.of_one(queries.importance(scope, names))
    if importance is not None:
        _importance(importance, (*said, *(() if found is None else found.notes)))
    if found is not None:
        _values(scope, found, said)


# --- importance -------------------------------------------------------------------------------


def _importance(found: StudyImportance, said: Sequence[str]) -> None:
    st.subheader("How much each axis matters")
    made = shares_figure(found.shares)
    if made is not None:
        show(made, "shares", "The share of the variance of accuracies that each axis explains")
    rows = [*found.shares.axes, *found.shares.together]
    tables.draw(_shares_frame(rows), height=min(38 + 35 * len(rows), 740), placeholder=NONE)
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


# --- values -----------------------------------------------------------------------------------


def _values(scope: Scope, found: StudyEffects, said: Sequence[str]) -> None:
    st.subheader("What each value does")
    by_axis = _by_axis(found.effects)
    axis = st.segmented_control(
        "Axis",
        list(by_axis),
        default=next(iter(by_axis)),
        required=True,
        key="axis",
        bind="query-params",
    ) or next(iter(by_axis))
    rows = by_axis[axis]
    if rows:
        _draw(axis, rows)
        effects.table(rows)
        _of_block_types(rows)
        effects.captions(found, said)
    else:
        st.info(
            f"No two of {count(found.networks, 'network')} differ in the {axis} alone, so what its "
            "values do cannot be told from pairs.",
            icon=":material/compare_arrows:",
        )
    _filters(scope, axis, rows)


def _by_axis(every: Sequence[Effect]) -> dict[str, list[Effect]]:
    """The effects of each axis, of each size that networks differ in, and of the block type."""
    found: dict[str, list[Effect]] = {axis: [] for axis in AXES}
    shown = [each for each in every if each.move.kind in _SHOWN]
    for effect in shown:
        is_block = effect.move.kind is MoveKind.BLOCK_TYPE
        found.setdefault(_BLOCK_TYPE if is_block else effect.move.what, []).append(effect)
    return found if _BLOCK_TYPE in found else {**found, _BLOCK_TYPE: []}


def _draw(axis: str, rows: Sequence[Effect]) -> None:
    if rows[0].move.kind is MoveKind.SIZE:
        curve = sizes_figure(rows)
        alt = f"Points of accuracy against the {axis}, with intervals"
        show(curve.figure, "sizes", alt)
        st.caption(
            f"Against {axis} {curve.reference}, each size by networks that have a twin with that "
            "one; sizes without such twins are in the table alone. Bars are 95 % over contexts."
        )
        return
    show(effects_figure(rows), "values", f"Points of accuracy of each value of the {axis}")
    st.caption(
        "To the right the second value is better. Bars are 95 % over contexts; the grey band is "
        "half a point, below which nobody chooses by it. Open marks, where the effect turns with "
        "the type of block: the effect in each."
    )


def _of_block_types(rows: Sequence[Effect]) -> None:
    """What no single number may hide, in words."""
    turning = [each for each in rows if each.turns]
    notices.captions(
        f"{each.move.name} turns with the type of block: {each.verdict} ("
        + ", ".join(
            f"{100 * part.mean:+.2f} points in {name} over {count(part.contexts, 'context')}"
            for name, part in each.by_block_type.items()
            if not math.isnan(part.mean)
        )
        + ")."
        for each in turning
    )


# --- to a value -------------------------------------------------------------------------------


def _filters(scope: Scope, axis: str, rows: Sequence[Effect]) -> None:
    """Buttons that filter everything to the networks with a value."""
    values = _offered(axis, rows)
    field = {"kernel size": "kernel", _BLOCK_TYPE: "block_type"}.get(axis, axis)
    if field not in FIELDS or not values:
        return
    st.caption(f"The networks with one {axis} throughout, on every page:")
    with st.container(horizontal=True):
        for value in values:
            clause = f"{field} = {value}"
            if st.button(clause, key=f"only {clause}", on_click=_narrow, args=(scope, clause)):
                st.switch_page("views/leaderboard_view.py", query_params={})


def _offered(axis: str, rows: Sequence[Effect]) -> list[str]:
    if axis in AXES:
        return [str(value) for value in AXES[axis]]
    if axis == _BLOCK_TYPE:
        return list(BLOCK_TYPES)
    return sorted({end for each in rows for end in (each.move.source, each.move.target)}, key=int)


def _narrow(scope: Scope, clause: str) -> None:
    """The filter as it is, and the clause."""
    st.session_state[WHERE] = f"({scope.where}) and {clause}" if scope.where else clause


if __name__ == "__main__":  # as Streamlit runs it
    page()
