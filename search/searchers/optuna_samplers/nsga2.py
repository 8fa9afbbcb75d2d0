"""NSGA-II (Deb et al., 2002), Optuna's, with generations that follow from the order of results."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Generic

from optuna import create_study
from optuna.samplers import BaseSampler, NSGAIISampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState
from pydantic import Field, StrictFloat, StrictInt

from search.options import Options as BaseOptions
from search.searchers.optuna_samplers.frozen_trials import impute_parameters
from search.searchers.optuna_samplers.optuna_searcher import OptunaSearcher
from search.searchers.ranked_history import RankedPoint
from search.searchers.searcher import P, Task

_GENERATION = f"{NSGAIISampler.__name__}:generation"
"""Where Optuna looks for the generation of a trial."""


class Nsga2Searcher(OptunaSearcher[P], Generic[P]):
    """Proposes points by Optuna's NSGA-II, one objective or several.

    Whenever `population` points have completed, Optuna selects from them and their parents the
    parents of the points that are asked for next. Optuna counts a point to the generation in which
    it was asked for; here it counts where it completes. So slow points are not lost, points that
    nobody asked for count too, and the generations follow from the order of the results alone.
    """

    class Options(BaseOptions):
        """Options of NSGA-II.

        Attributes:
            population: points of a generation; the first generation is random.
            crossover: the probability that a child has two parents.
            mutation: the probability that a parameter of a child is drawn anew; None is one over
                the number of parameters.
        """

        population: StrictInt = Field(default=50, ge=2, le=100_000)
        crossover: StrictFloat = Field(default=0.9, ge=0, le=1)
        mutation: StrictFloat | None = Field(default=None, ge=0, le=1)

    options: Options

    def __init__(self, task: Task[P], seed: int, **options: Any) -> None:
        super().__init__(task, seed, **options)
        self._parents: dict[int, P] = {}
        self._arrived: dict[int, P] = {}

    def note(self, entry: RankedPoint[P]) -> None:
        """Count a point that completed, and select parents at the end of a generation."""
        if entry.number in self._parents or self.trial(entry).state != TrialState.COMPLETE:
            return
        self._arrived[entry.number] = entry.point
        if len(self._arrived) >= self.options.population:
            self._parents = self._selected({**self._arrived, **self._parents})
            self._arrived = {}

    def best(self) -> Sequence[P]:
        """A few of the parents."""
        return list(self._parents.values())[:5]

    def trials(self) -> Sequence[FrozenTrial]:
        """The parents."""
        return impute_parameters(list(self._generation(self._parents).values()), self.seed)

    def sampler(self, seed: int) -> BaseSampler:
        """NSGA-II that takes all the parents there are for one generation."""
        parents = len(self._generation(self._parents))
        return self._sampler(seed, parents if parents >= 2 else self.options.population)

    def _sampler(self, seed: int, population: int) -> NSGAIISampler:
        return NSGAIISampler(
            seed=seed,
            population_size=population,
            crossover_prob=self.options.crossover,
            mutation_prob=self.options.mutation,
        )

    def _selected(self, rivals: Mapping[int, P]) -> dict[int, P]:
        """The parents of the next generation, by Optuna's elitist selection."""
        trials = self._generation(rivals)
        directions = [StudyDirection.MAXIMIZE] * len(self.task.objectives)
        study = create_study(directions=directions)
        study.add_trials(trials.values())
        chosen = self._sampler(0, self.options.population).select_parent(study, 1)
        told = list(trials)
        # In the order in which they were told, as Optuna keeps them: it decides between equals.
        return {number: rivals[number] for number in sorted(told[t.number] for t in chosen)}

    def _generation(self, points: Mapping[int, P]) -> dict[int, FrozenTrial]:
        """The points that are complete still, as trials of Optuna's first generation."""
        found: dict[int, FrozenTrial] = {}
        for number, point in points.items():
            entry = self.history.get(point)
            trial = None if entry is None else self.trial(entry)
            if trial is not None and trial.state == TrialState.COMPLETE:
                found[number] = copy.copy(trial)
                found[number].system_attrs = {**trial.system_attrs, _GENERATION: 0}
        return found
