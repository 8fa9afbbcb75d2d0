"""One rule for the metrics of an architecture, whoever asks: `best`, the front, the bounds."""

import pytest

from search.objective_parsing import stored_objectives
from search.objectives import ACCURACY
from search.query import best, evaluated, front, study_objectives
from search.query.evaluated import Evaluated, evaluated_trials
from search.store import ParentRecord, Store
from space.cost import cost
from tests.support.samples import add_study, add_trial, architecture, begin_run, epoch

BOTH = ("validation_accuracy", "validation_loss")
OBJECTIVES = {
    "objectives": {"validation_accuracy": "maximise", "validation_loss": "minimise"},
    "constraints": {"validation_loss": 0.45},
}
SCRATCH, INHERITED, REUSED, ONCE = (architecture(number).id for number in range(4))


class Book:
    """A study and its run, to write trainings down in."""

    def __init__(self, store: Store, name: str) -> None:
        self.store = store
        self.study = add_study(store, name, protocol_hash="p", objective=OBJECTIVES)
        self.run = begin_run(store, self.study.id)

    def train(self, number: int, accuracy: float, loss: float | None, **changes: object) -> int:
        """A complete trial whose first epoch is worse than its second."""
        trial = add_trial(self.store, self.study.id, self.run.id, number, **changes)
        self.store.trials.start(trial.id, self.run.id)
        for number, worse in ((1, 0.1), (2, 0.0)):
            there = None if loss is None else loss + worse
            self.store.epochs.record(
                trial.id, epoch(number, accuracy - worse, validation_loss=there)
            )
        self.store.trials.finish(trial.id, "complete")
        return trial.id


@pytest.fixture
def filled(store: Store) -> Store:
    """Study "s": scratch repeats, an inherited trial beside a scratch one, a reused one repeated.

    The inherited trials have metrics that an average would be spoilt by. The source of the reused
    one is in another study; one architecture is trained once.
    """
    elsewhere, mine = Book(store, "elsewhere"), Book(store, "s")
    source = elsewhere.train(2, 0.75, 0.5)
    for repeat, (accuracy, loss) in enumerate(((0.5, 0.4), (0.7, 0.6))):
        mine.train(0, accuracy, loss, repeat=repeat)
    parent = mine.train(3, 0.55, 0.7)
    mine.train(0, 0.99, 0.01, repeat=2, parent=ParentRecord(parent, "along"))
    mine.train(1, 0.3, 0.9)
    mine.train(1, 0.8, 0.3, repeat=1, parent=ParentRecord(parent, "along"))
    copy = add_trial(store, mine.study.id, mine.run.id, 2)
    assert store.results.reuse(copy.id, source, mine.run.id)
    mine.train(2, 0.65, 0.2, repeat=1)
    pruned = add_trial(store, mine.study.id, mine.run.id, 0, repeat=3)
    store.epochs.record(pruned.id, epoch(1, 0.98, validation_loss=0.02))
    store.trials.finish(pruned.id, "pruned", "rung")
    return store


def by_id(rows: list[Evaluated]) -> dict[str, tuple[float, float, int]]:
    return {
        row.architecture_id: (*(row.values.get(name, -1.0) for name in BOTH), row.repeats)
        for row in rows
    }


def test_repeats_have_their_mean_and_all_else_its_best_trial(filled: Store) -> None:
    found = by_id(evaluated(filled, "s", BOTH))
    assert found[SCRATCH] == (pytest.approx(0.6), pytest.approx(0.5), 2)
    assert found[INHERITED] == (0.8, 0.3, 1)
    assert found[REUSED] == (pytest.approx(0.7), pytest.approx(0.35), 2)
    assert found[ONCE] == (0.55, 0.7, 1)
    assert list(found) == [INHERITED, REUSED, SCRATCH, ONCE]


def test_it_is_what_the_leaderboard_ranks_by(filled: Store) -> None:
    rows = best(filled, where="state = complete", study="s", top=None)
    wanted = [(row.architecture_id, row.accuracy, row.repeats) for row in rows]
    found = evaluated(filled, "s", ())
    assert wanted == [
        (row.architecture_id, row.values["validation_accuracy"], row.repeats) for row in found
    ]


def test_front_and_bounds_judge_by_the_same_metric(filled: Store) -> None:
    objectives = stored_objectives(OBJECTIVES)
    metrics = by_id(evaluated(filled, "s", BOTH))
    assert by_id(front(filled, "s", objectives)) == {INHERITED: metrics[INHERITED]}
    unbound = stored_objectives(
        {"objectives": {"validation_accuracy": "maximise", "macs": "minimise"}}
    )
    for row in front(filled, "s", unbound):
        assert (*(row.values[name] for name in BOTH), row.repeats) == metrics[row.architecture_id]
    kept = {id_: loss <= 0.45 for id_, (_, loss, _) in metrics.items()}
    assert study_objectives(filled, "s").kept == kept == {
        INHERITED: True, REUSED: True, SCRATCH: False, ONCE: False
    }  # fmt: skip


def test_a_clause_chooses_among_the_complete_trials(filled: Store) -> None:
    scratch = by_id(evaluated(filled, "s", BOTH, where="accuracy < 0.4 or epochs < 2"))
    assert scratch == {INHERITED: (0.3, 0.9, 1)}
    assert evaluated(filled, "s", BOTH, where="state = pruned") == []


def test_trainings_with_equal_seeds_count_once(store: Store) -> None:
    book = Book(store, "s")
    same = {"initialisation": 7, "data_order": 7}
    book.train(0, 0.5, 0.4, seeds=same)
    book.train(0, 0.9, 0.1, seeds=same, repeat=1)
    assert by_id(evaluated(store, "s", BOTH)) == {SCRATCH: (0.9, 0.1, 1)}
    book.train(0, 0.7, 0.8, repeat=2)
    found = by_id(evaluated(store, "s", BOTH))
    assert found == {SCRATCH: (pytest.approx(0.6), pytest.approx(0.6), 2)}


def test_a_loss_that_one_of_the_repeats_lacks_is_not_there(store: Store) -> None:
    book = Book(store, "s")
    book.train(0, 0.5, 0.4)
    book.train(0, 0.7, None, repeat=1)
    (row,) = evaluated(store, "s", BOTH)
    assert set(row.values) == {"validation_accuracy"}


def test_what_broke_off_was_not_evaluated_whatever_it_had_reported(store: Store) -> None:
    study = add_study(store, "s")
    run = begin_run(store, study.id)
    for number, state in enumerate(("complete", "failed", "pruned", "infeasible")):
        trial = add_trial(store, study.id, run.id, number)
        store.epochs.record(trial.id, epoch(1, 0.5))
        store.trials.finish(trial.id, state, "for a reason")
    found = evaluated_trials(store, "s", ACCURACY)
    assert [(trial.number, values) for trial, values in found] == [
        (0, {"validation_accuracy": 0.5}),
        (2, None),
    ]


def test_costs_follow_from_the_architecture(filled: Store) -> None:
    for row in evaluated(filled, "s", ("macs", "params")):
        number = [SCRATCH, INHERITED, REUSED, ONCE].index(row.architecture_id)
        price = cost(architecture(number))
        assert (row.values["macs"], row.values["params"]) == (price.macs, price.params)
