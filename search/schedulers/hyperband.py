"""Asynchronous Hyperband (Li et al., 2018 and 2020): brackets that begin later and later."""

import math
from collections.abc import Hashable
from typing import Any

from search.objectives import Objectives, Values
from search.schedulers.asha import Bracket, HalvingOptions
from search.schedulers.scheduler import Decision, Scheduler


class Hyperband(Scheduler):
    """Asha in brackets: the first has every rung, each next one rung less, the last has none.

    So trials that are slow to start get their chance in a bracket that judges late. Trials are
    given to brackets in the order in which they are added, and always to the one that lacks the
    most of its share: with R rungs, a bracket that halves h times has the share
    ⌈(R + 1) / (h + 1) · reduction_factor^h⌉ of Hyperband.
    """

    Options = HalvingOptions
    options: HalvingOptions

    def __init__(self, objectives: Objectives, fidelities: int, **options: Any) -> None:
        super().__init__(objectives, fidelities, **options)
        factor = self.options.reduction_factor
        epochs = self.options.rungs(fidelities)
        self.brackets = tuple(epochs[first:] for first in range(len(epochs) + 1))
        """The epochs of the rungs of every bracket."""
        self.shares = tuple(
            math.ceil(len(self.brackets) / (len(rungs) + 1) * factor ** len(rungs))
            for rungs in self.brackets
        )
        """How many trials of each bracket make a whole Hyperband."""
        self._brackets = [Bracket(objectives, fidelities, rungs, factor) for rungs in self.brackets]
        self._sizes = [0] * len(self.brackets)
        self._bracket_of: dict[Hashable, int] = {}

    def added(self, trial: Hashable) -> None:
        """Give the trial to a bracket."""
        self.bracket(trial)

    def bracket(self, trial: Hashable) -> int:
        """The bracket of a trial, from 0; one that is new is given to a bracket."""
        if trial not in self._bracket_of:
            lacks = [
                share / (size + 1) for share, size in zip(self.shares, self._sizes, strict=True)
            ]
            chosen = lacks.index(max(lacks))
            self._sizes[chosen] += 1
            self._bracket_of[trial] = chosen
        return self._bracket_of[trial]

    def report(self, trial: Hashable, epoch: int, values: Values) -> Decision:
        """Take a trial's metrics after an epoch, and judge it in its bracket."""
        bracket = self.bracket(trial)
        name = f"hyperband, bracket {bracket + 1} of {len(self.brackets)}"
        return self._brackets[bracket].report(trial, epoch, values, name)
