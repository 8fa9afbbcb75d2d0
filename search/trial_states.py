"""The life of a trial: waiting → running → one terminal state, or preempted and back.

One vocabulary for the store, for searchers and schedulers, and for every executor.

Nothing follows a terminal state, with one exception: on request a trial that is not complete goes
on, and is waiting again. What was recorded of it stays, and the event log tells of both.
"""

from enum import StrEnum


class TrialState(StrEnum):
    """Where a trial stands."""

    WAITING = "waiting"
    """Written down, not started."""
    RUNNING = "running"
    """A worker trains it."""
    COMPLETE = "complete"
    """Trained to the end."""
    PRUNED = "pruned"
    """Stopped early by the scheduler."""
    INFEASIBLE = "infeasible"
    """It cannot be trained here, for example for want of memory."""
    FAILED = "failed"
    """It broke: NaN, an exception, a killed worker."""
    PREEMPTED = "preempted"
    """Its driver went away; another may claim it."""

    @property
    def is_terminal(self) -> bool:
        """Whether nothing follows this state (but see the head of this file)."""
        return self in TERMINAL

    @property
    def needs_reason(self) -> bool:
        """Whether a trial in this state must say why."""
        return self not in (TrialState.WAITING, TrialState.RUNNING, TrialState.COMPLETE)


class EventKind(StrEnum):
    """What can happen to a trial: what a study tells its searcher and its scheduler."""

    CREATED = "created"
    EPOCH = "epoch"
    """An epoch was recorded for the first time, or for the first time since it was forgotten."""
    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    INFEASIBLE = "infeasible"
    PREEMPTED = "preempted"
    CONTINUED = "continued"
    """A pruned, failed or infeasible trial is waiting again."""
    FORGOTTEN = "forgotten"
    """The epochs above the given one were dropped."""


TERMINAL = frozenset(
    {TrialState.COMPLETE, TrialState.PRUNED, TrialState.INFEASIBLE, TrialState.FAILED}
)
"""The states that end a trial; the first one wins."""

CONTINUABLE = TERMINAL - {TrialState.COMPLETE}
"""The states from which a trial may go on, on request."""

OPEN = frozenset({TrialState.WAITING, TrialState.RUNNING})
"""The states in which a trial belongs to a run."""

EVALUATED = frozenset({TrialState.COMPLETE, TrialState.PRUNED})
"""The states of ended trials whose metrics count."""

BROKEN = frozenset({TrialState.FAILED, TrialState.INFEASIBLE})
"""The states of trials that came to nothing for good."""

_FOLLOWS = {
    TrialState.WAITING: {TrialState.RUNNING, TrialState.PREEMPTED, *TERMINAL},
    TrialState.RUNNING: {TrialState.PREEMPTED, *TERMINAL},
    TrialState.PREEMPTED: {TrialState.WAITING, TrialState.RUNNING},
    **{state: {TrialState.WAITING} for state in CONTINUABLE},
}


def may_follow(state: TrialState, before: TrialState) -> bool:
    """Whether a trial may go from one state to another; a continued trial is waiting again."""
    return state in _FOLLOWS.get(before, ())


def checked_reason(state: TrialState, reason: str | None) -> str | None:
    """The reason as it is stored.

    Raises:
        ValueError: the state needs a reason and there is none.
    """
    text = (reason or "").strip()
    if not text and state.needs_reason:
        raise ValueError(f"a trial that is {state} needs a reason")
    return text or None
