"""Search, validation and test of the networks of a study, side by side."""

import pytest

from search.query import compare_splits, figures_of_tests
from search.store import Store
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial


def with_readings(store: Store, accuracies: list[list[float]]) -> None:
    """Networks with the accuracies of their trainings on the test; on validation all are alike."""
    study = add_study(store, "s", protocol_hash="p")
    run = begin_run(store, study.id)
    for number, seeds in enumerate(accuracies):
        for repeat, accuracy in enumerate(seeds):
            seed = {"initialisation": repeat, "data_order": 0}
            trial = complete_trial(store, study.id, run.id, number, 0.5, repeat=repeat, seeds=seed)
            reading = store.test_audit.begin(
                trial.id, protocol_hash="p", images=100, chance=0.1, content_hash="c", device="cpu"
            )
            store.test_audit.complete(reading.id, accuracy)


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
    assert {row.test_tie for row in compare_splits(store, "s").rows} == ties


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
