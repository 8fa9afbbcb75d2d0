"""The contract of a searcher, and of the space that it searches. Nothing here knows of vision."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

import numpy as np

P = TypeVar("P")
Option = str | int | float
Outcome = Literal["running", "complete", "pruned", "failed", "infeasible"]


class Exhausted(Exception):
    """No point is left that the study does not have yet."""


class Decision(Protocol):
    """One step of the decision process that leads to a point."""

    @property
    def name(self) -> str:
        """What is decided, for example "stage1.kernel_size"."""

    @property
    def options(self) -> tuple[Option, ...]:
        """What could be chosen, given the decisions before."""

    @property
    def choice(self) -> Option:
        """What was chosen."""


class SearchSpace(Protocol[P]):
    """What a searcher needs to know of a space of points P."""

    def sample(self, rng: np.random.Generator) -> P:
        """A random point."""

    def neighbours(self, point: P, /) -> Sequence[P]:
        """The points that are one move away."""

    def key(self, point: P, /) -> str:
        """The same text for equal points, another one for different points."""

    def walk(self, choose: Callable[[str, tuple[Any, ...], Any], Any]) -> P:
        """The point that a chain of choices leads to. Raises Infeasible where none does."""

    def decisions(self, point: P, /) -> Sequence[Decision]:
        """The chain of choices that leads to a point."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of a point.

    Attributes:
        outcome: "running" until it has ended.
        value: the objective, higher is better; None where there is none.
        curve: objective by epoch, as far as it was trained.
    """

    outcome: Outcome
    value: float | None = None
    curve: Mapping[int, float] = field(default_factory=dict)


class Searcher(ABC, Generic[P]):
    """Proposes the points of a study, one at a time.

    - `ask` changes nothing: its answer follows from the seed and from what was told, in the order
      in which the points were first told. So a searcher is rebuilt by telling it the history.
    - A point that is going to be evaluated is told with the outcome "running", and told again when
      it has ended. A later observation replaces an earlier one.
    - A point may be told that was never asked for (initial points, an earlier run).
    - Not thread safe: one owner, one thread.
    """

    @abstractmethod
    def ask(self, attempt: int = 0) -> P:
        """A point to evaluate next; with `attempt` > 0 another proposal at the same stand.

        Raises:
            Exhausted: there is nothing left to propose.
        """

    @abstractmethod
    def tell(self, point: P, observation: Observation) -> None:
        """Take note of what is known of a point."""
