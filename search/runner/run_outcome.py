"""What a run came to: done, exhausted, stopped, or nothing but failures."""

from dataclasses import dataclass

from search.config import Config
from search.driver.extra_trials import ExtraTrialsRequest
from search.driver.session import StudySession
from search.driver.stop_request import StopRequest
from search.driver.study_progress import Progress
from search.driver.study_setup import progress_of, task_of_study
from search.exit_code import ExitCode
from search.store import Store, StudyRecord, TrialState, open_store


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """The end of a run.

    Attributes:
        study: its name. exit_code: for the shell.
        progress: how far the study is.
        reason: why the run stopped before the planned number of trials; None when it did not.
        was_complete: whether there was nothing to do.
        validation_images: on how many the accuracies are measured, where that is known.
        notes: on the recipe, said before the first trial (`trainers.notes_on_recipe`).
    """

    study: str
    exit_code: ExitCode
    progress: Progress
    reason: str | None = None
    was_complete: bool = False
    notes: tuple[str, ...] = ()
    validation_images: int | None = None


def outcome_from_store(
    study: StudyRecord,
    session: StudySession,
    stop: StopRequest,
    progress: Progress,
    failed: str | None,
) -> RunOutcome:
    """How a run ended whose store answers.

    Args:
        failed: the words for a study of which nothing but failures came.
    """
    if _is_over(session, progress):
        failure = _nothing_searched(session, progress) or failed
        if failure is not None:
            return RunOutcome(study.name, ExitCode.FAILED, progress, failure)
        exhausted = session.exhausted if progress.ended < progress.planned else None
        return RunOutcome(study.name, ExitCode.DONE, progress, exhausted)
    reason = stop.reason or "Ray ended the experiment early"
    return RunOutcome(study.name, stop.exit_code, progress, reason)


def outcome_from_memory(study: StudyRecord, session: StudySession, stop: StopRequest) -> RunOutcome:
    """How a run ended whose store is away: the journal has what it lacks."""
    reason = stop.reason or f"the store is away ({session.journal.error})"
    kept = f"{reason}; what it lacks is kept in {session.journal.path}"
    return RunOutcome(study.name, stop.exit_code, session.progress(), kept)


def progress_and_failure(store: Store, study: StudyRecord) -> tuple[Progress, str | None]:
    """How far the study is, and the words for one of which nothing but failures came."""
    progress = progress_of(store, study.id)
    broken = (TrialState.FAILED, TrialState.INFEASIBLE)
    if not progress.ended or sum(progress.counts[state] for state in broken) < progress.ended:
        return progress, None
    reasons = (trial.reason for trial in store.trials.of_study(study.id) if trial.state in broken)
    return progress, f"every trial failed: {next(reasons, None)}"


def nothing_left(session: StudySession) -> bool:
    """Whether all is trained and written that the run was to train."""
    return not session.waits and _is_over(session, session.progress())


def _is_over(session: StudySession, progress: Progress) -> bool:
    """Whether nothing of the plan is left, or no point for it."""
    exhausted = session.exhausted is not None and not progress.unfinished
    return progress.ended >= progress.planned or exhausted


def _nothing_searched(session: StudySession, progress: Progress) -> str | None:
    """The words for a study of which not one point was found; None for all others."""
    if session.exhausted is None or any(progress.counts.values()):
        return None
    return f"nothing was searched: {session.exhausted}"


def stopped_before_it_began(config: Config, stop: StopRequest) -> RunOutcome:
    """The end of a run that waited for its store until the stop was asked for."""
    nothing = Progress(dict.fromkeys(TrialState, 0), config.trials, None, None)
    return RunOutcome(config.study, stop.exit_code, nothing, stop.reason)


def outcome_without_work(
    config: Config, found: StudyRecord, extra_request: ExtraTrialsRequest | None
) -> RunOutcome | None:
    """The outcome of a study that has all its trials; None where something is left to do.

    Args:
        config: of the run, its store is opened. found: the study.
        extra_request: work beside the planned trials.
    """
    with open_store(config.store, create=False) as store:
        if (
            extra_request is not None
            and not extra_request(store, found, task_of_study(store, found, config)).is_nothing
        ):
            return None
        progress, failure = progress_and_failure(store, found)
    if progress.ended < max(config.trials, progress.planned):
        return None
    code = ExitCode.DONE if failure is None else ExitCode.FAILED
    return RunOutcome(found.name, code, progress, failure, was_complete=True)
