"""What a search in this process came to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic

from search.objectives import Objectives, Values, nondominated_ranks
from search.searchers import Task
from search.searchers.searcher import P
from search.trial_states import TrialState

STATES = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED, TrialState.INFEASIBLE)


@dataclass(frozen=True, slots=True)
class Evaluation(Generic[P]):
    """One evaluated point.

    Attributes:
        number: from 0, in order.
        point: what was evaluated.
        state: how it ended; infeasible where its metrics break a constraint.
        values: its last metrics, those known without evaluation included: of a complete one those
            that it is judged by, of a pruned one those that it was stopped for. Empty for a failed
            one.
        curve: the metrics by fidelity, from 1; of an objective that returns only those of the last.
        reason: why it is not complete.
        seconds: wall time of the evaluation.
    """

    number: int
    point: P
    state: TrialState
    values: Values = field(default_factory=dict)
    curve: Mapping[int, Values] = field(default_factory=dict)
    reason: str | None = None
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Result(Generic[P]):
    """All evaluations of a search, and what they come to.

    Attributes:
        task: what was searched, and for what.
        evaluations: in order.
        exhausted: why the search ended before its budget; None when it did not.
    """

    task: Task[P]
    evaluations: tuple[Evaluation[P], ...]
    exhausted: str | None = None

    @property
    def objectives(self) -> Objectives:
        """Objectives and constraints."""
        return self.task.objectives

    @property
    def best(self) -> Evaluation[P] | None:
        """The complete feasible evaluation with the best first objective; None without any."""
        return max(self._complete(), key=lambda each: self._vector(each)[0], default=None)

    @property
    def front(self) -> tuple[Evaluation[P], ...]:
        """The complete feasible evaluations that no other dominates, in order of their numbers."""
        complete = self._complete()
        ranks = nondominated_ranks([self._vector(each) for each in complete]) if complete else ()
        return tuple(each for each, rank in zip(complete, ranks, strict=True) if rank == 0)

    @property
    def counts(self) -> dict[TrialState, int]:
        """How many evaluations ended in each state."""
        found = Counter(each.state for each in self.evaluations)
        return {state: found[state] for state in STATES}

    def _complete(self) -> list[Evaluation[P]]:
        return [each for each in self.evaluations if each.state == TrialState.COMPLETE]

    def _vector(self, evaluation: Evaluation[P]) -> tuple[float, ...]:
        return self.objectives.vector(evaluation.values)
