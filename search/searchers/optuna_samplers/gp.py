"""Bayesian optimisation with Gaussian processes, Optuna's."""

from collections.abc import Sequence
from typing import Generic

from optuna.samplers import BaseSampler, GPSampler
from optuna.trial import FrozenTrial, TrialState

from search.objectives import Values
from search.searchers.optuna_samplers.frozen_trials import constraint_violations, new_frozen_trial
from search.searchers.optuna_samplers.optuna_searcher import WindowedSearcher
from search.searchers.ranked_history import RankedPoint
from search.searchers.searcher import P


class GpSearcher(WindowedSearcher[P], Generic[P]):
    """Proposes points by Optuna's Gaussian process, one objective or several.

    It works on the encoding of the points, since Optuna's process leaves out every parameter that
    not all points have. It knows of complete and running points only, so one that was pruned,
    failed or did not fit is shown as complete with the worst objectives that are known.
    """

    class Options(WindowedSearcher.Options):
        """Options of the process.

        Attributes:
            startup_trials: that many points are random before the process is fitted.
            history_window: it sees at most that many points, the best and the latest; a fit takes
                time with the cube of their number.
        """

    options: Options
    attempts = 2
    over_vectors = True

    def trials(self) -> Sequence[FrozenTrial]:
        """The best and the latest, with values for those that have none."""
        shown = self.window.entries(self.history)
        trials = [self.trial(entry) for entry in shown]
        complete = [t.values for t in trials if t.state == TrialState.COMPLETE]
        if not complete:
            return []
        worst = self._values([min(column) for column in zip(*complete, strict=True)])
        return [
            trial if trial.state != TrialState.PRUNED else self._as_worst(entry, worst)
            for entry, trial in zip(shown, trials, strict=True)
        ]

    def sampler(self, seed: int) -> BaseSampler:
        """A process that is fitted anew."""
        return GPSampler(
            seed=seed, n_startup_trials=self.options.startup_trials, warn_independent_sampling=False
        )

    def _values(self, vector: Sequence[float]) -> Values:
        """The metrics that give these objectives."""
        pairs = zip(self.task.objectives, vector, strict=True)
        return {each.name: each.sign * value for each, value in pairs}

    def _as_worst(self, entry: RankedPoint[P], worst: Values) -> FrozenTrial:
        known = self.task.known(entry.point)
        return new_frozen_trial(
            self.encoding.parameters(entry.point),
            TrialState.COMPLETE,
            vector=self.task.vector(entry.point, worst),
            constraints=constraint_violations(
                self.task.objectives, entry.observation.values, known
            ),
        )
