"""What is drawn anew: every few seconds while a study runs, else when the store has changed."""

from collections.abc import Callable, Hashable

import streamlit as st

from dashboard import notices, queries, source
from dashboard.scope import Scope

_WHILE_IDLE = 15


def draw_anew(draw: Callable[[Scope], None], scope: Scope, seconds: float) -> None:
    """Draws a part of a page, and again as long as the page is open.

    To draw costs a good part of a second. Where nothing runs, a look at the counts does.

    Args:
        draw: the part.
        scope: of it.
        seconds: after which it is drawn anew while a study runs.
    """
    if _any_runs(scope):
        st.fragment(run_every=seconds)(_while_running)(draw, scope)
        return
    drawn: Hashable = None
    with notices.reported("The store cannot be read"):
        drawn = _state(scope)
        draw(scope)
    st.fragment(run_every=_WHILE_IDLE)(_when_changed)(scope, drawn)


def _while_running(draw: Callable[[Scope], None], scope: Scope) -> None:
    with notices.reported("The store cannot be read"):
        if not (source.is_still_there(scope) and _any_runs(scope)):
            st.rerun()
        draw(scope)


def _when_changed(scope: Scope, drawn: Hashable) -> None:
    with notices.reported("The store cannot be read"):
        if not source.is_still_there(scope) or _state(scope) != drawn:
            st.rerun()


def _any_runs(scope: Scope) -> bool:
    return any(study.is_running for study in queries.summaries(scope))


def _state(scope: Scope) -> Hashable:
    """Of what a store holds, as much as tells whether anything has happened."""
    return tuple(
        (study.id, study.is_running, study.last_activity, *study.counts.values())
        for study in queries.summaries(scope)
    )
