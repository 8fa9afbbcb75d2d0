"""How far a study is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from search.store import TrialState


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the study is.

    Attributes:
        counts: trials by state; planned: how many there shall be, `repeats` of them repeats.
        best: highest validation accuracy of a complete trial; best_name: the operators that did it.
        reused: results of other studies that this run took over whole instead of training.
        optimistic: whether trials are judged by their best epoch.
        spent: what is spent of the budget, in words; None where there is none.
    """

    counts: Mapping[TrialState, int]
    planned: int
    best: float | None
    best_name: str | None
    repeats: int = 0
    reused: int = 0
    optimistic: bool = False
    spent: str | None = None

    @property
    def ended(self) -> int:
        """Trials in a terminal state."""
        return sum(count for state, count in self.counts.items() if state.is_terminal)

    @property
    def unfinished(self) -> int:
        """Trials that have not ended, interrupted ones among them."""
        return sum(self.counts.values()) - self.ended

    def with_plan_of(self, other: "Progress") -> "Progress":
        """This one with the larger plan: repeats are in the store only once they are handed out."""
        if other.planned <= self.planned:
            return self
        return replace(self, planned=other.planned, repeats=other.repeats)
