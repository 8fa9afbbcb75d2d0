"""The course of a study, and its band of random search against every draw there is."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from search.objectives import Objective
from search.query import CoursePoint, study_course
from search.query.baseline import ENOUGH
from search.query.study_course import QUANTILES, random_band
from search.store import Store, TrialState, open_store
from tests.support import samples

COMPLETE, PRUNED = TrialState.COMPLETE, TrialState.PRUNED


def points(values: list[float | None], objective: Objective) -> list[CoursePoint]:
    """Random points of these values, None for a pruned one, each behind one of the searcher."""
    found = []
    for place, value in enumerate(values):
        found.append(CoursePoint(2 * place, "a", COMPLETE, 0.5, False))
        state = PRUNED if value is None else COMPLETE
        found.append(CoursePoint(2 * place + 1, "b", state, 0.99 if value is None else value, True))
    return found


@pytest.mark.parametrize("direction", ["maximise", "minimise"])
@pytest.mark.parametrize("pruned", [0, 6])
def test_the_band_is_that_of_all_draws(direction: str, pruned: int) -> None:
    objective = Objective("validation_accuracy", direction)  # type: ignore[arg-type]
    values: list[float | None] = list(np.random.default_rng(2).permutation(10 - pruned) / 10)
    values += [None] * pruned
    band = random_band(points(values, objective), objective)
    assert band is not None
    assert band.numbers == tuple(range(0, 20, 2))
    worst = -math.inf if direction == "maximise" else math.inf
    choose = max if direction == "maximise" else min
    known = [worst if value is None else value for value in values]
    for draws in (1, 2, 3, 4):
        every = [choose(drawn) for drawn in itertools.product(known, repeat=draws)]
        ordered = sorted(every, reverse=direction == "minimise")
        for quantile, line in zip(QUANTILES, (band.worse, band.median, band.better), strict=True):
            wanted = ordered[math.ceil(quantile * len(ordered)) - 1]
            assert line[draws - 1] == (None if wanted == worst else wanted)


@pytest.mark.parametrize("values", [[0.5] * 9, [0.5, 0.5, *[None] * 20]])
def test_too_few_random_points_tell_nothing(values: list[float | None]) -> None:
    assert random_band(points(values, Objective("x")), Objective("x")) is None


@pytest.mark.parametrize(
    ("accuracies", "said"),
    [
        ((*[0.5] * 9, 0.7), "evaluation 10 of 10, the last one: it is still getting better."),
        ((0.5, 0.7, *[0.6] * 8, 0.7), "evaluation 2 of 11: none of the 9 since was better"),
        ((0.9, *[0.5] * 99), "evaluation 1 of 100: none of the 99 since was better"),
    ],
)
def test_whether_it_is_still_getting_better(
    store: Store, accuracies: tuple[float, ...], said: str
) -> None:
    objective = {"objectives": {"validation_accuracy": "maximise"}, "constraints": {}}
    study = samples.add_study(store, "s", objective=objective)
    run = samples.begin_run(store, study.id)
    for number, accuracy in enumerate(accuracies):
        samples.complete_trial(store, study.id, run.id, 2 * number, accuracy)
        beside = {"origin": "random baseline"}  # is none of the searcher's
        samples.complete_trial(store, study.id, run.id, 2 * number + 1, 0.99, **beside)
    sentence = study_course(store, "s").sentence
    assert sentence is not None
    assert said in sentence
    place, total = (int(word.rstrip(":,")) for word in sentence.split()[6:9:2])
    if place < total:
        assert f"in {place / total:.0%} of cases" in sentence


def test_before_its_first_record_nothing_is_said(store: Store) -> None:
    objective = {"objectives": {"validation_accuracy": "maximise"}, "constraints": {}}
    samples.add_study(store, "s", objective=objective)
    assert study_course(store, "s").sentence is None


@pytest.mark.parametrize("origin", ["tpe", "random baseline", "paired: mlp"])
def test_of_few_evaluations_by_the_searcher_nothing_is_said(store: Store, origin: str) -> None:
    objective = {"objectives": {"validation_accuracy": "maximise"}, "constraints": {}}
    study = samples.add_study(store, "s", objective=objective)
    run = samples.begin_run(store, study.id)
    for number in range(30):
        by = {"origin": "tpe" if number < ENOUGH - 1 else origin}
        samples.complete_trial(store, study.id, run.id, number, number / 100, **by)
    assert (study_course(store, "s").sentence is None) == (origin != "tpe")


def filled(store: Store, **objective: object) -> None:
    study = samples.add_study(store, "s", objective=objective)
    run = samples.begin_run(store, study.id)
    for number, accuracy in enumerate((0.5, 0.9, 0.6, 0.8)):
        origin = "random baseline" if number == 1 else "tpe"
        samples.complete_trial(store, study.id, run.id, number, accuracy, origin=origin)
    samples.complete_trial(store, study.id, run.id, 0, 0.95, repeat=1)
    trial = samples.add_trial(store, study.id, run.id, 5)
    store.trials.start(trial.id, run.id)
    store.epochs.record(trial.id, samples.epoch(1, 0.99))
    store.trials.finish(trial.id, "pruned", "why")


def test_the_best_so_far_is_of_complete_trials_of_the_searcher(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        filled(store)
        course = study_course(store, "s")
    assert [(p.number, p.value) for p in course.records] == [(0, 0.5), (2, 0.6), (3, 0.8)]
    assert [(p.number, p.state, p.value) for p in course.points] == [
        *((n, COMPLETE, value) for n, value in enumerate((0.5, 0.9, 0.6, 0.8))),
        (5, PRUNED, 0.99),
    ]
    assert [p.number for p in course.points if p.is_random] == [1]


def test_of_another_objective_a_pruned_trial_has_no_value(tmp_path: Path) -> None:
    wanted = {"params": "minimise"}
    bounds = {"validation_accuracy": {"at_least": 0.55}}
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        filled(store, objectives=wanted, constraints=bounds)
        course = study_course(store, "s")
    assert [p.value for p in course.points if p.state is PRUNED] == [None]
    assert [p.number for p in course.points if p.state is COMPLETE] == [1, 2, 3]
    searched = [p for p in course.points if p.value is not None and not p.is_random]
    lowest = [p for i, p in enumerate(searched) if all(p.value < q.value for q in searched[:i])]  # type: ignore[operator]
    assert list(course.records) == lowest
