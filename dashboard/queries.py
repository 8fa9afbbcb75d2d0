"""What the pages ask of `search.query`, cached for some seconds.

The memory is shared by all sessions, so that many viewers cost as much as one. Pages draw what
comes from here; only single records they take from the store.
"""

from collections.abc import Callable, Collection, Hashable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import streamlit as st
from pandas import DataFrame

from dashboard.scope import Scope
from search import query
from search.query import (
    AccuracyCost,
    AccuracyOverTime,
    BestRow,
    Cost,
    FailureKind,
    Failures,
    NetworkComparison,
    Objectives,
    OperatorRecord,
    Spread,
    StudiesOfProtocol,
    StudyPace,
    TrialSummary,
)
from search.query.trial_summaries import Order
from search.store import EpochRecord, StudyRecord, StudySummary, TrialState
from search.store.remarks import Remarks
from search.visualization.frame import MAX_POINTS
from search.visualization.objectives_figure import ObjectivesPicture

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
SECONDS = 4.0


def cached(
    read: Callable[Concatenate[Scope, Arguments], Result],
) -> Callable[Concatenate[Scope, Arguments], Result]:
    """What `read` returns, or returned some seconds ago for the same scope and arguments."""

    @wraps(read)
    def asked(scope: Scope, /, *given: Arguments.args, **named: Arguments.kwargs) -> Result:
        key = (scope.key, scope.study, scope.where, scope.protocol, read.__name__)
        result: Result = _cached(key, given, named, lambda: read(scope, *given, **named))
        return result

    return asked


@st.cache_data(ttl=SECONDS, max_entries=200, show_spinner=False)
def _cached(
    key: tuple[Hashable, ...],
    given: tuple[object, ...],
    named: dict[str, object],
    _read: Callable[[], Result],
) -> Result:
    return _read()


def clear_cache() -> None:
    """Reads everything anew from now on."""
    _cached.clear()
    _effects.clear()
    _importance.clear()


def summaries(scope: Scope) -> list[StudySummary]:
    """The studies of the filter, the newest first."""
    return [
        study
        for study in _all_summaries(scope.unfiltered)
        if scope.study in (None, study.name) and scope.protocol in (None, study.protocol_hash)
    ]


@cached
def _all_summaries(scope: Scope) -> list[StudySummary]:
    return scope.store.studies.summaries()


def protocols(scope: Scope) -> list[StudiesOfProtocol]:
    """Those of the trials of the filter: with complete ones first, then by the newest study.

    Never of some seconds ago: what two protocols have given, the other queries refuse.
    """
    every = query.protocols(scope.store, **scope.filter)
    if len(every) < 2:
        return every
    where = _COMPLETE if scope.where_clause is None else scope.where_clause.also(_COMPLETE)
    whole = query.protocols(scope.store, study=scope.study, where=where)
    complete = {each.hash for each in whole}
    return sorted(every, key=lambda each: each.hash not in complete)


_COMPLETE = query.parse_where("state = complete")


def only_study(scope: Scope) -> str | None:
    """The study of the filter, or the only one; None where there are several."""
    names = [each.name for each in summaries(scope)]
    return names[0] if len(names) == 1 else None


@cached
def study(scope: Scope, name: str) -> StudyRecord:
    """How a study was configured."""
    return scope.store.studies.get(name)


def study_objectives(scope: Scope) -> query.StudyObjectives | None:
    """Those of the study of the filter, or of the only one; None where there are several."""
    name = only_study(scope)
    return None if name is None else _objectives_of(scope, name)


@cached
def _objectives_of(scope: Scope, name: str) -> query.StudyObjectives:
    return query.study_objectives(scope.store, name)


@cached
def course_sentences(scope: Scope, name: str, ended_trials: int) -> list[str]:
    """What is to be said of a study's course: against its random points, and still getting better?

    Args:
        ended_trials: of the study; where there are more of them, it is asked anew.
    """
    course = query.study_course(scope.store, name)
    beside = None if course.comparison is None else course.comparison.sentence
    return [said for said in (beside, course.sentence) if said is not None]


@cached
def hypervolume_course(
    scope: Scope, name: str, progress: tuple[int, int]
) -> query.HypervolumeCourse | None:
    """How the front of a study has grown; None of one objective, or before the first result.

    Args:
        progress: of the study; where it is another, the course is asked anew.
    """
    return query.hypervolume_course(scope.store, name)


def seconds_left(scope: Scope, studies: Sequence[StudySummary]) -> float | None:
    """When the last of the running studies will be done; None where nobody can tell."""
    running = tuple((study.id, study.ended_trials) for study in studies if study.is_running)
    return _seconds_left(scope, running)


@cached
def _seconds_left(scope: Scope, running: tuple[tuple[int, int], ...]) -> float | None:
    """Asked anew with every trial that ends: `running` has how many have, by study."""
    return query.seconds_left(scope.store, summaries(scope))


@cached
def accuracy_notes(
    scope: Scope, among: tuple[str, ...] | None = None, *, optimistic: bool = True
) -> list[str]:
    """What guessing scores, and what is optimistic, in the studies of the filter or those named."""
    names = tuple(each.name for each in summaries(scope)) if among is None else among
    return query.accuracy_notes(scope.store, names, optimistic=optimistic)


@cached
def leaderboard(scope: Scope, sort: str, top: int) -> list[BestRow]:
    """The first rows of the filter, in an order of `best`."""
    return query.best(scope.store, **scope.filter, sort=sort, top=top)


@cached
def leaderboard_rows(scope: Scope, architecture_id: str) -> list[BestRow]:
    """The row of one architecture by each protocol that it was trained by, of the whole store.

    What the filter leaves comes first, and else in the order of the newest studies.
    """
    every = query.best_by_protocol(scope.store, architecture=architecture_id)
    if scope == scope.unfiltered:
        return [row for each in every for row in each.rows]
    left = query.best_by_protocol(scope.store, **scope.filter, architecture=architecture_id)
    rows = {each.protocol.hash: row for each in left for row in each.rows}
    for each in every:
        rows.setdefault(each.protocol.hash, each.rows[0])
    return list(rows.values())


@cached
def spreads(scope: Scope) -> dict[str, Spread]:
    """The spread over seeds by protocol hash, of the study of the filter or of all."""
    return query.spreads(scope.store, scope.study)


@cached
def why_no_remarks(scope: Scope) -> str | None:
    """Why the store takes no tags and notes; None where it does."""
    return Remarks(scope.url).why_not()


@cached
def tags(scope: Scope, ids: tuple[str, ...]) -> dict[str, list[str]]:
    """The tags of those of the architectures that have some."""
    return scope.store.tags.of(ids)


@cached
def test_accuracies(scope: Scope, architecture_id: str) -> dict[int, float]:
    """What the test said of the complete trainings of an architecture, by ids of the trials."""
    tests = {
        each.trial_id: each.test for each in query.trained_results(scope.store, architecture_id)
    }
    found = {id_: None if test is None else test.accuracy for id_, test in tests.items()}
    return {id_: accuracy for id_, accuracy in found.items() if accuracy is not None}


@cached
def trial_summaries(
    scope: Scope, *, states: Collection[TrialState] | None, order: Order, limit: int
) -> list[TrialSummary]:
    """Trials of the filter, as `search.query.trial_summaries` gives them."""
    return query.trial_summaries(
        scope.store, **scope.filter, states=states, order=order, limit=limit
    )


@cached
def state_counts(scope: Scope) -> dict[TrialState, int]:
    """How many trials of the filter are in each state."""
    return query.state_counts(scope.store, **scope.filter)


@cached
def curves(scope: Scope, trial_ids: tuple[int, ...]) -> dict[int, list[EpochRecord]]:
    """The epochs of several trials."""
    return scope.store.epochs.of_trials(trial_ids)


@cached
def accuracy_over_time(scope: Scope) -> AccuracyOverTime:
    """The complete and pruned trials of the filter in the order in which they ended."""
    return query.accuracy_over_time(scope.store, **scope.filter, points=MAX_POINTS)


def trial_table(scope: Scope) -> DataFrame:
    """A row for each trial of the filter; not kept, as it may be large."""
    return query.trial_table(scope.store, **scope.filter)


@cached
def failures(scope: Scope) -> Failures:
    """Why trials of the filter gave no result."""
    return query.failures(scope.store, **scope.filter)


@cached
def trials_of_kind(scope: Scope, kind: FailureKind) -> list[TrialSummary]:
    """The last trials of the filter that came to nothing in one way."""
    return query.trials_of_kind(scope.store, kind, **scope.filter)


@cached
def comparison_of(scope: Scope, ids: tuple[str, ...]) -> NetworkComparison:
    """Networks side by side, by a protocol of the filter."""
    return query.compare_networks(scope.store, ids, **scope.filter)


@cached
def training_seconds(scope: Scope) -> dict[int, float]:
    """What the trials of every study took to train, by its id."""
    return query.training_seconds(scope.store)


@cached
def study_pace(scope: Scope, study: StudySummary) -> StudyPace | None:
    """How fast a study goes."""
    return query.study_pace(scope.store, study)


@cached
def operator_records(scope: Scope) -> dict[str, OperatorRecord]:
    """The record of each of the paper's operators, by name."""
    return query.operator_records(scope.store, **scope.filter)


def effects(scope: Scope, names: tuple[str, ...]) -> list[query.StudyEffects]:
    """What design decisions do in these studies, of each protocol apart.

    It takes seconds, and changes with trials that end alone: so it is kept until some do.
    """
    ended = tuple(each.ended_trials for each in summaries(scope.unfiltered) if each.name in names)
    return _effects((scope.key, ended, scope.where, scope.protocol), names, scope)


@st.cache_data(max_entries=20, show_spinner="Pairing networks")
def _effects(
    key: tuple[Hashable, ...], names: tuple[str, ...], _scope: Scope
) -> list[query.StudyEffects]:
    return query.study_effects(_scope.store, names, where=_scope.where_clause)


def importance(scope: Scope, names: tuple[str, ...]) -> list[query.StudyImportance]:
    """How much each axis explains in these studies, of each protocol apart; kept likewise."""
    ended = tuple(each.ended_trials for each in summaries(scope.unfiltered) if each.name in names)
    return _importance((scope.key, ended, scope.where, scope.protocol), names, scope)


@st.cache_data(max_entries=20, show_spinner="Comparing axes")
def _importance(
    key: tuple[Hashable, ...], names: tuple[str, ...], _scope: Scope
) -> list[query.StudyImportance]:
    return query.study_importance(_scope.store, names, where=_scope.where_clause)


@cached
def accuracy_cost(scope: Scope, cost: Cost) -> AccuracyCost:
    """The filter's architectures against one cost."""
    return query.accuracy_cost(scope.store, cost, **scope.filter)


@cached
def objectives_picture(scope: Scope, study: str, objectives: Objectives) -> ObjectivesPicture:
    """The picture of one study over its objectives, of the complete trials of the filter."""
    rows = query.evaluated(scope.store, study, objectives.names, where=scope.where_clause)
    return ObjectivesPicture.of(rows, objectives)
