"""Parameters that a point does not need, filled at random: then all trials have the same."""

import copy
from collections.abc import Sequence

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial


def filled(trials: Sequence[FrozenTrial], seed: int) -> list[FrozenTrial]:
    """Copies of the trials, each with every parameter that one of them has.

    Only decisions are ever missing; every point has all columns of an encoding.
    """
    union: dict[str, BaseDistribution] = {}
    for trial in trials:
        union.update(trial.distributions)
    rng = np.random.default_rng([seed, len(trials), 5])
    return [_filled(trial, union, rng) for trial in trials]


def _filled(
    trial: FrozenTrial, union: dict[str, BaseDistribution], rng: np.random.Generator
) -> FrozenTrial:
    drawn = {
        name: distribution.choices[int(rng.integers(len(distribution.choices)))]
        for name, distribution in union.items()
        if isinstance(distribution, CategoricalDistribution) and name not in trial.params
    }
    copied = copy.copy(trial)
    copied.params = {name: trial.params.get(name, drawn.get(name)) for name in union}
    copied.distributions = union
    return copied
