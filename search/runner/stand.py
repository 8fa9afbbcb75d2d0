"""How far a study is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from search.objectives import JudgedBy
from search.store import TrialState
from space import Architecture


@dataclass(frozen=True, slots=True)
class Stand:
    """How far the study is.

    Attributes:
        counts: trials by state; planned: how many there shall be, `repeats` of them repeats.
        best: highest validation accuracy of a complete trial; best_name: the operators that did it.
        reused: results of other studies that this run took over whole instead of training.
        optimistic: whether trials are judged by their best epoch.
    """

    counts: Mapping[TrialState, int]
    planned: int
    best: float | None
    best_name: str | None
    repeats: int = 0
    reused: int = 0
    optimistic: bool = False

    @property
    def ended(self) -> int:
        """Trials in a terminal state."""
        return sum(count for state, count in self.counts.items() if state.is_terminal)

    @property
    def unfinished(self) -> int:
        """Trials that have not ended, interrupted ones among them."""
        return sum(self.counts.values()) - self.ended

    def with_plan_of(self, other: "Stand") -> "Stand":
        """This one with the larger plan: repeats are in the store only once they are handed out."""
        if other.planned <= self.planned:
            return self
        return replace(self, planned=other.planned, repeats=other.repeats)


class Tally:
    """Keeps the states of a study's trials and its best accuracy in memory.

    Args:
        rule: the epoch that trials are judged by.
    """

    def __init__(self, rule: JudgedBy) -> None:
        self._optimistic = rule == "best"
        self._states: dict[int, TrialState] = {}
        # Kept up to date, as progress asks several times a trial and studies have many thousands.
        self._counts = dict.fromkeys(TrialState, 0)
        self._best: tuple[float, str] | None = None
        self._reused = 0

    def set(self, number: int, state: TrialState) -> None:
        """A trial is in this state now."""
        before = self._states.get(number)
        if before is not None:
            self._counts[before] -= 1
        self._counts[state] += 1
        self._states[number] = state

    def reached(self, accuracy: float | None, architecture: Architecture) -> None:
        """A complete trial is judged by this accuracy."""
        if accuracy is not None and (self._best is None or accuracy > self._best[0]):
            self._best = accuracy, architecture.name

    def took_over(self) -> None:
        """A trial ended with the result of another study."""
        self._reused += 1

    def stand(self, planned: int, repeats: int) -> Stand:
        """How far that is of the planned number of trials, `repeats` of them repeats."""
        best, name = self._best or (None, None)
        counts = dict(self._counts)
        return Stand(counts, planned, best, name, repeats, self._reused, self._optimistic)
