"""What a run came to: done, exhausted, stopped, or nothing but failures."""

from search.exit_code import ExitCode
from search.runner.interrupt import StopRequest
from search.runner.outcome import RunOutcome
from search.runner.session import StudySession
from search.runner.setup import stand_of
from search.runner.stand import Stand
from search.store import Store, StudyRecord, TrialState


def judged(
    study: StudyRecord, session: StudySession, stop: StopRequest, stand: Stand, failed: str | None
) -> RunOutcome:
    """How a run ended whose store answers.

    Args:
        failed: the words of `every_trial_failed`.
    """
    exhausted = session.exhausted is not None and not stand.unfinished
    if stand.ended >= stand.planned or exhausted:
        failure = _nothing_searched(session, stand) or failed
        if failure is not None:
            return RunOutcome(study.name, ExitCode.FAILED, stand, failure)
        return RunOutcome(study.name, ExitCode.DONE, stand, _exhausted(session, stand))
    reason = stop.reason or "Ray ended the experiment early"
    return RunOutcome(study.name, stop.exit_code, stand, reason)


def kept_aside(study: StudyRecord, session: StudySession, stop: StopRequest) -> RunOutcome:
    """How a run ended whose store is away: the journal has what it lacks."""
    reason = stop.reason or f"the store is away ({session.journal.error})"
    kept = f"{reason}; what it lacks is kept in {session.journal.path}"
    code = ExitCode.FAILED if stop.kind is None else stop.exit_code
    return RunOutcome(study.name, code, session.stand(), kept)


def stand_and_failure(store: Store, study: StudyRecord) -> tuple[Stand, str | None]:
    """How far the study is, and the words for one of which nothing but failures came."""
    stand = stand_of(store, study.id)
    return stand, every_trial_failed(store, study, stand)


def nothing_left(session: StudySession) -> bool:
    """Whether all is trained and written that the run was to train."""
    stand = session.stand()
    exhausted = session.exhausted is not None and not stand.unfinished
    return not session.waits and (stand.ended >= stand.planned or exhausted)


def every_trial_failed(store: Store, study: StudyRecord, stand: Stand) -> str | None:
    """The words for a study of which nothing but failures came; None for all others."""
    broken = (TrialState.FAILED, TrialState.INFEASIBLE)
    if not stand.ended or sum(stand.counts[state] for state in broken) < stand.ended:
        return None
    reasons = (trial.reason for trial in store.trials.of_study(study.id) if trial.state in broken)
    return f"every trial failed: {next(reasons, None)}"


def _exhausted(session: StudySession, stand: Stand) -> str | None:
    return session.exhausted if stand.ended < stand.planned else None


def _nothing_searched(session: StudySession, stand: Stand) -> str | None:
    """The words for a study of which not one point was found; None for all others."""
    if session.exhausted is None or any(stand.counts.values()):
        return None
    return f"nothing was searched: {session.exhausted}"
