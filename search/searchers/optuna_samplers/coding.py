"""A point as Optuna's parameters, and a point of the parameters that Optuna suggests."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution

from search.searchers.base import DecisionSpace, Option, P

Parameters = dict[str, tuple[Option, BaseDistribution]]
"""The value and the distribution of every parameter, by name."""


class Coding(ABC, Generic[P]):
    """How points and parameters belong together."""

    version: int = 0
    """Counts how often the parameters of points that were told have changed."""

    def grow(self, told: int) -> None:
        """Make ready for an ask after that many points were told."""

    def tell(self, point: P) -> None:
        """Take note of a point of the study."""

    @abstractmethod
    def parameters(self, point: P) -> Parameters:
        """The parameters of a point."""

    @abstractmethod
    def point(self, trial: optuna.Trial, best: Sequence[P], seed: Sequence[int]) -> P:
        """The point that a trial suggests.

        Args:
            trial: running in Optuna.
            best: some of the best points of the study.
            seed: of choices that are not Optuna's.

        Raises:
            space.Infeasible: the parameters lead to no point.
        """


def parameter_name(name: str, options: Sequence[Option]) -> str:
    """A name that is unique per option set: Optuna refuses a parameter whose choices change."""
    return f"{name} in {list(options)}"


class DecisionCoding(Coding[P], Generic[P]):
    """The decisions that lead to a point, each a categorical parameter."""

    def __init__(self, space: DecisionSpace[P]) -> None:
        self._space = space

    def parameters(self, point: P) -> Parameters:
        """One parameter for each decision that the point needs."""
        return {
            parameter_name(decision.name, decision.options): (
                decision.value,
                CategoricalDistribution(decision.options),
            )
            for decision in self._space.decisions(point)
        }

    def point(self, trial: optuna.Trial, best: Sequence[P], seed: Sequence[int]) -> P:
        """Walk through the decisions as the trial suggests."""

        def choose(name: str, options: tuple[Any, ...], read: Any) -> Any:
            return trial.suggest_categorical(parameter_name(name, options), options)

        return self._space.walk(choose)
