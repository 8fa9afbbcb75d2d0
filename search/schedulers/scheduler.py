"""The contract of a scheduler, and the schedulers that there are. Pure Python, no Ray."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, StrictInt

from search.objectives import Objectives, Values
from search.options import Options as BaseOptions
from search.registry import Registry
from space.errors import InputError


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a trial after an epoch: `stop` it for the `reason`, or go on.

    Where a scheduler gives no reason, the study writes that it gave none.
    """

    stop: bool
    reason: str = ""


CONTINUE = Decision(stop=False)


class GraceOptions(BaseOptions):
    """Options of a scheduler that stops nobody at first.

    Attributes:
        grace_epochs: no trial is stopped before that epoch.
    """

    grace_epochs: StrictInt = Field(default=1, ge=1)

    def refusals(self, fidelities: int, called: str) -> Mapping[str, str]:
        """Nobody would ever be stopped by a grace beyond the end."""
        if self.grace_epochs <= fidelities:
            return {}
        message = f"must not exceed {called} ({fidelities}); got {self.grace_epochs}"
        return {"grace_epochs": message}


class Scheduler(ABC):
    """Judges running trials by what they have reported so far.

    - **Determinism.** A decision follows from the options, the objectives and the sequence of
      calls; a study is resumed by repeating that sequence to a new scheduler.
    - **Once.** An epoch of a trial counts when it is first reported. A repeat changes nothing and
      is answered CONTINUE or with the decision that still holds.
    - **The end.** A trial is never stopped at its last epoch, nor for a missing metric: where an
      objective is not there or not finite the decision is CONTINUE.
    - **Continued trials.** A trial that was stopped and is continued on request reports again
      beyond its last epoch; it is judged like any other at the rungs that it has not reached yet.
    - **Lost epochs.** Where a checkpoint is lost, what was reported behind it counts no more for
      anyone. No scheduler need take anything back: another one, made by `anew`, is told all the
      rest in its order, and takes the place of this one.
    - Constraints count: what breaks one is worse than all that break none.

    `search.testing.SchedulerSuite` holds a scheduler to this.

    Args:
        objectives: by which results are compared.
        fidelities: epochs of a whole training.
        options: by name, as `Options` has them.

    Raises:
        pydantic.ValidationError: an option that there is not, or a value that cannot be.
    """

    multi_objective: ClassVar[bool] = True
    """Whether it compares by several objectives; else several are refused."""

    Options: ClassVar[type[BaseOptions]] = BaseOptions
    """Its options; a scheduler that has some has a class of this name, with a field for each."""

    options: BaseOptions

    def __init__(self, objectives: Objectives, fidelities: int, **options: Any) -> None:
        self.objectives = objectives
        self.fidelities = fidelities
        self.options = self.Options(**options)

    def added(self, trial: Hashable) -> None:  # noqa: B027 - most schedulers need no such notice
        """A trial was created; called once, in the order of their numbers, before its reports."""

    def anew(self) -> "Scheduler":
        """Another one of the same objectives, length and options, that was told nothing.

        One whose constructor takes something else than a scheduler's does says here how to make it.
        """
        options = self.options.model_dump(exclude={"name"})
        return type(self)(self.objectives, self.fidelities, **options)

    @abstractmethod
    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """Take note of the metrics of an epoch, known ones included, and judge the trial.

        Args:
            trial: its name; epoch: from 1, rising.
            values: metrics by name.
        """


class NoScheduler(Scheduler):
    """Lets every trial train to its end."""

    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """Always go on."""
        return CONTINUE


SCHEDULERS: Registry[Scheduler] = Registry(
    "scheduler",
    Scheduler,
    "mixspace.schedulers",
    {
        "none": "search.schedulers.scheduler:NoScheduler",
        "median": "search.schedulers.median:MedianStopping",
        "asha": "search.schedulers.asha:Asha",
        "hyperband": "search.schedulers.hyperband:Hyperband",
        "moasha": "search.schedulers.asha:Moasha",
    },
)
"""The schedulers that a configuration may name."""


def make_scheduler(
    name: str | None,
    objectives: Objectives,
    fidelities: int,
    options: Mapping[str, Any] | None = None,
) -> Scheduler:
    """The scheduler of that name.

    Args:
        name: one of `SCHEDULERS.names`; None is "none".
        objectives: by which results are compared.
        fidelities: epochs of a whole training.
        options: of the scheduler, by name.

    Raises:
        InputError: an unknown name, an unknown option, a value that cannot be, also for so many
            fidelities, or several objectives where the scheduler takes one.
    """
    name = "none" if name is None else name
    kind, chosen = SCHEDULERS.chosen(name, options, fidelities)
    if len(objectives) > 1 and not kind.multi_objective:
        wanted = ", ".join(objective.name for objective in objectives)
        raise InputError.of("scheduler.name", f"{name!r} takes one objective; got {wanted}")
    return kind(objectives, fidelities, **chosen)
