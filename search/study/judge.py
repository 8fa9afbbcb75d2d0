"""A scheduler that can be made to forget, whichever it is."""

from collections.abc import Hashable
from dataclasses import replace

from search.objectives import Values
from search.schedulers import CONTINUE, Decision, NoScheduler, Scheduler

_ADDED = 0
"""In the place of an epoch: the trial was created."""


class Judge:
    """Tells a scheduler of trials, and remembers all that it was told.

    What is lost may have decided where a rung ended or which trial was let through, so that no
    scheduler can take it back from what it has become. Therefore another one is told everything
    but that, in the same order: just what a study that is resumed does, which does not have it
    any more. It costs as much time as the scheduler has taken so far, and waits for the next
    event. A scheduler that never stops a trial is asked nothing, and nothing is kept.

    Args:
        scheduler: that was told nothing yet.
    """

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._decides = type(scheduler) is not NoScheduler
        self._events: list[tuple[Hashable, int, Values]] = []
        self._told = 0
        self._last: dict[Hashable, int] = {}

    def added(self, trial: Hashable) -> None:
        """A trial was created."""
        self.report(trial, _ADDED, {})

    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """The decision after an epoch; one to stop has a reason.

        Schedulers are told of rising epochs: one that fills a gap before the last is not judged.
        """
        if not self._decides:
            return CONTINUE
        self._events.append((trial, epoch, values))
        decision = CONTINUE
        for event in self._events[self._told :]:
            self._told += 1
            decision = self._tell(*event)
        return decision

    def forget(self, trial: Hashable, last: int) -> None:
        """What was reported of a trial behind an epoch was never reported.

        The decisions that are taken stay.
        """
        kept = [event for event in self._events if event[0] != trial or event[1] <= last]
        if len(kept) < len(self._events):
            self._scheduler, self._last = self._scheduler.anew(), {}
            self._events, self._told = kept, 0

    def _tell(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        if epoch == _ADDED:
            self._scheduler.added(trial)
        elif epoch > self._last.get(trial, 0):
            self._last[trial] = epoch
            return self._with_reason(self._scheduler.report(trial, epoch, values))
        return CONTINUE

    def _with_reason(self, decision: Decision) -> Decision:
        """The ledger takes no pruned trial without one."""
        if not decision.stop or (decision.reason or "").strip():
            return decision
        name = type(self._scheduler).__name__
        return replace(decision, reason=f"the scheduler {name} stopped it and gave no reason")
