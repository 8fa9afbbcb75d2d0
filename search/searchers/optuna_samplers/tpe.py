"""Tree-structured Parzen estimator (Bergstra et al., 2011), Optuna's."""

from typing import Generic

from optuna.samplers import BaseSampler, TPESampler
from pydantic import Field, StrictInt

from search.searchers.optuna_samplers.optuna_searcher import WindowedSearcher
from search.searchers.searcher import P


class TpeSearcher(WindowedSearcher[P], Generic[P]):
    """Proposes points by Optuna's TPE, one objective or several."""

    class Options(WindowedSearcher.Options):
        """Options of TPE.

        Attributes:
            startup_trials: that many points are random before TPE begins; initial points count.
            candidates: how many candidates TPE compares for one proposal.
            history_window: TPE sees at most that many points, the best and the latest, so that an
                ask stays fast in a long study. From 250 points on, Optuna's TPE takes 25 of them
                for good ones, however many more there are.
        """

        candidates: StrictInt = Field(default=24, ge=1, le=10_000)
        history_window: StrictInt = Field(default=250, ge=20, le=10_000_000)

    options: Options
    attempts = 4

    def sampler(self, seed: int) -> BaseSampler:
        """TPE over all parameters jointly."""
        return TPESampler(
            seed=seed,
            n_startup_trials=self.options.startup_trials,
            n_ei_candidates=self.options.candidates,
            multivariate=True,
            group=True,  # decisions are conditional on each other
            constant_liar=True,  # keeps trials that run at the same time apart
        )
