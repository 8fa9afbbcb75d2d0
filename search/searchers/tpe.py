"""Tree-structured Parzen estimator: a thin adapter over Optuna's ask and tell.

Optuna is handed the history afresh for every ask and keeps nothing in between. So the store is the
only memory, a resumed study proposes what the uninterrupted one would have, and no trial can stay
running in Optuna after its process died.
"""

import warnings
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar, Generic

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from search.objectives import Goals
from search.searchers.base import (
    Decision,
    DecisionSpace,
    Exhausted,
    Observation,
    Option,
    P,
    Searcher,
    Task,
)
from space import Infeasible

_DEAD_ENDS = 100
"""How often in a row the decisions may lead nowhere before the searcher gives up."""


def parameter_name(name: str, options: Sequence[Option]) -> str:
    """A name that is unique per option set: Optuna refuses a parameter whose choices change."""
    return f"{name} in {list(options)}"


class TpeSearcher(Searcher[P], Generic[P]):
    """Proposes points by Optuna's TPE over the decisions that lead to a point.

    Args:
        task: what is searched and for what.
        seed: of all random choices.
        startup_trials: that many points are random before TPE begins.
        candidates: how many candidates TPE compares for one proposal.
        look_back: TPE sees at most that many points, the best quarter and the latest, so that an
            ask stays fast in a long study.
    """

    multi_objective: ClassVar[bool] = False

    def __init__(
        self,
        task: Task[P],
        seed: int,
        *,
        startup_trials: int = 10,
        candidates: int = 24,
        look_back: int = 1000,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        super().__init__(task, seed)
        if not isinstance(task.space, DecisionSpace):
            raise TypeError("needs a space with walk and decisions")
        self._space: DecisionSpace[P] = task.space
        self._startup_trials = startup_trials
        self._candidates = candidates
        self._look_back = look_back
        self._history: dict[Hashable, FrozenTrial] = {}

    def ask(self, attempt: int = 0) -> P:
        """TPE's proposal, given all that was told.

        Raises:
            Exhausted: the decisions led nowhere a hundred times in a row.
        """
        study = self._study(attempt)
        for _ in range(_DEAD_ENDS):
            trial = study.ask()

            def choose(
                name: str, options: tuple[Any, ...], read: Any, trial: optuna.Trial = trial
            ) -> Any:
                return trial.suggest_categorical(parameter_name(name, options), options)

            try:
                return self._space.walk(choose)
            except Infeasible:
                # A dead end is the worst there is: TPE ranks a pruned trial without a value last.
                study.tell(trial, state=TrialState.PRUNED)
        raise Exhausted(f"{_DEAD_ENDS} proposals in a row broke the limits of the space")

    def tell(self, point: P, observation: Observation) -> None:
        """Add the point to the history, or renew what is known of it."""
        decisions = self._space.decisions(point)
        self._history[self.task.space.key(point)] = _frozen(decisions, observation, self.task.goals)

    def _study(self, attempt: int) -> optuna.Study:
        seed = np.random.SeedSequence([self.seed, len(self._history), attempt])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=int(seed.generate_state(1)[0]),
                n_startup_trials=self._startup_trials,
                n_ei_candidates=self._candidates,
                multivariate=True,
                group=True,  # decisions are conditional on each other
                constant_liar=True,  # keeps trials that run at the same time apart
            )
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.add_trials(_within(list(self._history.values()), self._look_back))
        return study


def _frozen(decisions: Sequence[Decision], observation: Observation, goals: Goals) -> FrozenTrial:
    distributions: dict[str, BaseDistribution] = {}
    params: dict[str, Option] = {}
    for decision in decisions:
        name = parameter_name(decision.name, decision.options)
        distributions[name] = CategoricalDistribution(decision.options)
        params[name] = decision.choice
    complete = observation.outcome == "complete" and goals.has(observation.values)
    running = observation.outcome == "running"
    curve = {e: goals.vector(v)[0] for e, v in observation.curve.items() if goals.has(v)}
    # What failed or did not fit counts as pruned without a value, which TPE ranks last.
    return create_trial(
        state=TrialState.COMPLETE
        if complete
        else (TrialState.RUNNING if running else TrialState.PRUNED),
        params=params,
        distributions=distributions,
        value=goals.vector(observation.values)[0] if complete else None,
        intermediate_values={} if complete or running else curve,
    )


def _within(history: list[FrozenTrial], limit: int) -> list[FrozenTrial]:
    if len(history) <= limit:
        return history
    ended = [t for t in history if t.state == TrialState.COMPLETE]
    best = sorted(ended, key=lambda t: -(t.value or 0.0))[: limit // 4]
    kept = {id(trial) for trial in best}
    latest = [t for t in history if id(t) not in kept][-(limit - len(best)) :]
    kept |= {id(trial) for trial in latest}
    return [trial for trial in history if id(trial) in kept]
