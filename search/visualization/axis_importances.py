"""How much of what makes a network good is told by each axis: PED-ANOVA over complete results.

Source: Watanabe, Bansal and Hutter, "PED-ANOVA: efficiently quantifying hyperparameter importance
in arbitrary subspaces" (IJCAI 2023), as Optuna implements it: how far the values of an axis are
distributed among the best networks otherwise than among all that were trained.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from search.objectives import Objective
from search.query import Evaluated
from space.architecture import Architecture
from space.axes import AXES
from space.mixer import Mixer

ENOUGH = 20
"""Completely trained architectures from which on importances are told."""

_BEST = 5
"""At least so many count as the best: of fewer the distribution of their values is nothing."""
_BEST_SHARE = 0.1
_SHUFFLES = 40

_LEVELS = 5
"""Numbers of more different values are told apart by so many ranges, equally many networks each:
of a density over a few values, Optuna's, the narrow peaks would come to anything."""


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


def _of_mixers(name: str) -> Callable[[Architecture], str]:
    def value(network: Architecture) -> str:
        words = {_word(mixer, name) for mixer in network.mixers()}
        return " + ".join(sorted(words))

    return value


def _word(mixer: Mixer, name: str) -> str:
    value = getattr(mixer, name)
    return "none" if value is None else str(value)


_WORDS: dict[str, Callable[[Architecture], str]] = {
    **{axis: _of_mixers(axis) for axis in AXES},
    "kernel size": _of_mixers("kernel_size"),
    "block type": lambda network: network.block_type,
}
"""What a network is on an axis; of several token mixers all their values."""

_NUMBERS: dict[str, Callable[[Architecture], float]] = {
    "depth": lambda network: network.depth,
    "width": lambda network: float(np.mean([stage.width for stage in network.stages])),
    "MLP ratio": lambda network: float(np.mean([stage.mlp_ratio for stage in network.stages])),
}
"""Its sizes; of its stages the mean."""


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
    axes = {axis: [read(network) for network in networks] for axis, read in _WORDS.items()}
    axes |= {axis: _levels([read(each) for each in networks]) for axis, read in _NUMBERS.items()}
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


def _levels(numbers: Sequence[float]) -> list[str]:
    """The numbers themselves where they are few, else the range that each is in."""
    if len(set(numbers)) <= _LEVELS:
        return [f"{number:g}" for number in numbers]
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _LEVELS + 1)[1:-1]))
    return [str(level) for level in np.searchsorted(edges, numbers)]


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
