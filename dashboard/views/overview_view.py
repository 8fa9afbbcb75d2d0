"""Overview: every study of the store, what runs, how fast it goes, how much of it failed."""

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import queries, tables
from dashboard.charts import metric_row
from dashboard.navigation import study_cells, study_column
from dashboard.redrawing import draw_anew
from dashboard.scope import Scope, current
from search.query import StudyPace, failed_trials
from search.store import StudySummary, TrialState
from space import wording

_SECONDS = 5


def page() -> None:
    """The page."""
    draw_anew(live, current().unfiltered, _SECONDS)


def live(scope: Scope) -> None:
    """All of it."""
    studies = queries.summaries(scope)
    took = queries.training_seconds(scope)
    _headline(studies, took)
    _table(scope, studies, took)


def _headline(studies: list[StudySummary], took: dict[int, float]) -> None:
    counts = {state: sum(each.counts[state] for each in studies) for state in TrialState}
    broken = failed_trials(counts)
    ended = sum(each.ended_trials for each in studies)
    with metric_row():
        st.metric("Studies", f"{len(studies):,}", width="content")
        running = sum(each.is_running for each in studies)
        st.metric("Running now", f"{running:,}", width="content")
        st.metric("Trials ended", f"{ended:,}", width="content")
        share = f"{broken / ended:.1%}" if ended else wording.NONE
        st.metric("Failed", share, width="content")
        st.metric("Training", wording.duration(sum(took.values())), width="content")


def _table(scope: Scope, studies: list[StudySummary], took: dict[int, float]) -> None:
    paces = [queries.study_pace(scope, each) for each in studies]
    table = pd.DataFrame(
        {
            "study": study_cells([each.name for each in studies]),
            "state": [_state(each) for each in studies],
            "done": [_done(each) for each in studies],
            "ended": [each.ended_trials for each in studies],
            "running": [each.counts[TrialState.RUNNING] for each in studies],
            "failed": [failed_trials(each.counts) for each in studies],
            "trials an hour": [_per_hour(pace) for pace in paces],
            "time left": [_left(pace) for pace in paces],
            "best": [wording.percent(each.best_accuracy) for each in studies],
            "protocol": [each.protocol_hash[:6] for each in studies],
            "training": [wording.duration(took.get(each.id, 0.0)) for each in studies],
            "last sign of life": [_ago(each) for each in studies],
        }
    )
    tables.draw(table, _columns(), height=min(38 + 35 * len(studies), 740), key="studies")
    protocols = {each.protocol_hash for each in studies}
    if len(protocols) > 1:
        st.caption(
            f"The studies have {len(protocols)} protocols. The best of one says nothing of the "
            "best of another, so the other pages show those of one at a time."
        )


def _columns() -> dict[str, Any]:
    column = st.column_config
    return {
        "study": study_column(),
        "done": column.ProgressColumn(format="%d%%", max_value=100, width=90),
        "best": column.TextColumn(help="Of complete trials, by the study's own protocol."),
        "protocol": column.TextColumn(help="Results compare where it is equal."),
    }


def _state(study: StudySummary) -> str:
    if study.is_running:
        return "running"
    if study.is_done:
        return "finished"
    if study.exhausted is not None:
        return "exhausted"
    return "stopped"


def _done(study: StudySummary) -> float:
    planned = max(study.all_planned_trials, study.ended_trials)
    return 100 * study.ended_trials / planned if planned else 0.0


def _per_hour(pace: StudyPace | None) -> str:
    return wording.NONE if pace is None else f"{pace.trials_per_hour:,.1f}"


def _left(pace: StudyPace | None) -> str:
    return wording.NONE if pace is None else wording.duration(pace.seconds_left)


def _ago(study: StudySummary) -> str:
    return wording.ago(study.last_activity, datetime.now(UTC))


if __name__ == "__main__":  # as Streamlit runs it
    page()
