"""Tree-structured Parzen estimator (Bergstra et al., 2011), Optuna's."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic

from optuna.samplers import BaseSampler, TPESampler
from optuna.trial import FrozenTrial
from pydantic import Field, StrictInt

from search.options import Options as BaseOptions
from search.searchers.optuna_samplers.optuna_searcher import OptunaSearcher
from search.searchers.ranked_history import HistoryWindow, RankedPoint
from search.searchers.searcher import P, Task


class TpeSearcher(OptunaSearcher[P], Generic[P]):
    """Proposes points by Optuna's TPE, one objective or several."""

    class Options(BaseOptions):
        """Options of TPE.

        Attributes:
            startup_trials: that many points are random before TPE begins; initial points count.
            candidates: how many candidates TPE compares for one proposal.
            history_window: TPE sees at most that many points, the best and the latest, so that an
                ask stays fast in a long study. From 250 points on, Optuna's TPE takes 25 of them
                for good ones, however many more there are.
        """

        renamed: ClassVar[Mapping[str, str]] = {"look_back": "history_window"}

        startup_trials: StrictInt = Field(default=10, ge=1, le=10_000_000)
        candidates: StrictInt = Field(default=24, ge=1, le=10_000)
        history_window: StrictInt = Field(default=250, ge=20, le=10_000_000)

    options: Options
    attempts = 4

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        super().__init__(task, seed, **options)
        self._window = HistoryWindow(task, self.options.history_window)

    def note(self, entry: RankedPoint[P]) -> None:
        """Keep the best."""
        self._window.tell(entry)

    def best(self) -> Sequence[P]:
        """The best handful."""
        return self._window.best(5)

    def trials(self) -> Sequence[FrozenTrial]:
        """The best and the latest."""
        return [self.trial(entry) for entry in self._window.entries(self.history)]

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
