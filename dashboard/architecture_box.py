"""The box that offers architectures, in the leaderboard's order; the URL follows it."""

import streamlit as st

from dashboard.navigation import ARCHITECTURE
from dashboard.reads.leaderboard import leaderboard
from dashboard.reads.trials import TrialRow, trial_rows
from dashboard.view import View
from search.query import BestRow
from search.store import TrialState
from space.wording import percent, short

_OFFERED = 200
_WITHOUT_RESULT = tuple(set(TrialState) - {TrialState.COMPLETE, TrialState.PRUNED})


def wanted_architecture(view: View) -> str | None:
    """The id that the URL asks for, else the one in the box; None where there is none."""
    names = offered(view)
    ids = list(names)
    asked = st.query_params.get(ARCHITECTURE)
    if asked and asked not in names:
        ids.insert(0, asked)
    if not ids:
        return None
    chosen = st.selectbox(
        "Architecture",
        ids,
        index=ids.index(asked) if asked else 0,
        format_func=lambda id_: names.get(id_, id_),
        key=f"architecture-box-{asked}",
        help=f"The first {_OFFERED} of the filter's leaderboard, then those without a result. In "
        "a URL, the beginning of an id does.",
    )
    if chosen is not None and chosen != (asked or ids[0]):
        st.query_params[ARCHITECTURE] = chosen
        st.rerun()
    return chosen


def offered(view: View) -> dict[str, str]:
    """What the box calls each architecture, by id: the leaderboard, then those without a result."""
    rows = leaderboard(view, "-accuracy", _OFFERED)
    names = {row.architecture_id: _name(accuracy_words(row), row) for row in rows}
    left = _OFFERED - len(names)
    for row in trial_rows(view, states=_WITHOUT_RESULT, order="newest", limit=left):
        names.setdefault(row.architecture_id, _name(str(row.state), row))
    return names


def accuracy_words(row: BestRow) -> str:
    """The accuracy as the leaderboard has it, such as "86.73% ± 0.41%" over several trainings.

    Of what was not trained to the end it says so, as that compares with none that was.
    """
    spread = "" if row.deviation is None else f" ± {percent(row.deviation)}"
    return percent(row.accuracy) + spread + ("" if row.is_complete else f" ({row.state})")


def _name(first: str, row: BestRow | TrialRow) -> str:
    return " · ".join([first, row.operators, short(row.params), row.architecture_id])
