"""The order of the best, one for searchers, repeats, warm starts and continued trials."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.config import Config
from search.driver.extra_trials import ranked_trials
from search.driver.replay import networks_of, study_of_history
from search.driver.study_setup import task_of
from search.objectives import best_first, objectives_from
from search.searchers import Observation, Task
from search.searchers.ranked_history import History, HistoryWindow, RankedPoint, Ranking
from search.store import StudyHistory, open_store
from search.study import Study
from search.testing.toy_spaces import Point, ToySpace
from search.trial_states import TrialState
from space import Architecture
from tests.search.driving import begin, train
from tests.search.small import config

Row = tuple[float, ...]
OBJECTIVES = {"validation_accuracy": "maximise", "macs": "minimise"}


def slow_order(rows: Sequence[Row], off: Sequence[float]) -> list[int]:
    """Deb's rule and NSGA-II's crowding, written down once more and without arrays."""

    def better(one: int, other: int) -> bool:
        if off[one] > 0 or off[other] > 0:
            return off[one] < off[other]
        pairs = list(zip(rows[one], rows[other], strict=True))
        return all(a >= b for a, b in pairs) and any(a > b for a, b in pairs)

    left, order = set(range(len(rows))), []
    while left:
        front = sorted(i for i in left if not any(better(j, i) for j in left))
        order += sorted(front, key=lambda i: (-_crowding(i, [rows[j] for j in front], rows[i]), i))
        left -= set(front)
    return order


def _crowding(index: int, front: Sequence[Row], row: Row) -> float:
    """How far its neighbours in a front without ties are, objective by objective."""
    if len(row) == 1:
        return 0.0
    total = 0.0
    for values, own in zip(zip(*front, strict=True), row, strict=True):
        sorted_values = sorted(values)
        place = sorted_values.index(own)
        if place in (0, len(sorted_values) - 1):
            return float("inf")
        spread = sorted_values[-1] - sorted_values[0]
        total += (sorted_values[place + 1] - sorted_values[place - 1]) / spread
    return total


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 24))
def test_it_is_the_slow_order(seed: int, width: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.permuted(np.tile(np.arange(count, dtype=float), (width, 1)), axis=1).T
    off = np.where(rng.random(count) < 0.2, np.arange(1, count + 1) / 10, 0.0)
    expected = slow_order([tuple(row) for row in rows.tolist()], off.tolist())
    assert best_first(rows, off).tolist() == expected
    for most in (1, count // 2):
        feasible = int((off <= 0).sum())
        assert best_first(rows, off, most).tolist()[:feasible] == expected[: min(most, feasible)]


def test_among_equals_the_first_comes_first() -> None:
    assert best_first([[1.0], [2.0], [2.0], [2.0], [1.0]]).tolist() == [1, 2, 3, 0, 4]


@pytest.fixture(scope="module")
def accuracies() -> list[float]:
    return np.random.default_rng(3).permutation(np.linspace(0.3, 0.9, 14)).round(4).tolist()


def played(
    settings: Config, accuracies: Sequence[float]
) -> tuple[StudyHistory, Study[Architecture]]:
    """A study of complete trials with these accuracies, as the store has it and as it is read."""
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        for accuracy in accuracies:
            assignment = session.next_assignment()
            assert assignment is not None
            train(session, assignment, [accuracy])
        history = store.studies.history(store.studies.get(settings.study).id)
    return history, study_of_history(history, networks_of(history), task_of(settings), "last")


def test_a_study_of_two_objectives_is_ranked_front_by_front_and_within_each_by_its_own_gaps(
    accuracies: list[float], tmp_path: Path
) -> None:
    """Distances over all fronts together would put the crowded before the lonely."""
    settings = config(
        tmp_path, trials=len(accuracies), objectives=OBJECTIVES, searcher={"name": "random"}
    )
    history, heard = played(settings, accuracies)
    order = ranked_trials(heard)
    macs = {name: float(network.macs) for name, network in history.networks.items()}
    rows = [(t.accuracy or 0.0, -macs[t.architecture_id]) for t in history.trials]
    assert len(set(macs.values())) == len(rows), "ties would have no one order"
    expected = slow_order(rows, [0.0] * len(rows))
    assert [trial.number for trial in order] == expected


def test_what_breaks_a_bound_stands_behind_what_keeps_it_the_less_the_nearer(
    accuracies: list[float], tmp_path: Path
) -> None:
    bound = {"validation_accuracy": {"at_most": 0.6}}
    settings = config(
        tmp_path, trials=len(accuracies), constraints=bound, searcher={"name": "random"}
    )
    _, heard = played(settings, accuracies)
    ranked = [heard.values(trial)["validation_accuracy"] for trial in ranked_trials(heard)]
    kept = sorted((a for a in accuracies if a <= 0.6), reverse=True)
    assert ranked == [*kept, *sorted(a for a in accuracies if a > 0.6)]


def test_searchers_have_the_same_order() -> None:
    """Whether they were told in that order or not."""
    rng = np.random.default_rng(5)
    points = ToySpace().points()
    rows = rng.permuted(np.tile(np.arange(len(points), dtype=float), (2, 1)), axis=1).T.tolist()
    task: Task[Point] = Task(ToySpace(), objectives_from({"a": "maximise", "b": "maximise"}))
    entries = [
        RankedPoint(
            number, point, Observation(TrialState.COMPLETE, dict(zip("ab", row, strict=True)))
        )
        for number, (point, row) in enumerate(zip(points, rows, strict=True))
    ]
    expected = slow_order(rows, [0.0] * len(rows))
    assert [entry.number for entry in Ranking(task, entries[::-1]).best_first()] == expected
    window = HistoryWindow(task, 4 * len(rows))
    for entry in entries:
        window.tell(entry)
    assert window.best(len(rows)) == [points[index] for index in expected]


def test_a_point_keeps_its_place_however_often_it_is_told() -> None:
    space = ToySpace()
    history = History(Task(space))
    first, second = space.points()[:2]
    running, ended = Observation(TrialState.RUNNING), Observation(TrialState.FAILED)
    told = [(first, running), (second, running), (first, ended), (first, ended), (second, ended)]
    assert [history.tell(*each).number for each in told] == [0, 1, 0, 0, 1]
    assert [(entry.point, entry.observation) for entry in history] == [
        (first, ended),
        (second, ended),
    ]
    assert history.ended == 2
