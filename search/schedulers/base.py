"""The contract of a scheduler: which trials are worth more epochs. Pure Python, no Ray."""

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from search.objectives import Goals, Values
from search.options import Options as BaseOptions


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a trial after an epoch: `stop` it for the `reason`, or go on."""

    stop: bool
    reason: str = ""


CONTINUE = Decision(stop=False)


class Scheduler(ABC):
    """Judges running trials by what they have reported so far.

    - **Determinism.** A decision follows from the options, the goals and the sequence of calls;
      a study is resumed by repeating that sequence to a new scheduler.
    - **Once.** An epoch of a trial counts when it is first reported. A repeat changes nothing and
      is answered CONTINUE or with the decision that still holds.
    - **The end.** A trial is never stopped at its last epoch, nor for a missing figure: where an
      objective is not there or not finite the decision is CONTINUE.
    - **Continued trials.** A trial that was stopped and is continued on request reports again
      beyond its last epoch; it is judged like any other at the rungs that it has not reached yet.
    - Constraints count: what breaks one is worse than all that break none.

    `tests/search/scheduler_conformance.py` holds every scheduler to this.

    Args:
        goals: by which results are compared.
        fidelities: epochs of a whole training.
        options: by name, as `Options` has them.

    Raises:
        pydantic.ValidationError: an option that there is not, or a value that cannot be.
    """

    multi_objective: ClassVar[bool] = True
    """Whether it compares by several objectives; else goals of several are refused."""

    Options: ClassVar[type[BaseOptions]] = BaseOptions
    """Its options; a scheduler that has some has a class of this name, with a field for each."""

    options: BaseOptions

    def __init__(self, goals: Goals, fidelities: int, **options: Any) -> None:
        self.goals = goals
        self.fidelities = fidelities
        self.options = self.Options(**options)

    def added(self, trial: Hashable) -> None:  # noqa: B027 - most schedulers need no such notice
        """A trial was created; called once, in the order of their numbers, before its reports."""

    @abstractmethod
    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """Take note of the figures of an epoch, known ones included, and judge the trial.

        Args:
            trial: its name; epoch: from 1, rising.
            values: figures by name.
        """


class NoScheduler(Scheduler):
    """Lets every trial train to its end."""

    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """Always go on."""
        return CONTINUE
