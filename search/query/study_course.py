"""The course of a study: its evaluations in order, the best so far, and what random search gives.

The random points of a study stand for random search: the best of as many of them as the searcher
has had evaluations, drawn anew with replacement. Its quantiles follow in closed form from the
values of the points: of k draws the best is below v with probability F(v)^k.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf

from sqlalchemy import exists, select

from search.objective_parsing import stored_objectives
from search.objectives import Objective, Objectives, Values
from search.query.baseline import (
    BASELINE,
    ENOUGH,
    ENOUGH_COMPLETE,
    BaselineComparison,
    compared,
)
from search.query.evaluated import evaluated_trials
from search.store.models import TrialRow
from search.store.records import StudyRecord, TrialRecord
from search.store.store import Store
from search.trial_states import TrialState
from space.design.paired_points import PAIRED

QUANTILES = (0.025, 0.5, 0.975)


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """An evaluation of a study.

    Attributes:
        number: of the trial in its study.
        value: of the study's first objective; of a pruned trial the accuracy that it had reached
            where that is the objective, else None: it compares with no complete one.
        is_random: whether it is one of the random points beside the searcher.
    """

    number: int
    architecture_id: str
    state: TrialState
    value: float | None
    is_random: bool


@dataclass(frozen=True, slots=True)
class RandomBand:
    """The best of random search at as many evaluations as the rest of the study has had.

    Attributes:
        numbers: of the trials with which the study had one evaluation, two, and so on, for as many
            as there are random points.
        worse, median, better: the 2.5 %, 50 % and 97.5 % quantiles of the best of as many random
            points; None where that is nothing, as all that was drawn was pruned.
    """

    numbers: tuple[int, ...]
    worse: tuple[float | None, ...]
    median: tuple[float | None, ...]
    better: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class StudyCourse:
    """What a study has evaluated.

    Attributes:
        objective: the first of the study, by which the best is told.
        points: complete trials that keep the study's measured bounds, and pruned ones, in order of
            their numbers; no repeats.
        records: the complete ones that were better than all before; the random points beside a
            searcher are not among them.
        random: None where the study has no random points, or too few to tell.
        comparison: of its searcher with them; None where it neither wants nor has random points.
        searched: how many points are neither random ones nor of a paired comparison, which has no
            order.
    """

    objective: Objective
    points: tuple[CoursePoint, ...]
    records: tuple[CoursePoint, ...]
    random: RandomBand | None
    comparison: BaselineComparison | None
    searched: int

    @property
    def sentence(self) -> str | None:
        """Whether it is still getting better, in words.

        None where that says nothing: before the first record, and of a few evaluations by the
        searcher (the last of n is the best with chance 1/n).
        """
        if not self.records or self.searched < ENOUGH:
            return None
        numbers = [point.number for point in self.points if not point.is_random]
        place, total = numbers.index(self.records[-1].number) + 1, len(numbers)
        best = f"The best {self.objective.name} came with evaluation {place:,} of {total:,}"
        if place == total:
            return f"{best}, the last one: it is still getting better."
        # Were later ones neither better nor worse, the best would lie anywhere alike.
        return (
            f"{best}: none of the {total - place:,} since was better (in evaluations that get "
            f"neither better nor worse the best lies that early in {place / total:.0%} of cases)."
        )


def study_course(store: Store, study: str) -> StudyCourse:
    """The course of a study.

    Raises:
        InputError: an unknown study.
    """
    found = store.studies.get(study)
    objectives = stored_objectives(found.objective)
    objective = objectives.objectives[0]
    first = Objectives((objective,), objectives.constraints)
    trials = evaluated_trials(store, study, first)
    is_accuracy = objective.name == "validation_accuracy"
    points = tuple(
        CoursePoint(
            trial.number,
            trial.architecture_id,
            trial.state,
            metrics[objective.name] if metrics else trial.accuracy if is_accuracy else None,
            trial.origin == BASELINE,
        )
        for trial, metrics in trials
    )
    return StudyCourse(
        objective,
        points,
        _records(points, objective),
        random_band(points, objective),
        _comparison(found, trials, objective),
        sum(
            trial.origin != BASELINE and not trial.origin.startswith(PAIRED) for trial, _ in trials
        ),
    )


def comparison(store: Store, study: str) -> BaselineComparison | None:
    """How the searcher of a study compares; None for one that neither wants nor has random points.

    Raises:
        InputError: an unknown study.
    """
    found = store.studies.get(study)
    of_it = exists().where(TrialRow.study_id == found.id, TrialRow.origin == BASELINE)
    # Whether it has any is told without reading, and judging, all its trials.
    has = _wants_baseline(found) or store.read(lambda connection: connection.scalar(select(of_it)))
    return study_course(store, study).comparison if has else None


def _wants_baseline(study: StudyRecord) -> bool:
    return bool(study.config.get("random_baseline", 0.0) > 0)


def _comparison(
    study: StudyRecord,
    trials: Sequence[tuple[TrialRecord, Values | None]],
    objective: Objective,
) -> BaselineComparison | None:
    values: dict[str, list[float | None]] = {BASELINE: [], study.searcher: []}
    for trial, metrics in trials:
        if trial.origin in values:
            values[trial.origin].append(None if metrics is None else metrics[objective.name])
    if not (_wants_baseline(study) or values[BASELINE]):
        return None
    return compared(values[BASELINE], values[study.searcher], objective)


def _records(points: Sequence[CoursePoint], objective: Objective) -> tuple[CoursePoint, ...]:
    found: list[CoursePoint] = []
    best = -inf
    for point in points:
        value = _to_maximise(point, objective)
        if not point.is_random and value > best:
            found.append(point)
            best = value
    return tuple(found)


def _to_maximise(point: CoursePoint, objective: Objective) -> float:
    """The value, higher is better; worse than all for what was pruned."""
    if point.state is not TrialState.COMPLETE or point.value is None:
        return -inf
    return objective.to_maximise({objective.name: point.value})


def random_band(points: Sequence[CoursePoint], objective: Objective) -> RandomBand | None:
    """What random search would have come to; None of fewer random points than a comparison needs.

    Args:
        points: in order of their numbers.
        objective: that they are values of.
    """
    drawn = sorted(_to_maximise(point, objective) for point in points if point.is_random)
    if len(drawn) < ENOUGH or sum(value > -inf for value in drawn) < ENOUGH_COMPLETE:
        return None
    numbers = [point.number for point in points if not point.is_random][: len(drawn)]
    lines = (
        tuple(_best_of(drawn, draws, quantile, objective) for draws in range(1, len(numbers) + 1))
        for quantile in QUANTILES
    )
    return RandomBand(tuple(numbers), *lines)


def _best_of(
    drawn: Sequence[float], draws: int, quantile: float, objective: Objective
) -> float | None:
    """A quantile of the best of so many draws with replacement, in the objective's own sign."""
    share: float = quantile ** (1 / draws)
    place = max(ceil(share * len(drawn) - 1e-9), 1)
    value = drawn[place - 1]
    if value == -inf:
        return None
    return value if objective.direction == "maximise" else -value
