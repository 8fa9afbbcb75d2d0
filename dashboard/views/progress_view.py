"""Live progress: how far the studies are, what runs now, what failed."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pandas as pd
import streamlit as st

from dashboard import notices, queries, tables
from dashboard.charts import metric_row, show
from dashboard.escaping import markdown
from dashboard.redrawing import draw_anew
from dashboard.scope import Scope, current, zone
from search.query import (
    AccuracyOverTime,
    TrialSummary,
    data_sentences,
    failed_trials,
    method_sentence,
)
from search.query.failures import TROUBLE
from search.store import StudyRecord, StudySummary, TrialState
from search.visualization.curve_figures import accuracy_over_time_figure
from search.visualization.hypervolume_figure import hypervolume_figure
from space import wording

_SECONDS, _SECONDS_OF_MANY = 3, 15
_MANY = 5000


def page() -> None:
    """The page."""
    scope = current()
    many = sum(each.trials for each in queries.summaries(scope)) > _MANY
    draw_anew(live, scope, _SECONDS_OF_MANY if many else _SECONDS)


def live(scope: Scope) -> None:
    """All that changes while a study runs."""
    if _has_to_choose(scope):
        st.rerun()
    studies = queries.summaries(scope)
    _headline(scope, studies)
    found = queries.accuracy_over_time(scope)
    _figures(scope, studies, found.states)
    _over_time(scope, found)
    if len(studies) == 1 and not scope.is_filtered:
        with notices.reported("The hypervolume cannot be shown"):
            _hypervolume(scope, studies[0])
    _running_now(scope, found.states)
    _trouble(scope)


def _has_to_choose(scope: Scope) -> bool:
    """Whether results of a second protocol came in meanwhile, of which the sidebar asks."""
    is_open = scope.study is None and scope.protocol is None
    return is_open and len(queries.protocols(scope)) > 1


def _headline(scope: Scope, studies: list[StudySummary]) -> None:
    ended = sum(each.ended_trials for each in studies)
    planned = sum(max(each.all_planned_trials, each.ended_trials) for each in studies)
    name = markdown(studies[0].name) if len(studies) == 1 else f"{len(studies)} studies"
    st.markdown(f"**{name}** &nbsp; {_badge(studies)} &nbsp; {_activity(studies)}")
    st.progress(
        min(1.0, ended / planned) if planned else 0.0,
        text=f"{ended:,} of {wording.count(planned, 'planned trial')} ended",
    )
    if scope.is_filtered:
        st.caption("Below, only trials that match the filter count.")
    if scope.protocol is not None:
        _of_other_protocols(scope)


def _of_other_protocols(scope: Scope) -> None:
    """The studies that are not on this page, so that nobody misses one that runs."""
    every = queries.summaries(scope.unfiltered)
    others = [each for each in every if each.protocol_hash != scope.protocol]
    running = sum(each.is_running for each in others)
    st.caption(
        f"Not shown: studies of other protocols, to be chosen in the sidebar: {len(others)}, "
        f"running: {running}."
    )


def _badge(studies: list[StudySummary]) -> str:
    if any(each.is_running for each in studies):
        return ":orange-badge[:material/play_arrow: running]"
    if all(each.is_done for each in studies):
        return ":green-badge[:material/check: finished]"
    return ":gray-badge[:material/pause: stopped before its end]"


def _activity(studies: list[StudySummary]) -> str:
    last = max(each.last_activity for each in studies)
    return f":small[:gray[last sign of life {wording.ago(last, datetime.now(UTC))}]]"


def _figures(scope: Scope, studies: list[StudySummary], counts: Mapping[TrialState, int]) -> None:
    left = queries.seconds_left(scope, studies)
    best = queries.trial_summaries(scope, states=(TrialState.COMPLETE,), order="best", limit=1)
    with metric_row():
        accuracy = wording.percent(best[0].accuracy if best else None)
        st.metric("Best single training", accuracy, width="content")
        st.metric("Complete", f"{counts[TrialState.COMPLETE]:,}", width="content")
        st.metric("Pruned", f"{counts[TrialState.PRUNED]:,}", width="content")
        st.metric("Running", f"{counts[TrialState.RUNNING]:,}", width="content")
        why = "Failed trials, and those that do not fit here."
        st.metric("Failed", f"{failed_trials(counts):,}", help=why, width="content")
        time = wording.NONE if left is None else wording.duration(left)
        st.metric("Time left", time, width="content")
    st.caption(_all_counts(studies, counts))
    said: list[str] = []
    if len(studies) == 1:
        name = studies[0].name
        said.append(method_sentence(queries.study(scope, name)))
        said += queries.course_sentences(scope, name, studies[0].ended_trials)
    wanted = queries.study_objectives(scope)
    said += [] if wanted is None else wanted.sentences
    if best:
        said.append(
            f"Most accurate so far: {best[0].operators} · {wording.short(best[0].params)} "
            f"params · trial {best[0].number} of {best[0].study}"
        )
    notices.captions([*said, *queries.accuracy_notes(scope)])
    if len(studies) == 1:
        _data(queries.study(scope, studies[0].name))


def _data(study: StudyRecord) -> None:
    """What the report says of the images, but for what guessing scores, which is above."""
    remarks = data_sentences(study.objective)[1:]
    if remarks:
        with st.expander("Data", icon=":material/image:"):
            notices.captions(remarks)


def _all_counts(studies: list[StudySummary], counts: Mapping[TrialState, int]) -> str:
    """Every trial in some state, and those that did not simply train from scratch once."""
    states = [f"{counts[state]:,} {state}" for state in TrialState]
    special = [
        f"{sum(getattr(study, name) for study in studies):,} {name}"
        for name in ("reused", "inherited", "continued", "repeated")
    ]
    return f"Trials: {', '.join(states)}. Of all trials of the study: {', '.join(special)}."


def _over_time(scope: Scope, found: AccuracyOverTime) -> None:
    st.subheader("Accuracy over time")
    if not found.points:
        is_empty = scope.is_filtered and not any(found.states.values())
        notices.no_trials("No trial has ended yet.", is_empty)
        return
    show(accuracy_over_time_figure(found, zone()), "history", "Accuracy of each trial as it ended")
    if found.total > len(found.points):
        st.caption(f"{len(found.points):,} of {found.total:,} trials; the best so far is whole.")


def _hypervolume(scope: Scope, study: StudySummary) -> None:
    """Of several objectives no single trial is the best: what tells is how far the front is."""
    wanted = queries.study_objectives(scope)
    if wanted is None or len(wanted.objectives) < 2:
        return
    if study.ended_trials > _MANY:  # every network of the study is read for its costs
        st.caption(
            "How much the front of so many trials covers is drawn by "
            "`python -m search plot STUDY --kind hypervolume --out FILE`."
        )
        return
    step = max(1, study.ended_trials // 100)  # of many trials one more changes little
    course = queries.hypervolume_course(scope, study.name, (step, study.ended_trials // step))
    if course is None or not course.tells:
        return
    st.subheader("Hypervolume of the front")
    notices.captions([course.sentence])
    show(hypervolume_figure(course), "hypervolume", "Share of the box that the front covers")


def _running_now(scope: Scope, counts: Mapping[TrialState, int]) -> None:
    st.subheader("Running now")
    rows = queries.trial_summaries(scope, states=(TrialState.RUNNING,), order="newest", limit=50)
    waiting = counts[TrialState.WAITING]
    if not rows:
        st.caption("No trial runs." if not waiting else f"{waiting:,} wait for a worker.")
        return
    epochs = {name: _planned_epochs(scope, name) for name in {row.study for row in rows}}
    table = pd.DataFrame([_running_row(row, epochs[row.study]) for row in rows])
    done = st.column_config.ProgressColumn("done", format="%d%%", max_value=100)
    tables.draw(table, {"done": done})


def _planned_epochs(scope: Scope, name: str) -> int | None:
    epochs = queries.study(scope, name).protocol.get("epochs")
    return epochs if isinstance(epochs, int) and epochs > 0 else None


def _running_row(row: TrialSummary, epochs: int | None) -> dict[str, object]:
    since = None if row.started is None else datetime.now(UTC) - row.started
    return {
        "trial": row.number,
        "study": row.study,
        "token mixers": row.operators,
        "params": wording.short(row.params),
        "epoch": f"{row.epochs_done} of {epochs}" if epochs else str(row.epochs_done),
        "done": 100 * row.epochs_done / epochs if epochs else None,
        "accuracy": wording.percent(row.last_accuracy),
        "for": wording.NONE if since is None else wording.duration(since.total_seconds()),
    }


def _trouble(scope: Scope) -> None:
    st.subheader("Last failures")
    rows = queries.trial_summaries(scope, states=TROUBLE, order="ended", limit=10)
    if not rows:
        st.caption("None.")
        return
    table = pd.DataFrame(
        {
            "trial": [row.number for row in rows],
            "state": [str(row.state) for row in rows],
            "reason": [row.reason for row in rows],
            "token mixers": [row.operators for row in rows],
            "study": [row.study for row in rows],
            "ended": [wording.clock(row.ended, zone()) for row in rows],
        }
    )
    tables.draw(table, {"reason": st.column_config.TextColumn("reason", width=480)})


if __name__ == "__main__":  # as Streamlit runs it
    page()
