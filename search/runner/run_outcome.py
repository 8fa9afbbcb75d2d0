"""What a run came to: done, exhausted, stopped, or nothing but failures."""

from dataclasses import dataclass

from search.driver.session import StudySession
from search.driver.stop_request import StopRequest
from search.driver.study_progress import Progress
from search.driver.study_setup import progress_of
from search.exit_code import ExitCode
from search.store import Store, StudyRecord, TrialState


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
