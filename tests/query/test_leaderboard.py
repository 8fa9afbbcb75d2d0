import itertools
import random
from pathlib import Path

import pytest

from search.query import SORT_KEYS, best
from search.query.leaderboard import MAX_TOP
from search.store import Store, TrialState, open_store
from space.errors import InputError
from tests.support.samples import (
    add_study,
    add_trial,
    architecture,
    begin_run,
    complete_trial,
    epoch,
)
from tests.support.stores import copy_rows
from tests.support.thorough import thorough_but_every


@pytest.fixture(scope="module")
def two_studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("two") / "store.db"
    with open_store(str(file), create=True) as store:
        fill(store)
    return file


@pytest.fixture
def filled(store: Store, two_studies: Path) -> Store:
    copy_rows(two_studies, store)
    return store


def fill(store: Store) -> None:
    for name, better in (("first", 0), ("second", 2)):
        study = add_study(store, name)
        run = begin_run(store, study.id)
        for number, accuracy in enumerate((0.5, 0.8, 0.6, None)):
            better_by = 0.05 * better if number == 2 else 0
            complete_trial(
                store, study.id, run.id, number, None if accuracy is None else accuracy + better_by
            )
        failed = add_trial(store, study.id, run.id, 9)
        store.trials.start(failed.id, run.id)
        store.epochs.record(failed.id, epoch(1, 0.99))
        store.trials.finish(failed.id, "failed", "train loss is nan")


def test_one_row_per_architecture_with_its_best_trial(filled: Store) -> None:
    rows = best(filled)
    assert [row.accuracy for row in rows] == [0.8, pytest.approx(0.65), 0.5, None]
    assert [row.study for row in rows] == ["first", "second", "first", "first"]
    row = rows[1]
    wanted = architecture(2)
    assert row.architecture_id == wanted.id
    assert (row.params, row.macs, row.epochs, row.seconds) == (3000, 30_000, 1, 1.0)
    assert row.plain()["flops"] == row.plain()["macs"] == 30_000
    assert (row.trial, row.state, row.protocol_hash) == (2, TrialState.COMPLETE, "0123456789abcdef")
    assert row.names == tuple(wanted.name.split(" + "))


def test_what_a_dead_driver_left_is_preempted(filled: Store) -> None:
    study = filled.studies.get("second")
    run = begin_run(filled, study.id, start_ticks=1)
    left = add_trial(filled, study.id, run.id, 50)
    (row,) = best(filled, where="state = preempted", study="second")
    assert (row.trial_id, row.state) == (left.id, TrialState.PREEMPTED)
    assert best(filled, where="state in (waiting, running)", study="second") == []
    assert filled.trials.get(left.id).state is TrialState.WAITING


def test_state_is_open_to_where(filled: Store) -> None:
    (row,) = best(filled, where="state = failed", study="second")
    assert (row.accuracy, row.state) == (0.99, TrialState.FAILED)


def test_study_and_top(filled: Store) -> None:
    rows = best(filled, study="first", top=2)
    assert [(row.study, row.trial) for row in rows] == [("first", 1), ("first", 2)]
    assert len(best(filled, top=None)) == 4


def test_one_architecture(filled: Store) -> None:
    for row in best(filled, top=None):
        assert best(filled, architecture=row.architecture_id) == [row]
    assert best(filled, architecture=architecture(9).id) == []


@pytest.mark.parametrize("key", SORT_KEYS)
@pytest.mark.parametrize("sign", ["", "-"])
def test_sorting(filled: Store, key: str, sign: str) -> None:
    rows = best(filled, sort=sign + key, top=None)
    names = {"flops": "macs", "validation_accuracy": "accuracy"}
    values = [getattr(row, names.get(key, key)) for row in rows]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=sign == "-")
    assert values[len(known) :] == [None] * (len(values) - len(known))


def test_ties_go_by_params_then_id(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    for number in (5, 3, 4, 1):
        complete_trial(store, study.id, run.id, number, 0.5)
    assert [row.params for row in best(store)] == [2000, 4000, 5000, 6000]


ACCURACIES = (None, 0.1, 0.2, 0.3, 0.3, 0.4, 0.7)


def fill_at_random(store: Store, seed: int) -> None:
    """Three studies of one protocol that share architectures, with repeats and ties."""
    rng = random.Random(seed)
    for name in ("first", "second", "third"):
        study = add_study(store, name)
        run = begin_run(store, study.id)
        for number in rng.sample(range(30), 14):
            for repeat in range(rng.choice((1, 1, 1, 3))):
                seeds = {"initialisation": rng.randrange(2), "data_order": repeat}
                trial = add_trial(store, study.id, run.id, number, repeat=repeat, seeds=seeds)
                store.trials.start(trial.id, run.id)
                store.epochs.record(trial.id, epoch(1, rng.choice(ACCURACIES)))
                if rng.random() < 0.8:
                    store.trials.finish(trial.id, "complete")
                else:
                    store.trials.finish(trial.id, "pruned", "why")


@pytest.mark.parametrize("seed", thorough_but_every(6, range(6)))
def test_the_first_rows_are_the_first_of_all_rows(store: Store, seed: int) -> None:
    """Few rows are read by an index; all rows are not."""
    fill_at_random(store, seed)
    clauses = (None, "params < 15k", "accuracy < 0.35", "study in (first, third)", "state = pruned")
    for study, where in itertools.product((None, "second"), clauses):
        every = best(store, study=study, where=where, top=None)
        assert len({row.architecture_id for row in every}) == len(every)
        for top in (1, 2, 3, 5, 8, 13, 40):
            assert best(store, study=study, where=where, top=top) == every[:top]


def test_all_that_is_wrong_is_said_at_once(filled: Store) -> None:
    with pytest.raises(InputError) as caught:
        best(filled, where="params <", study="frist", sort="-loss", top=0)
    assert [problem.where for problem in caught.value.problems] == [
        "sort",
        "where",
        "study",
        "top",
    ]
    assert "did you mean 'first'" in str(caught.value)


@pytest.mark.parametrize("top", [0, -1, MAX_TOP + 1, 10**20])
def test_top_has_bounds(store: Store, top: int) -> None:
    with pytest.raises(InputError, match=f"top: {top} is not allowed; must be 1 to {MAX_TOP}"):
        best(store, top=top)
    assert best(store, top=MAX_TOP) == []


def test_an_empty_store_has_no_best(store: Store) -> None:
    assert best(store) == []
    assert best(store, where="any dynamics = attention") == []
