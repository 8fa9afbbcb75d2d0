"""What the pages ask of `search.query`, remembered for some seconds.

The memory is shared by all sessions, so that many viewers cost as much as one. Pages draw what
comes from here; only single records they take from the store.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

import streamlit as st

from dashboard.charts.accuracy_cost_figure import CostPicture
from dashboard.charts.curve_figures import AccuracyOverTime
from dashboard.charts.objectives_figure import ObjectivesPicture
from dashboard.scope import Scope
from search import query
from search.query import (
    BaselineComparison,
    BestRow,
    Cost,
    Objectives,
    OperatorRecord,
    Spread,
    TrialSummary,
)
from search.query.trial_summaries import Order
from search.store import EpochRecord, StudyRecord, StudySummary, TrialState

Result = TypeVar("Result")
SECONDS = 4.0


def remembered(
    scope: Scope, name: str, arguments: tuple[Hashable, ...], read: Callable[[], Result]
) -> Result:
    """What `read` returns, or returned some seconds ago for the same store and arguments."""
    result: Result = _remembered(scope.key, name, arguments, read)
    return result


@st.cache_data(ttl=SECONDS, max_entries=200, show_spinner=False)
def _remembered(
    key: str, name: str, arguments: tuple[Hashable, ...], _read: Callable[[], Result]
) -> Result:
    return _read()


def forget() -> None:
    """Reads everything anew from now on."""
    _remembered.clear()


def summaries(scope: Scope) -> list[StudySummary]:
    """The studies of the filter, the newest first."""
    found = remembered(scope, "summaries", (), scope.store.studies.summaries)
    return [study for study in found if scope.study in (None, study.name)]


def only_study(scope: Scope) -> str | None:
    """The study of the filter, or the only one; None where there are several."""
    names = [each.name for each in summaries(scope)]
    return names[0] if len(names) == 1 else None


def study(scope: Scope, name: str) -> StudyRecord:
    """How a study was configured."""
    return remembered(scope, "study", (name,), lambda: scope.store.studies.get(name))


def study_objectives(scope: Scope) -> query.StudyObjectives | None:
    """Those of the study of the filter, or of the only one; None where there are several."""
    name = only_study(scope)
    if name is None:
        return None
    return remembered(
        scope, "study objectives", (name,), lambda: query.study_objectives(scope.store, name)
    )


def beside_random(scope: Scope, summary: StudySummary) -> BaselineComparison | None:
    """The searcher of a study against its random points; None where it has none."""
    return remembered(
        scope,
        "beside random",
        (summary.name, summary.ended_trials),
        lambda: query.comparison(scope.store, summary.name),
    )


def seconds_left(scope: Scope, studies: Sequence[StudySummary]) -> float | None:
    """When the last of the running studies will be done; None where nobody can tell."""
    running = tuple((study.id, study.ended_trials) for study in studies if study.is_running)
    return remembered(scope, "left", running, lambda: query.seconds_left(scope.store, studies))


def accuracy_notes(
    scope: Scope, among: Collection[str] | None = None, *, optimistic: bool = True
) -> list[str]:
    """What guessing scores, and what is optimistic, in the studies of the filter or those named."""
    of_filter = None if scope.study is None else (scope.study,)
    names = of_filter if among is None else tuple(sorted(among))
    return remembered(
        scope,
        "accuracy notes",
        (names, optimistic),
        lambda: query.accuracy_notes(scope.store, names, optimistic=optimistic),
    )


def leaderboard(scope: Scope, sort: str, top: int) -> list[BestRow]:
    """The first rows of the filter, in an order of `best`."""
    return remembered(
        scope,
        "leaderboard",
        (*scope.arguments, sort, top),
        lambda: query.best(scope.store, **scope.filter, sort=sort, top=top),
    )


def leaderboard_row(scope: Scope, architecture_id: str) -> BestRow | None:
    """The row of one architecture in the filter, else in the whole store; None without a result."""

    def read() -> list[BestRow]:
        return query.best(scope.store, **scope.filter, architecture=architecture_id)

    rows = remembered(scope, "leaderboard row", (*scope.arguments, architecture_id), read)
    if not rows and any(scope.arguments):
        return leaderboard_row(replace(scope, study=None, where=""), architecture_id)
    return rows[0] if rows else None


def spreads(scope: Scope) -> dict[str, Spread]:
    """The spread over seeds by protocol hash, of the study of the filter or of all."""
    return remembered(
        scope, "spreads", (scope.study,), lambda: query.spreads(scope.store, scope.study)
    )


def trial_summaries(
    scope: Scope, *, states: Collection[TrialState] | None, order: Order, limit: int
) -> list[TrialSummary]:
    """Trials of the filter, as `search.query.trial_summaries` gives them."""
    wanted = None if states is None else tuple(sorted(states))

    def read() -> list[TrialSummary]:
        return query.trial_summaries(
            scope.store, **scope.filter, states=wanted, order=order, limit=limit
        )

    return remembered(scope, "trials", (*scope.arguments, wanted, order, limit), read)


def state_counts(scope: Scope) -> dict[TrialState, int]:
    """How many trials of the filter are in each state."""
    return remembered(
        scope, "counts", scope.arguments, lambda: query.state_counts(scope.store, **scope.filter)
    )


def curves(scope: Scope, trial_ids: tuple[int, ...]) -> dict[int, list[EpochRecord]]:
    """The epochs of several trials."""
    return remembered(scope, "curves", trial_ids, lambda: scope.store.epochs.of_trials(trial_ids))


def accuracy_over_time(scope: Scope) -> AccuracyOverTime:
    """The complete and pruned trials of the filter in the order in which they ended."""
    return remembered(
        scope,
        "over time",
        scope.arguments,
        lambda: AccuracyOverTime.of(query.ended_trials(scope.store, **scope.filter)),
    )


def operator_records(scope: Scope) -> dict[str, OperatorRecord]:
    """The record of each of the paper's operators, by name."""
    return remembered(
        scope,
        "operators",
        scope.arguments,
        lambda: query.operator_records(scope.store, **scope.filter),
    )


def accuracy_cost(scope: Scope, cost: Cost) -> CostPicture:
    """The picture of the filter's architectures against one cost."""
    return remembered(
        scope,
        "cost",
        (*scope.arguments, cost),
        lambda: CostPicture.of(query.best(scope.store, **scope.filter, top=None), cost),
    )


def objectives_picture(scope: Scope, study: str, goals: Objectives) -> ObjectivesPicture:
    """The picture of one study over its objectives, of the complete trials of the filter."""

    def read() -> ObjectivesPicture:
        where = scope.where or None
        rows = query.evaluated(scope.store, study, goals.names, where=where)
        return ObjectivesPicture.of(rows, goals)

    return remembered(scope, "objectives", (study, scope.where), read)
