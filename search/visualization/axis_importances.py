"""How much of what makes a network good is told by each axis: PED-ANOVA over complete results.

Source: Watanabe, Bansal and Hutter, "PED-ANOVA: efficiently quantifying hyperparameter importance
in arbitrary subspaces" (IJCAI 2023), as Optuna implements it: how far the values of an axis are
distributed among the best networks otherwise than among all that were trained.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from search.effects import axis_values, in_a_word
from search.objectives import Objective
from search.query import Evaluated
from space.architecture import Architecture

ENOUGH = 20
"""Completely trained architectures from which on importances are told."""

_BEST = 5
"""At least so many count as the best: of fewer the distribution of their values is nothing."""
_BEST_SHARE = 0.1
_SHUFFLES = 40


@dataclass(frozen=True, slots=True)
class AxisImportances:
    """The share of each axis in what sets the best networks apart.

    Attributes:
        objective: by which they are the best.
        shares: by axis, the largest first; they sum to 1.
        chance: by axis, what it stays below in 95 % of the cases where the results are dealt out
            anew, in the units of the shares: an axis of many values has some by chance alone.
        fixed: the axes on which all networks agree, which have no share.
        total: how many completely trained architectures there are.
        best: how many of them count as the best.
    """

    objective: Objective
    shares: Mapping[str, float]
    chance: Mapping[str, float]
    fixed: tuple[str, ...]
    total: int
    best: int


def axis_importances(
    rows: Sequence[Evaluated], networks: Sequence[Architecture], objective: Objective
) -> AxisImportances | None:
    """The importances of the axes; None where the objective or all axes are the same throughout.

    Args:
        rows: completely trained architectures of one protocol that have the objective, ENOUGH or
            more.
        networks: the same as networks.
        objective: that tells which are the best.
    """
    axes = {axis: list(map(in_a_word, values)) for axis, values in axis_values(networks).items()}
    varied = {axis: values for axis, values in axes.items() if len(set(values)) > 1}
    scores = np.array([objective.to_maximise(row.values) for row in rows])
    best = max(_BEST, round(_BEST_SHARE * len(rows)))
    told = _Evaluation(varied, best)
    raw = told.importances(scores) if varied and len(set(scores)) > 1 else {}
    total = sum(raw.values())
    if total <= 0:
        return None
    chance = told.by_chance(scores)
    ordered = sorted(raw, key=lambda axis: (-raw[axis], axis))
    return AxisImportances(
        objective,
        {axis: raw[axis] / total for axis in ordered},
        {axis: chance[axis] / total for axis in ordered},
        tuple(axis for axis in axes if axis not in varied),
        len(rows),
        best,
    )


class _Evaluation:
    """Optuna's evaluator over networks that stay while their scores may change."""

    def __init__(self, axes: Mapping[str, Sequence[str]], best: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        choices = {axis: CategoricalDistribution(sorted(set(v))) for axis, v in axes.items()}
        self._axes, self._best = list(axes), best
        self._study = optuna.create_study(direction="maximize")
        self._count = len(next(iter(axes.values()), ()))
        for place in range(self._count):
            params = {axis: values[place] for axis, values in axes.items()}
            trial = create_trial(params=params, distributions=dict(choices), value=0.0)
            self._study.add_trial(trial)

    def importances(self, scores: np.ndarray[Any, Any]) -> dict[str, float]:
        """By axis; `scores` are of the networks in their order, higher is better."""
        with warnings.catch_warnings():
            # It is new in Optuna, and warns that low targets count as good, which they do here.
            warnings.simplefilter("ignore")
            return get_param_importances(
                self._study,
                evaluator=PedAnovaImportanceEvaluator(target_quantile=self._best / self._count),
                target=lambda trial: -float(scores[trial.number]),  # lower is better to it
                normalize=False,
            )

    def by_chance(self, scores: np.ndarray[Any, Any]) -> dict[str, float]:
        """The 95 % quantile over scores that are dealt out anew; the same each time."""
        rng = np.random.default_rng(0)
        found = [self.importances(rng.permutation(scores)) for _ in range(_SHUFFLES)]
        return {
            axis: float(np.quantile([each[axis] for each in found], 0.95)) for axis in self._axes
        }
