"""A thin adapter over Optuna's ask and tell, the same for every sampler.

Optuna is handed the history afresh for every ask and keeps nothing in between. So the store is the
only memory, a resumed study proposes what the uninterrupted one would have, and no trial can stay
running in Optuna after its process died.
"""

import warnings
from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Generic

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from pydantic import Field, StrictInt

from search.options import Options as BaseOptions
from search.searchers.optuna_samplers.frozen_trials import to_frozen_trial
from search.searchers.optuna_samplers.parameter_encoding import (
    DecisionEncoding,
    ParameterEncoding,
    VectorEncoding,
)
from search.searchers.ranked_history import History, HistoryWindow, RankedPoint
from search.searchers.searcher import DecisionSpace, Exhausted, Observation, P, Searcher, Task
from space import Infeasible

_DEAD_ENDS = 100
"""How often in a row the decisions may lead nowhere before the searcher gives up."""


class OptunaSearcher(Searcher[P], Generic[P]):
    """Proposes points by a sampler of Optuna's, over decisions where the space has them.

    Args:
        task: what is searched and for what.
        seed: of all random choices.
        options: of the searcher.
    """

    over_vectors: ClassVar[bool] = False
    """Whether it searches over the vectors of `encode` also where points have decisions."""

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        super().__init__(task, seed, **options)
        self.history: History[P] = History(task)
        self.encoding: ParameterEncoding[P]
        if isinstance(task.space, DecisionSpace) and not self.over_vectors:
            self.encoding = DecisionEncoding(task.space)
        else:
            self.encoding = VectorEncoding(task, seed, self.history.__contains__)
        self._made: dict[Hashable, tuple[RankedPoint[P], int, FrozenTrial]] = {}

    def ask(self, attempt: int = 0) -> P:
        """The sampler's proposal, given all that was told.

        Raises:
            Exhausted: the proposals led nowhere a hundred times in a row.
        """
        self.encoding.grow(len(self.history))
        study = self.study(attempt)
        best = self.best()
        for dead_ends in range(_DEAD_ENDS):
            trial = study.ask()
            try:
                return self.encoding.point(
                    trial, best, [self.seed, len(self.history), attempt, dead_ends]
                )
            except Infeasible:
                # A dead end is the worst there is: TPE ranks a pruned trial without a value last.
                study.tell(trial, state=TrialState.PRUNED)
        raise Exhausted(f"{_DEAD_ENDS} proposals in a row broke the limits of the space")

    def tell(self, point: P, observation: Observation) -> None:
        """Add the point to the history, or renew what is known of it."""
        entry = self.history.tell(point, observation)
        self.encoding.tell(point)
        self.note(entry)

    @abstractmethod
    def note(self, entry: RankedPoint[P]) -> None:
        """Take note of an entry that is new or was renewed."""

    @abstractmethod
    def best(self) -> Sequence[P]:
        """A few of the best points."""

    @abstractmethod
    def trials(self) -> Sequence[FrozenTrial]:
        """What Optuna is shown, in order."""

    @abstractmethod
    def sampler(self, seed: int) -> BaseSampler:
        """A new sampler."""

    def study(self, attempt: int = 0) -> optuna.Study:
        """A new study that holds what Optuna is shown."""
        seed = np.random.SeedSequence([self.seed, len(self.history), attempt])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = self.sampler(int(seed.generate_state(1)[0]))
        directions = [StudyDirection.MAXIMIZE] * len(self.task.objectives)
        study = optuna.create_study(directions=directions, sampler=sampler)
        study.add_trials(self.trials())
        return study

    def trial(self, entry: RankedPoint[P]) -> FrozenTrial:
        """The entry as Optuna's trial; made again only after a change."""
        key = self.task.space.key(entry.point)
        made = self._made.get(key)
        if made is None or made[0] is not entry or made[1] != self.encoding.version:
            parameters = self.encoding.parameters(entry.point)
            trial = to_frozen_trial(self.task, entry.point, entry.observation, parameters)
            made = self._made[key] = (entry, self.encoding.version, trial)
        return made[2]


class WindowedSearcher(OptunaSearcher[P], Generic[P]):
    """Shows its sampler the best and the latest points: an ask stays fast in a long study."""

    class Options(BaseOptions):
        """Options of every sampler that is shown a part of the history."""

        renamed: ClassVar[Mapping[str, str]] = {"look_back": "history_window"}

        startup_trials: StrictInt = Field(default=10, ge=1, le=10_000_000)
        history_window: StrictInt = Field(default=100, ge=20, le=10_000_000)

    options: Options

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        super().__init__(task, seed, **options)
        self.window = HistoryWindow(task, self.options.history_window)

    def note(self, entry: RankedPoint[P]) -> None:
        """Keep the best."""
        self.window.tell(entry)

    def best(self) -> Sequence[P]:
        """The best handful."""
        return self.window.best(5)

    def trials(self) -> Sequence[FrozenTrial]:
        """The best and the latest."""
        return [self.trial(entry) for entry in self.window.entries(self.history)]
