"""The contract of a searcher, and of the space that it searches. Nothing here knows of vision."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import numpy as np

from search.objectives import ACCURACY, Objectives, Values
from search.options import Options as BaseOptions
from search.trial_states import TrialState
from space.errors import MixspaceError

P = TypeVar("P", bound=Hashable)
Option = str | int | float


class Exhausted(MixspaceError):
    """No point is left that the study does not have yet."""


class SearchSpace(Protocol[P]):
    """What a searcher needs to know of a space of points P. Points are hashable."""

    def sample(self, rng: np.random.Generator) -> P:
        """A random point. Raises space.Infeasible where there is none."""

    def neighbours(self, point: P, /) -> Sequence[P]:
        """The points that are one move away."""

    def key(self, point: P, /) -> Hashable:
        """Equal for equal points, another one for different points."""

    def encode(self, point: P, /) -> Sequence[float]:
        """The point as finite numbers, always as many; points that are alike have near numbers."""


class Choice(Protocol):
    """One step of the decision process that leads to a point."""

    @property
    def name(self) -> str:
        """What is decided, for example "stage1.kernel_size"."""

    @property
    def options(self) -> tuple[Option, ...]:
        """What could be chosen, given the decisions before."""

    @property
    def value(self) -> Option:
        """What was chosen."""


@runtime_checkable
class DecisionSpace(SearchSpace[P], Protocol[P]):
    """A space whose points are also reached by a chain of choices. Optional for a space."""

    def walk(self, choose: Callable[[str, tuple[Any, ...], Any], Any]) -> P:
        """The point that a chain of choices leads to. Raises space.Infeasible where none does."""

    def decisions(self, point: P, /) -> Sequence[Choice]:
        """The chain of choices that leads to a point."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of a point.

    Attributes:
        state: running until it has ended, then complete, pruned, failed or infeasible.
        values: the metrics that it is judged by: those of the whole evaluation of a complete one,
            the best or the last so far of a pruned one. Empty while nothing is known.
        curve: the metrics by fidelity (epoch, from 1), as far as it was evaluated.
    """

    state: TrialState
    values: Values = field(default_factory=dict)
    curve: Mapping[int, Values] = field(default_factory=dict)

    @property
    def fidelity(self) -> int:
        """The highest fidelity that was reached; 0 before the first."""
        return max(self.curve, default=0)


def _nothing(point: Any) -> Values:
    return {}


@dataclass(frozen=True)
class Task(Generic[P]):
    """What is searched, and for what.

    Attributes:
        space: the points.
        objectives: what is maximised and minimised, and the constraints, over metrics by name.
        known: the metrics of a point that need no evaluation, such as its parameters. They are
            exact: a searcher does not model them, and a point that breaks a constraint on one of
            them is never proposed.
        fidelities: the highest fidelity (epochs of a whole evaluation); 1 where there is only one.
    """

    space: SearchSpace[P]
    objectives: Objectives = ACCURACY
    known: Callable[[P], Values] = _nothing
    fidelities: int = 1

    def feasible(self, point: P) -> bool:
        """Whether the known metrics of the point keep the constraints."""
        return not self.objectives.constraints or self.objectives.violation(self.known(point)) <= 0

    def vector(self, point: P, values: Values) -> tuple[float, ...]:
        """The objectives of an evaluated point, higher is better, known metrics included."""
        return self.objectives.vector({**values, **self.known(point)})

    def violation(self, point: P, values: Values) -> float:
        """How far an evaluated point is from feasible; 0 is feasible."""
        return self.objectives.violation({**values, **self.known(point)})

    def evaluated(self, point: P, values: Values) -> bool:
        """Whether every objective of the point is there and finite."""
        return self.objectives.has({**values, **self.known(point)})


class Searcher(ABC, Generic[P]):
    """Proposes the points of a study, one at a time.

    - **Determinism.** What is asked follows from the task, the seed and the sequence of what was
      told, and from nothing else: no clock, no global random state, no order of a set. A study is
      resumed by telling a new searcher the same sequence.
    - **Asking changes nothing.** `ask` may be called any number of times; only `tell` moves on.
      A searcher may keep what it computed, as long as no answer depends on that.
    - **Ownership of running points.** A point that is going to be evaluated is told to be running
      before the next `ask`. From then on the caller owns it and tells its
      fidelities (still "running", with a longer curve) and its end. A searcher expects any number
      of running points, and results in any order.
    - **A later observation replaces an earlier one** of the same point; a "pruned" point may
      become "running" again when it is continued.
    - **Failure.** "failed" and "infeasible" points carry no values that count, or values that
      break a constraint. They are never proposed again, they are not good, and they do not stop
      the search. A "pruned" point was stopped for being worse than others at its last fidelity.
    - **Strangers.** A point may be told that was never asked for: initial points, random points
      of a baseline, results of an earlier study.
    - **Repeats.** A plain searcher may propose a known point; `make_searcher` wraps it so that
      none is proposed twice, and Exhausted is raised when none is left.
    - Not thread safe: one owner, one thread. Nothing that is handed in is changed.

    `search.testing.SearcherSuite` holds a searcher to this.

    Args:
        task: what is searched and for what.
        seed: of all random choices.
        options: by name, as `Options` has them.

    Raises:
        pydantic.ValidationError: an option that there is not, or a value that cannot be.
    """

    multi_objective: ClassVar[bool] = True
    """Whether it searches for a Pareto front; else several objectives are refused."""

    attempts: int = 16
    """How often to ask, at most, while all it proposes is known; fewer where asking is slow."""

    Options: ClassVar[type[BaseOptions]] = BaseOptions
    """Its options; a searcher that has some has a class of this name, with a field for each."""

    options: BaseOptions

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        self.task = task
        self.seed = seed
        self.options = self.Options(**options)

    @abstractmethod
    def ask(self, attempt: int = 0) -> P:
        """A point to evaluate next; with `attempt` > 0 another proposal in the same state.

        Raises:
            Exhausted: there is nothing left to propose.
        """

    @abstractmethod
    def tell(self, point: P, observation: Observation) -> None:
        """Take note of what is known of a point."""
