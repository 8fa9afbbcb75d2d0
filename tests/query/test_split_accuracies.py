"""Search, validation and test of the networks of a study, side by side."""

import statistics
from dataclasses import asdict
from typing import Any

import pytest
from sqlalchemy import update

from search.query import Figures, SplitAccuracies, compare_splits, figures_of_tests
from search.query.intervals import wilson_interval
from search.query.split_accuracies import TestFigures as Tested
from search.store import Store, StudyRecord
from search.store.models import TestReadingRow
from space.errors import InputError
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial

LAST = {"epochs": 2, "judged_by": "last"}
LUCKY = (
    " by validation is a lucky one: it is optimistic, until `retrain` trains it anew and `test` "
    "reads the test split."
)
BEST = "Validation accuracies are of the best epoch of each training: optimistic."
ONE_EACH = "One training each: nothing is known of the spread over seeds."
INTERVAL = (
    "± is the standard deviation over seeds. The interval of a test accuracy is that of 95 % for "
    "the number of its images (Wilson); the seeds are not in it."
)
TEN = "Guessing the commonest class scores 10.00% of the 100 test images."
WINNER = "Take the winner by validation: the highest of several test accuracies is optimistic."
TIE = "What stands behind = is a tie with the first on the test, at the 5 % level."


def add_trainings(
    store: Store, study: StudyRecord, accuracies: list[list[float | None]], **changes: Any
) -> list[int]:
    """Networks with the validation accuracies of their trainings; the ids of the trials."""
    run = begin_run(store, study.id)
    return [
        complete_trial(
            store,
            study.id,
            run.id,
            number,
            accuracy,
            repeat=repeat,
            seeds={"initialisation": repeat, "data_order": 0},
            **changes,
        ).id
        for number, seeds in enumerate(accuracies)
        for repeat, accuracy in enumerate(seeds)
    ]


def read_test(store: Store, trial_id: int, accuracy: float | None, **changes: Any) -> None:
    """A reading of the test; one that broke off without an accuracy."""
    values: dict[str, Any] = {"images": 100, "chance": 0.1, "content_hash": "c", "device": "cpu"}
    reading = store.test_audit.begin(trial_id, protocol_hash="p", again=True, **values | changes)
    if accuracy is not None:
        store.test_audit.complete(reading.id, accuracy)


def with_readings(store: Store, accuracies: list[list[float]]) -> None:
    """Networks with the accuracies of their trainings on the test; on validation all are alike."""
    study = add_study(store, "s", protocol=LAST, protocol_hash="p")
    ids = add_trainings(store, study, [[0.5] * len(seeds) for seeds in accuracies])
    for id_, accuracy in zip(ids, [each for seeds in accuracies for each in seeds], strict=True):
        read_test(store, id_, accuracy)


# --- the figures ----------------------------------------------------------------------------------


def test_a_retraining_stands_beside_its_search_and_the_test(store: Store) -> None:
    search = add_study(store, "search", protocol=LAST)
    add_trainings(store, search, [[0.5], [0.7], [0.6], [None], [0.4]])
    full = add_study(store, "full", protocol=LAST, protocol_hash="p")
    store.studies.set_retrains(full.id, {"study": "search"})
    first, second, *_ = add_trainings(store, full, [[0.8, 0.84], [0.9], [None], [0.1]])
    read_test(store, first, 0.7)
    read_test(store, second, 0.74, images=90)  # the smaller number counts
    found = compare_splits(store, "full", [architecture(number).id for number in range(3)])
    assert (found.study, found.search, found.candidates) == ("full", "search", 5)
    one, other = found.rows
    assert other == SplitAccuracies(
        architecture(0).id,
        architecture(0).name,
        params=1000,
        macs=10_000,
        search=Figures(0.5, None, 1),
        search_epochs=1,
        validation=Figures(pytest.approx(0.82), pytest.approx(0.04 / 2**0.5), 2),  # type: ignore[arg-type]
        epochs=1,
        test=Tested(
            Figures(pytest.approx(0.72), pytest.approx(0.04 / 2**0.5), 2),  # type: ignore[arg-type]
            *wilson_interval(0.72, 90),
            images=90,
            chance=0.1,
            readings=2,
        ),
        test_tie=None,
    )
    assert other.is_tested
    assert (one.architecture_id, one.validation.mean, one.test) == (architecture(1).id, 0.9, None)
    assert one.search is not None
    assert (one.search.mean, one.is_tested) == (0.7, False)
    assert found.plain() == asdict(found)
    assert one.plain() == asdict(one)
    assert found.notes == (
        "The accuracies of the search 'search' chose these networks among 5: they are optimistic. "
        "The full trainings are none of the search's and have seeds of their own, but the "
        "validation images are those that chose: only the test is unbiased.",
        INTERVAL,
        "Guessing the commonest class scores 10.00% of the 90 test images.",
    )


def test_a_network_is_tested_where_each_of_its_trainings_is(store: Store) -> None:
    study = add_study(store, "s", protocol=LAST, protocol_hash="p")
    first, second = add_trainings(store, study, [[0.5, 0.6]])
    read_test(store, first, 0.4)
    read_test(store, second, None)
    (row,) = compare_splits(store, "s").rows
    assert row.test is not None
    assert (row.is_tested, row.test.accuracy.trainings, row.test.readings) == (False, 1, 2)
    read_test(store, second, 0.6)
    (row,) = compare_splits(store, "s").rows
    assert row.test is not None
    assert (row.is_tested, row.test.accuracy.trainings, row.test.readings) == (True, 2, 3)


@pytest.mark.parametrize("unknown", [0, 1])
def test_nothing_is_told_where_a_number_of_images_is_not_known(store: Store, unknown: int) -> None:
    with_readings(store, [[0.5, 0.6]])
    reading = store.test_audit.readings()[unknown].id
    missing = update(TestReadingRow).where(TestReadingRow.id == reading).values(images=None)
    store.write(lambda connection: connection.execute(missing))
    found = compare_splits(store, "s")
    assert [row.test for row in found.rows] == [None]
    assert found.notes == ()
    assert figures_of_tests(store) == {}


def test_equal_networks_stand_by_their_size_and_a_lost_search_is_none(store: Store) -> None:
    study = add_study(store, "s", protocol=LAST)
    store.studies.set_retrains(study.id, {"study": "deleted"})
    add_trainings(store, study, [[0.5], [0.6], [0.5], [0.7]])
    found = compare_splits(store, "s")
    assert [row.params for row in found.rows] == [4000, 2000, 1000, 3000]
    assert (found.search, found.candidates) == (None, 4)
    assert {(row.search, row.search_epochs) for row in found.rows} == {(None, None)}
    assert found.notes == (f"The best of 4 networks{LUCKY}", ONE_EACH)
    with pytest.raises(InputError, match="'lost' does not exist"):
        compare_splits(store, "lost")


@pytest.mark.parametrize(
    ("accuracies", "ties"),
    [
        ([[0.5], [0.5]], {None}),  # of one training each the spread is not known
        ([[0.50, 0.52], [0.51, 0.53]], {None, True}),
        ([[0.50, 0.501], [0.80, 0.801]], {None, False}),
    ],
)
def test_ties_on_the_test_are_told_where_the_spread_is_known(
    store: Store, accuracies: list[list[float]], ties: set[bool | None]
) -> None:
    with_readings(store, accuracies)
    found = compare_splits(store, "s")
    assert {row.test_tie for row in found.rows} == ties
    assert (TIE in found.notes) is (True in ties)
    assert WINNER in found.notes


def test_the_first_that_was_tested_is_what_the_others_are_held_to(store: Store) -> None:
    study = add_study(store, "s", protocol=LAST, protocol_hash="p")
    ids = add_trainings(store, study, [[0.9], [0.8, 0.8], [0.7, 0.7], [0.6, 0.6]])
    tests = (0.5, 0.52, 0.53, 0.55, 0.9, 0.92)
    for id_, accuracy in zip(ids[1:], tests, strict=True):
        read_test(store, id_, accuracy)
    rows = compare_splits(store, "s").rows
    assert [row.test_tie for row in rows] == [None, None, True, False]


# --- the sentences --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accuracies", "notes"),
    [
        ([[0.5]], [ONE_EACH]),
        ([[0.5, 0.6]], []),
        ([[0.5], [0.6]], [f"The best of 2 networks{LUCKY}", ONE_EACH]),
        ([[0.5], [0.6, 0.7]], [f"The best of 2 networks{LUCKY}"]),
        ([[0.5], [0.6], [None]], [f"The best of 3 networks{LUCKY}", ONE_EACH]),
    ],
)
@pytest.mark.parametrize("rule", ["last", "best"])
def test_a_search_is_told_to_be_optimistic(
    store: Store, accuracies: list[list[float | None]], notes: list[str], rule: str
) -> None:
    study = add_study(store, "s", protocol={"epochs": 2, "judged_by": rule})
    add_trainings(store, study, accuracies)
    lucky = [note for note in notes if note.endswith(LUCKY)]
    told = [*lucky, *([BEST] if rule == "best" else []), *notes[len(lucky) :]]
    assert compare_splits(store, "s").notes == tuple(told)


def test_the_notes_on_tests_say_what_is_read_and_how_often(store: Store) -> None:
    with_readings(store, [[0.5]])
    assert compare_splits(store, "s").notes == (ONE_EACH, INTERVAL, TEN)
    (trial,) = store.trials.of_study(store.studies.get("s").id)
    read_test(store, trial.id, 0.6)
    assert compare_splits(store, "s").notes == (
        ONE_EACH,
        INTERVAL,
        TEN,
        "The test was read 2 times for 1 training; of each the first completed reading counts.",
    )


def test_each_set_of_test_images_has_its_chance(store: Store) -> None:
    study = add_study(store, "s", protocol=LAST, protocol_hash="p")
    ids = add_trainings(store, study, [[0.5], [0.6], [0.7], [0.8]])
    for id_, chance, images in zip(ids, (0.25, None, 0.1, 0.1), (1, 50, 1200, 1200), strict=True):
        read_test(store, id_, 0.5, chance=chance, images=images)
    assert compare_splits(store, "s").notes == (
        f"The best of 4 networks{LUCKY}",
        ONE_EACH,
        INTERVAL,
        "Guessing the commonest class scores 10.00% of the 1,200 test images.",
        "Guessing the commonest class scores 25.00% of the 1 test image.",
        WINNER,
    )


# --- the figures of tests alone -------------------------------------------------------------------


def test_figures_of_tests_are_of_each_protocol(store: Store) -> None:
    with_readings(store, [[0.5, 0.6], [0.7]])
    other = add_study(store, "other", protocol=LAST, protocol_hash="q")
    (id_,) = add_trainings(store, other, [[0.5]])
    read_test(store, id_, 0.9)
    add_trainings(store, add_study(store, "untested", protocol_hash="r"), [[0.5]])
    one, two = architecture(0).id, architecture(1).id
    found = figures_of_tests(store)
    assert {key: each.accuracy.mean for key, each in found.items()} == {
        (one, "p"): pytest.approx(statistics.fmean((0.5, 0.6))),
        (two, "p"): 0.7,
        (one, "q"): 0.9,
    }
    assert figures_of_tests(store, "other") == {(one, "q"): found[one, "q"]}
    assert figures_of_tests(store, "untested") == {}
    with pytest.raises(InputError, match="'lost' does not exist"):
        figures_of_tests(store, "lost")


def test_what_was_taken_over_is_tested_once(store: Store) -> None:
    with_readings(store, [[0.5]])
    (source,) = store.trials.of_study(store.studies.get("s").id)
    other = add_study(store, "other", protocol_hash="p")
    run = begin_run(store, other.id)
    taken = add_trial(store, other.id, run.id, 0, seeds=source.seeds)
    assert store.results.reuse(taken.id, source.id, run.id)
    key = (architecture(0).id, "p")
    for study in (None, "s", "other"):
        assert figures_of_tests(store, study)[key].accuracy.trainings == 1
