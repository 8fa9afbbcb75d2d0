"""Observations of ours as trials of Optuna's."""

import copy
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from search.objectives import Constraint, Objectives, Values
from search.searchers.optuna_samplers.parameter_encoding import Parameters
from search.searchers.searcher import Observation, P, Task
from search.trial_states import TrialState

_FAR = 1e6
"""Stands for a violation that is infinite or not a number, which Optuna does not take."""


class SharedTrial(FrozenTrial):
    """A trial that many studies hold; Optuna copies deeply what it is handed, which is slow."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "SharedTrial":
        """A copy with a number of its own; nobody changes the rest."""
        return copy.copy(self)


def new_frozen_trial(
    parameters: Parameters,
    state: OptunaState,
    *,
    vector: tuple[float, ...] | None = None,
    curve: Mapping[int, float] | None = None,
    constraints: Mapping[str, float] | None = None,
) -> FrozenTrial:
    """A trial that can be added to any study.

    Args:
        parameters: of the point.
        state: complete, running or pruned.
        vector: the objectives of a complete trial.
        curve: the objective by fidelity.
        constraints: more than 0 is broken.
    """
    now = datetime.now()  # Optuna demands one; no sampler looks at it
    trial = SharedTrial(
        number=-1,
        trial_id=-1,
        state=state,
        value=None,
        values=vector,
        datetime_start=now,
        datetime_complete=now if state.is_finished() else None,
        params={name: value for name, (value, _) in parameters.items()},
        distributions={name: distribution for name, (_, distribution) in parameters.items()},
        user_attrs={},
        system_attrs={},
        intermediate_values=dict(curve or {}),
    )
    for name, value in (constraints or {}).items():
        trial.set_constraint(name, value)
    return trial


def to_frozen_trial(
    task: Task[P], point: P, observation: Observation, parameters: Parameters
) -> FrozenTrial:
    """What TPE and NSGA-II are shown.

    What failed or did not fit, and what breaks a constraint on a known metric, is pruned without a
    value: TPE ranks that last, NSGA-II passes it over.
    """
    if observation.state == TrialState.RUNNING:
        return new_frozen_trial(parameters, OptunaState.RUNNING)
    values = {**observation.values, **task.known(point)}
    constraints = constraint_violations(task.objectives, values, task.known(point))
    if not task.feasible(point) or not task.objectives.has(values):
        return new_frozen_trial(parameters, OptunaState.PRUNED, constraints=constraints)
    if observation.state == TrialState.COMPLETE:
        vector = task.objectives.vector(values)
        return new_frozen_trial(
            parameters, OptunaState.COMPLETE, vector=vector, constraints=constraints
        )
    curve = {} if observation.state != TrialState.PRUNED else _curve(task, point, observation)
    return new_frozen_trial(parameters, OptunaState.PRUNED, curve=curve, constraints=constraints)


def _curve(task: Task[P], point: P, observation: Observation) -> dict[int, float]:
    """The objective by fidelity; Optuna takes none where there are several objectives."""
    if len(task.objectives) > 1:
        return {}
    return {
        epoch: task.vector(point, values)[0]
        for epoch, values in observation.curve.items()
        if task.evaluated(point, values)
    }


def constraint_violations(
    objectives: Objectives, values: Values, known: Values
) -> dict[str, float]:
    """By how much each bound is broken, as a share of it; 0 or less where it is kept.

    Known metrics are left out: they are exact, and what breaks a constraint on them is not
    proposed. A metric that is missing counts as just kept.
    """
    return {
        name: amount
        for constraint in objectives.constraints
        if constraint.name not in known
        for name, amount in _amounts(constraint, values).items()
    }


def _amounts(constraint: Constraint, values: Values) -> dict[str, float]:
    sides = {"at most": (constraint.upper, 1.0), "at least": (constraint.lower, -1.0)}
    return {
        f"{constraint.name} {side}": _share(values.get(constraint.name, bound), bound, sign)
        for side, (bound, sign) in sides.items()
        if bound is not None
    }


def _share(value: float, bound: float, sign: float) -> float:
    amount = sign * (value - bound) / (abs(bound) or 1.0)
    return _FAR if math.isnan(amount) else min(max(amount, -_FAR), _FAR)


def impute_parameters(trials: Sequence[FrozenTrial], seed: int) -> list[FrozenTrial]:
    """Copies of the trials, each with every parameter that one of them has.

    What a point does not need is drawn at random. Only decisions are ever missing; every point has
    all columns of an encoding.
    """
    union: dict[str, BaseDistribution] = {}
    for trial in trials:
        union.update(trial.distributions)
    rng = np.random.default_rng([seed, len(trials), 5])
    return [_imputed(trial, union, rng) for trial in trials]


def _imputed(
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
