"""Successive halving over one ladder of rungs, asynchronous: nobody waits for anybody."""

from collections.abc import Callable, Hashable

from pydantic import Field, StrictInt

from search.objectives import Goals, Values
from search.options import Options as BaseOptions
from search.schedulers.base import CONTINUE, Decision
from search.schedulers.pareto_places import ParetoPlaces
from search.schedulers.standing import Places, SortedPlaces


class HalvingOptions(BaseOptions):
    """What all schedulers with rungs have.

    Attributes:
        grace_epochs: epochs of the first rung; no trial is stopped before.
        reduction_factor: at every rung one of that many trials goes on.
    """

    grace_epochs: StrictInt = Field(default=1, ge=1)
    reduction_factor: StrictInt = Field(default=3, ge=2, le=100)


def rung_epochs(fidelities: int, options: HalvingOptions) -> tuple[int, ...]:
    """grace_epochs · reduction_factor^i, as far as they lie below the full length."""
    epochs: list[int] = []
    rung = options.grace_epochs
    while rung < fidelities:
        epochs.append(rung)
        rung *= options.reduction_factor
    return tuple(epochs)


class Rung:
    """The results that trials had when they came by.

    Args:
        epochs: where the rung lies.
        places: ranks the results.
    """

    def __init__(self, epochs: int, places: Places) -> None:
        self.epochs = epochs
        self._places = places
        self._trials: set[Hashable] = set()

    def passed_by(self, trial: Hashable) -> bool:
        """Whether the trial was here already."""
        return trial in self._trials

    def enter(self, trial: Hashable, values: Values, reduction_factor: int) -> str:
        """Note the trial's result; returns why it should stop, empty when it may go on."""
        self._trials.add(trial)
        place = self._places.add(values)
        going_on = max(1, len(self._places) // reduction_factor)
        if place <= going_on:
            return ""
        who = "only the best" if going_on == 1 else f"the best {going_on}"
        after = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return f"place {place} of {len(self._places)} after {after}; {who} went on"


class Halving:
    """Lets one of reduction_factor trials go on at every rung, and always the best so far.

    A result is taken at the first report at or beyond a rung and not changed by a later one. A
    trial that is through is not stopped any more.

    Args:
        goals: by which results are compared: one objective by its value, several by fronts.
        fidelities: epochs of a full training.
        epochs: where the rungs lie.
        reduction_factor: at a rung, one of that many trials goes on.
    """

    def __init__(
        self, goals: Goals, fidelities: int, epochs: tuple[int, ...], reduction_factor: int
    ) -> None:
        places: Callable[[Goals], Places]
        places = SortedPlaces if len(goals.objectives) == 1 else ParetoPlaces
        self._goals = goals
        self._fidelities = fidelities
        self._reduction_factor = reduction_factor
        self.rungs = [Rung(each, places(goals)) for each in epochs]

    def report(self, trial: Hashable, epoch: int, values: Values, name: str) -> Decision:
        """Take a trial's figures after an epoch, and judge it; the name ends the reason."""
        if not self._goals.has(values):
            return CONTINUE
        for rung in self.rungs:
            if rung.epochs > epoch:
                break
            if not rung.passed_by(trial):
                reason = rung.enter(trial, values, self._reduction_factor)
                if reason and epoch < self._fidelities:
                    return Decision(stop=True, reason=f"{reason} ({name})")
        return CONTINUE
