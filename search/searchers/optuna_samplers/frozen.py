"""An observation of ours as a finished or running trial of Optuna's."""

import copy
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from optuna.trial import FrozenTrial
from optuna.trial import TrialState as OptunaState

from search.objectives import Constraint, Goals, Values
from search.searchers.base import Observation, P, Task
from search.searchers.optuna_samplers.coding import Parameters
from search.trial_states import TrialState

_FAR = 1e6
"""Stands for a violation that is infinite or not a number, which Optuna does not take."""


class SharedTrial(FrozenTrial):
    """A trial that many studies hold; Optuna copies deeply what it is handed, which is slow."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "SharedTrial":
        """A copy with a number of its own; nobody changes the rest."""
        return copy.copy(self)


def frozen(
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


def as_observed(
    task: Task[P], point: P, observation: Observation, parameters: Parameters
) -> FrozenTrial:
    """What TPE and NSGA-II are shown.

    What failed or did not fit, and what breaks a constraint on a known figure, is pruned without a
    value: TPE ranks that last, NSGA-II passes it over.
    """
    if observation.state == TrialState.RUNNING:
        return frozen(parameters, OptunaState.RUNNING)
    values = {**observation.values, **task.known(point)}
    constraints = broken_by(task.goals, values, task.known(point))
    if not task.feasible(point) or not task.goals.has(values):
        return frozen(parameters, OptunaState.PRUNED, constraints=constraints)
    if observation.state == TrialState.COMPLETE:
        vector = task.goals.vector(values)
        return frozen(parameters, OptunaState.COMPLETE, vector=vector, constraints=constraints)
    curve = {} if observation.state != TrialState.PRUNED else _curve(task, point, observation)
    return frozen(parameters, OptunaState.PRUNED, curve=curve, constraints=constraints)


def _curve(task: Task[P], point: P, observation: Observation) -> dict[int, float]:
    """The objective by fidelity; Optuna takes none where there are several objectives."""
    if len(task.goals.objectives) > 1:
        return {}
    judged = {e: v for e, v in observation.curve.items() if task.judged(point, v)}
    return {epoch: task.vector(point, values)[0] for epoch, values in judged.items()}


def broken_by(goals: Goals, values: Values, known: Values) -> dict[str, float]:
    """By how much each bound is broken, as a share of it; 0 or less where it is kept.

    Known figures are left out: they are exact, and what breaks a constraint on them is not
    proposed. A figure that is missing counts as just kept.
    """
    return {
        name: amount
        for constraint in goals.constraints
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
