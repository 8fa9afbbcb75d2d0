"""How much a front covers, against counted points of the box."""

from typing import Any

import numpy as np
import pytest

from search.objectives import Objective, Objectives
from search.query import hypervolume_course
from search.query.hypervolume_course import (
    HypervolumeCourse,
    HypervolumePoint,
    _growth,
    _Scale,
)
from search.store import Store
from space.errors import InputError
from tests.support import samples

WANTED = {"validation_accuracy": "maximise", "params": "minimise"}
BOTH = Objectives((Objective("validation_accuracy", "maximise"), Objective("params", "minimise")))


def study_of(store: Store, accuracies: list[float | None], **more: Any) -> str:
    """A study whose trials get larger; None is pruned."""
    study = samples.add_study(store, "s", objective={"objectives": WANTED} | more)
    run = samples.begin_run(store, study.id)
    for number, accuracy in enumerate(accuracies):
        if accuracy is not None:
            samples.complete_trial(store, study.id, run.id, number, accuracy)
            continue
        trial = samples.add_trial(store, study.id, run.id, number)
        store.trials.start(trial.id, run.id)
        store.trials.finish(trial.id, "pruned", "why")
    return "s"


def counted(vectors: np.ndarray, points: int = 150_000) -> float:
    """The share of random points of the box that some vector dominates."""
    rng = np.random.default_rng(0)
    drawn = rng.uniform(-0.1, 1.0, (points, vectors.shape[1]))
    covered = np.zeros(points, bool)
    for vector in vectors:
        covered |= (drawn <= vector).all(1)
    return float(covered.mean())


@pytest.mark.parametrize("objectives", [2, 3])
def test_the_share_is_that_of_the_box(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    vectors = rng.uniform(size=(30, objectives))
    found = list(_growth([(n, "a", v) for n, v in enumerate(vectors)]))
    shares = [point.share for point in found]
    assert shares == sorted(shares)
    for point in found:
        assert point.share == pytest.approx(counted(vectors[: point.evaluation]), abs=7e-3)
    moved = {point.number for point in found}
    for number in set(range(30)) - moved:
        assert (vectors[:number] >= vectors[number]).all(1).any()


def test_a_network_that_is_the_best_in_everything_covers_all() -> None:
    found = list(_growth([(0, "a", np.array([0.5, 0.0])), (1, "b", np.array([1.0, 1.0]))]))
    assert found[-1].share == pytest.approx(1.0)
    assert found[0].share == pytest.approx(0.6 * 0.1 / 1.1**2)


def test_costs_count_by_their_logarithm_and_lower_is_better() -> None:
    results = [(0.5, 1e3), (0.6, 1e4), (0.9, 1e5)]
    known = [{"validation_accuracy": a, "params": p} for a, p in results]
    scale = _Scale(BOTH, known)
    assert scale.placed(known).tolist() == [
        pytest.approx([0.0, 1.0]),
        pytest.approx([0.25, 0.5]),
        pytest.approx([1.0, 0.0]),
    ]
    assert scale.ends(known) == (
        {"validation_accuracy": 0.5, "params": 1e5},
        {"validation_accuracy": 0.9, "params": 1e3},
    )


def test_an_objective_in_which_all_are_equal_tells_nothing() -> None:
    known = [{"validation_accuracy": a, "params": 5.0} for a in (0.5, 0.6)]
    assert _Scale(BOTH, known).placed(known)[:, 1].tolist() == [1.0, 1.0]


def test_pruned_trials_are_evaluations_and_move_nothing(store: Store) -> None:
    accuracies = [0.4, None, 0.5, 0.45, None, *[0.3] * 5]
    course = hypervolume_course(store, study_of(store, accuracies))
    assert course is not None
    assert course.evaluations == 10
    assert {point.number for point in course.searched} <= {0, 2, 3}
    assert course.searched[0].evaluation == 1
    assert course.random == ()
    assert course.worst["validation_accuracy"] == 0.3
    assert course.best["validation_accuracy"] == 0.5
    last = course.searched[-1].evaluation
    assert f"since evaluation {last} of 10: none of the {10 - last} since" in str(course.sentence)


@pytest.mark.parametrize("accuracies", [[0.4, 0.5, 0.6], [0.5] * 12])
def test_of_few_evaluations_or_equal_results_nothing_is_said(
    store: Store, accuracies: list[float | None]
) -> None:
    course = hypervolume_course(store, study_of(store, accuracies))
    assert course is not None
    assert not course.tells
    assert course.sentence is None


def test_one_objective_has_none_and_neither_has_a_study_without_results(store: Store) -> None:
    samples.add_study(store, "one")
    assert hypervolume_course(store, "one") is None
    assert hypervolume_course(store, study_of(store, [None])) is None
    with pytest.raises(InputError, match="nobody"):
        hypervolume_course(store, "nobody")


@pytest.mark.parametrize(
    ("evaluation", "since"),
    [
        (2000, "2,000 of 2,000: the last one."),
        (1999, "1,999 of 2,000: none of the 1 since has moved the front."),
        (500, "500 of 2,000: none of the 1,500 since has moved the front."),
    ],
)
def test_what_is_covered_is_said_word_by_word(evaluation: int, since: str) -> None:
    points = (HypervolumePoint(1, 0, "a", 0.1), HypervolumePoint(evaluation, 7, "b", 0.4321))
    ends = {"validation_accuracy": 0.3, "params": 9.0}, {"validation_accuracy": 0.5, "params": 1.0}
    found = HypervolumeCourse(BOTH, *ends, points, 2000, (), 0)
    assert found.sentence == (
        "The front covers 43.2% of the box from a tenth of the range below the worst to the best "
        f"results of this study, since evaluation {since}"
    )
