"""A trial of a study: one point, what is known of it, and where it stands."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic

from search.objectives import JudgedBy, Values
from search.schedulers import CONTINUE, Decision
from search.searchers.searcher import P
from search.trial_states import TrialState, may_follow


@dataclass(slots=True)
class Trial(Generic[P]):
    """One trial.

    Attributes:
        number: in its study.
        point: what is evaluated.
        known: the metrics of the point that need no evaluation.
        prunable: whether the scheduler may stop it.
        repeat: which repeat of its point, with other seeds; 0 for the first trial.
        attempts: how often a worker has taken it up.
        state: where it stands. reason: why it is not complete, once it has ended.
        curve: the metrics by epoch, known ones included, as far as it was evaluated.
        decision: what the scheduler said last, or that it shall stop, once it said so.
        judged: the epoch after which it said so.
    """

    number: int
    point: P
    known: Values = field(default_factory=dict)
    prunable: bool = True
    repeat: int = 0
    attempts: int = 0
    state: TrialState = TrialState.WAITING
    reason: str | None = None
    curve: dict[int, Values] = field(default_factory=dict)
    decision: Decision = CONTINUE
    judged: int = 0

    def record(self, epoch: int, metrics: Mapping[str, float | None]) -> Values:
        """Take the metrics of an epoch down; those that are missing or not finite are left out."""
        finite = {n: v for n, v in metrics.items() if v is not None and math.isfinite(v)}
        self.curve[epoch] = {**finite, **self.known}
        return self.curve[epoch]

    def lacks(self, metrics: Iterable[str], rule: JudgedBy) -> list[str]:
        """Those of the metrics that it cannot be judged by.

        Args:
            metrics: that are wanted.
            rule: "last" looks at the last epoch alone, "best" at all of them.
        """
        had = [self.curve[max(self.curve)]] if self.curve else []
        if rule == "best":
            had = list(self.curve.values())
        return [name for name in metrics if not any(name in values for values in had)]

    def start(self) -> None:
        """A worker takes it up."""
        self.become(TrialState.RUNNING)
        self.attempts += 1

    def judge(self, epoch: int, decision: Decision) -> None:
        """Take a decision of the scheduler, unless it may not stop the trial or has done so."""
        if self.prunable and not self.decision.stop:
            self.decision, self.judged = decision, epoch

    def forget(self, last: int) -> None:
        """Drop the epochs behind `last`, and what was decided after them."""
        self.curve = {epoch: values for epoch, values in self.curve.items() if epoch <= last}
        if self.judged > last:
            self.decision, self.judged = CONTINUE, last

    def become(self, state: TrialState, reason: str | None = None) -> None:
        """Go to another state.

        Raises:
            ValueError: that state does not follow this one.
        """
        self.check(state)
        self.state, self.reason = state, reason

    def check(self, state: TrialState) -> None:
        """Refuse a state that does not follow this one, as `become` does; nothing changes."""
        if not may_follow(state, self.state):
            raise ValueError(f"trial {self.number} is {self.state}; it cannot become {state}")

    def reopen(self) -> None:
        """Go on after its end, by request; what was pruned then goes on to its end."""
        self.prunable = self.prunable and self.state != TrialState.PRUNED
        self.become(TrialState.WAITING)
        self.decision = CONTINUE
