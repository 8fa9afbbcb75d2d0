"""A result of another study that was taken over counts like its source: once, with its seeds."""

import itertools
import statistics

import pytest

from search.cli.leaderboard_tables import what_of_the_spread
from search.objective_parsing import stored_objectives
from search.query import best, evaluated, front, spreads, study_objectives
from search.store import ParentRecord, Store, StudyRecord
from tests.support.samples import (
    add_study,
    add_trial,
    architecture,
    begin_run,
    complete_trial,
    epoch,
)

FIGURE = "validation_accuracy"
OBJECTIVES = {
    "objectives": {FIGURE: "maximise", "macs": "minimise"},
    "constraints": {FIGURE: {"at_least": 0.72}},
}


def study_of(store: Store, name: str) -> tuple[StudyRecord, int]:
    """A study and the id of its run."""
    study = add_study(store, name, protocol_hash="p", objective=OBJECTIVES)
    return study, begin_run(store, study.id).id


def reused(store: Store, study: StudyRecord, run: int, source: int) -> int:
    """The id of a trial of architecture 0 that took over the source's epochs."""
    trial = add_trial(store, study.id, run, 0, seeds={"initialisation": 99, "data_order": 99})
    assert store.results.reuse(trial.id, source, run)
    return trial.id


def check(store: Store, study: str | None, accuracies: tuple[float, ...]) -> None:
    """Whoever is asked tells of these results of architecture 0, in a study or everywhere."""
    mean = pytest.approx(statistics.mean(accuracies))
    (row,) = best(store, study=study)
    assert (row.accuracy, row.repeats) == (mean, len(accuracies))
    several = len(accuracies) > 1
    deviation = pytest.approx(statistics.stdev(accuracies)) if several else None
    assert row.deviation == deviation
    found = spreads(store, study)
    assert set(found) == ({"p"} if several else set())
    said = "One training scatters" if several else "No architecture was trained more than once"
    assert what_of_the_spread(found).startswith(said)
    if several:
        assert (found["p"].deviation, found["p"].freedom) == (deviation, len(accuracies) - 1)
    if study is None:
        return
    objectives = stored_objectives({"objectives": OBJECTIVES["objectives"]})
    for rows in (evaluated(store, study, (FIGURE, "macs")), front(store, study, objectives)):
        assert [(row.values[FIGURE], row.repeats) for row in rows] == [(mean, len(accuracies))]
    assert study_objectives(store, study).kept == {
        row.architecture_id: statistics.mean(accuracies) >= 0.72
    }


def test_a_repeat_of_a_reused_result_is_its_second(store: Store) -> None:
    """Study "probe2" took an architecture over from "probe", then repeated it."""
    (first, run), (second, theirs) = study_of(store, "probe"), study_of(store, "probe2")
    source = complete_trial(store, first.id, run, 0, 0.726)
    reused(store, second, theirs, source.id)
    for study in ("probe", "probe2", None):
        check(store, study, (0.726,))
    complete_trial(store, second.id, theirs, 0, 0.695, repeat=1)
    check(store, "probe", (0.726,))
    for study in ("probe2", None):
        check(store, study, (0.726, 0.695))


def test_a_training_that_two_studies_shared_counts(store: Store) -> None:
    """Study "b" went on with what "a" had pruned, and "a" took over what came of it."""
    (first, run), (second, theirs) = study_of(store, "a"), study_of(store, "b")
    pruned = add_trial(store, first.id, run, 0)
    store.epochs.record(pruned.id, epoch(1, 0.4))
    store.trials.finish(pruned.id, "pruned", "rung")
    whole = reused(store, second, theirs, pruned.id)
    store.epochs.record(whole, epoch(2, 0.7))
    store.trials.finish(whole, "complete")
    assert store.trials.reopen(pruned.id, run)
    store.epochs.forget(pruned.id, after=0)
    assert store.results.reuse(pruned.id, whole, run)
    sources = [store.trials.get(trial).source_trial_id for trial in (pruned.id, whole)]
    assert sources == [whole, pruned.id]
    for study in ("a", "b", None):
        check(store, study, (0.7,))
    complete_trial(store, first.id, run, 0, 0.8, repeat=1)
    for study in ("a", None):
        check(store, study, (0.7, 0.8))
    check(store, "b", (0.7,))


def test_of_a_result_and_its_source_the_source_is_shown(store: Store) -> None:
    """Also where it is younger than what took it over."""
    (first, run), (second, theirs) = study_of(store, "a"), study_of(store, "b")
    waiting = add_trial(store, first.id, run, 0)
    source = complete_trial(store, second.id, theirs, 0, 0.8)
    assert store.results.reuse(waiting.id, source.id, run)
    assert waiting.id < source.id
    (row,) = best(store)
    assert (row.study, row.trial_id) == ("b", source.id)


def test_of_equal_seeds_one_that_trained_itself_counts(store: Store) -> None:
    """The oldest of those, though what took a result over is older."""
    studies = [study_of(store, name) for name in ("a", "b", "c")]
    (first, run), (second, theirs), (third, others) = studies
    same = {"initialisation": 7, "data_order": 7}
    waiting = add_trial(store, first.id, run, 0)
    complete_trial(store, third.id, others, 0, 0.9, seeds=same)
    source = complete_trial(store, second.id, theirs, 0, 0.8, seeds=same)
    assert store.results.reuse(waiting.id, source.id, run)
    complete_trial(store, third.id, others, 0, 0.6, repeat=1)
    check(store, None, (0.9, 0.6))
    check(store, "a", (0.8,))


def test_a_reused_result_with_inherited_weights_is_no_repeat(store: Store) -> None:
    (first, run), (second, theirs) = study_of(store, "a"), study_of(store, "b")
    parent = complete_trial(store, first.id, run, 1, 0.1)
    heir = complete_trial(store, first.id, run, 0, 0.9, parent=ParentRecord(parent.id, "along"))
    copy = store.trials.get(reused(store, second, theirs, heir.id))
    assert copy.parent_trial_id == parent.id
    complete_trial(store, second.id, theirs, 0, 0.8, repeat=1)
    check(store, "b", (0.9,))
    assert {row.repeats for row in best(store)} == {1}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_the_studies_does_not_matter(store: Store, order: tuple[int, ...]) -> None:
    """Three studies with the result of one, of which each has a repeat of its own."""
    studies = [study_of(store, name) for name in ("a", "b", "c")]
    (first, run), *others = (studies[place] for place in order)
    source = complete_trial(store, first.id, run, 0, 0.8)
    for study, theirs in others:
        reused(store, study, theirs, source.id)
    repeats = {}
    for place, (study, theirs) in enumerate(studies):
        repeats[study.name] = 0.5 + place / 10
        complete_trial(store, study.id, theirs, 0, repeats[study.name], repeat=1)
    for name, accuracy in repeats.items():
        check(store, name, (0.8, accuracy))
    check(store, None, (0.8, *repeats.values()))
    assert architecture(0).id == best(store)[0].architecture_id
