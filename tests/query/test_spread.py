"""Rankings respect the spread over seeds: means, pooled deviations, ties that are called ties."""

import itertools
import math
import statistics
from dataclasses import replace

import numpy as np
import pytest

from search.query import BestRow, best, best_by_protocol, ranks, spreads
from search.query.repeats import Spread, pooled, t_quantile
from search.store import ParentRecord, Store, TrialState
from tests.support.samples import add_study, add_trial, begin_run, complete_trial, epoch


def test_repeats_count_with_their_mean_and_their_spread(store: Store) -> None:
    study = add_study(store, "s", protocol_hash="p")
    run = begin_run(store, study.id)
    accuracies = (0.90, 0.80, 0.82)
    for repeat, accuracy in enumerate(accuracies):
        complete_trial(store, study.id, run.id, 0, accuracy, repeat=repeat)
    complete_trial(store, study.id, run.id, 1, 0.85)
    first, second = best(store, study="s")
    assert (first.accuracy, first.repeats, first.deviation) == (0.85, 1, None)
    assert second.accuracy == pytest.approx(statistics.mean(accuracies))
    assert second.repeats == 3
    assert second.deviation == pytest.approx(statistics.stdev(accuracies))
    assert best(store) == [first, second]
    assert best(store, top=1) == [first]
    spread = spreads(store, "s")["p"]
    assert (spread.freedom, spread.deviation) == (2, pytest.approx(statistics.stdev(accuracies)))


def test_protocols_are_never_mixed(store: Store) -> None:
    for name, accuracies in (("one", (0.5, 0.6)), ("two", (0.7, 0.9))):
        for number, accuracy in enumerate(accuracies):
            study = add_study(store, f"{name} {number}", protocol_hash=name)
            complete_trial(store, study.id, begin_run(store, study.id).id, 0, accuracy)
    rows = [row for group in best_by_protocol(store) for row in group.rows]
    assert [(row.protocol_hash, row.repeats) for row in rows] == [("two", 2), ("one", 2)]
    assert [row.accuracy for row in rows] == [pytest.approx(0.8), pytest.approx(0.55)]
    assert {name: round(spread.deviation, 6) for name, spread in spreads(store).items()} == {
        "one": round(statistics.stdev((0.5, 0.6)), 6),
        "two": round(statistics.stdev((0.7, 0.9)), 6),
    }


def test_only_like_results_are_repeats(store: Store) -> None:
    study, other = add_study(store, "a"), add_study(store, "b")
    run, theirs = begin_run(store, study.id), begin_run(store, other.id)
    source = complete_trial(store, study.id, run.id, 0, 0.5)
    copy = add_trial(store, other.id, theirs.id, 0)
    assert store.results.reuse(copy.id, source.id, theirs.id)
    pruned = add_trial(store, study.id, run.id, 0, repeat=1)
    store.epochs.record(pruned.id, epoch(1, 0.1))
    store.trials.finish(pruned.id, "pruned", "rung")
    complete_trial(
        store, study.id, run.id, 0, 0.9, repeat=2, parent=ParentRecord(source.id, "along")
    )
    assert spreads(store) == {}
    for row in best(store):
        assert row.repeats == 1


def test_trainings_with_equal_seeds_count_once(store: Store) -> None:
    """The second study trains what the first did: equal seeds say nothing of the spread."""
    same = {"initialisation": 2**40, "data_order": 7}
    first, second = (add_study(store, name, protocol_hash="p") for name in ("a", "b"))
    for study, accuracy in ((first, 0.8), (second, 0.8001)):
        run = begin_run(store, study.id)
        complete_trial(store, study.id, run.id, 0, accuracy, seeds=same)
    assert spreads(store) == {}
    (row,) = best(store)
    assert (row.accuracy, row.repeats, row.deviation) == (0.8001, 1, None)
    for repeat, (name, seed) in enumerate((("data_order", 8), ("initialisation", 9)), 1):
        seeds = same | {name: seed}
        complete_trial(store, second.id, run.id, 0, 0.5 * repeat, repeat=repeat, seeds=seeds)
    # Of the two with equal seeds the first counts.
    counted = (0.8, 0.5, 1.0)
    (row,) = best(store)
    assert (row.accuracy, row.repeats) == (pytest.approx(statistics.mean(counted)), 3)
    assert row.deviation == pytest.approx(statistics.stdev(counted))
    spread = spreads(store)["p"]
    assert (spread.freedom, spread.deviation) == (2, pytest.approx(statistics.stdev(counted)))


def test_a_pruned_row_has_no_spread_of_its_own_and_hides_no_complete_one(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    for repeat, accuracy in enumerate((0.5, 0.6)):
        complete_trial(store, study.id, run.id, 0, accuracy, repeat=repeat)
    pruned = add_trial(store, study.id, run.id, 0, repeat=2)
    store.epochs.record(pruned.id, epoch(1, 0.9))
    store.trials.finish(pruned.id, "pruned", "rung")
    (row,) = best(store, where="state = pruned")
    assert (row.accuracy, row.repeats, row.deviation) == (0.9, 1, None)
    (row,) = best(store)
    assert (row.accuracy, row.repeats) == (pytest.approx(0.55), 2)


def test_without_repeats_nothing_is_a_tie(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    for number, accuracy in enumerate((0.5, 0.6, 0.6)):
        complete_trial(store, study.id, run.id, number, accuracy)
    assert ranks(best(store), spreads(store)) == ["1", "2", "3"]


def test_ties_are_called_ties(store: Store) -> None:
    study = add_study(store, "s", protocol_hash="p")
    run = begin_run(store, study.id)
    for number, accuracy in enumerate((0.95, 0.90, 0.89, 0.60)):
        complete_trial(store, study.id, run.id, number, accuracy)
    rows = best(store)
    # With many degrees of freedom single results differ beyond 1.98 √2 deviations.
    assert ranks(rows, {"p": Spread(0.01, 120)}) == ["1", "=2", "=2", "4"]
    assert ranks(rows, {"p": Spread(0.02, 120)}) == ["=1", "=1", "3", "4"]
    assert ranks(rows, {"p": Spread(0.0, 120)}) == ["1", "2", "3", "4"]
    assert ranks(rows, {"other": Spread(0.5, 120)}) == ["1", "2", "3", "4"]
    pruned = [replace(row, state=TrialState.PRUNED) for row in rows]
    assert ranks(pruned, {"p": Spread(0.5, 120)}) == ["–"] * 4


def test_what_is_not_compared_breaks_no_tie(store: Store) -> None:
    study = add_study(store, "s", protocol_hash="p")
    run = begin_run(store, study.id)
    for number, accuracy in enumerate((0.90, 0.899, 0.895, 0.80, 0.799)):
        complete_trial(store, study.id, run.id, number, accuracy)
    rows, spread = best(store), {"p": Spread(0.01, 120)}
    pruned = [replace(rows[1], state=TrialState.PRUNED), replace(rows[3], state=TrialState.PRUNED)]
    assert ranks([rows[0], pruned[0], *rows[2:]], spread) == ["=1", "–", "=1", "=4", "=4"]
    assert ranks([*rows[:3], pruned[1], rows[4]], spread) == ["=1", "=1", "=1", "–", "5"]


def test_ties_stand_as_if_the_others_were_not_there(store: Store) -> None:
    study = add_study(store, "s", protocol_hash="p")
    run = begin_run(store, study.id)
    for number in range(8):
        complete_trial(store, study.id, run.id, number, 0.5)
    rows, spread = best(store), {"p": Spread(0.01, 120)}

    def ties(ranked: list[BestRow]) -> set[frozenset[str]]:
        found: dict[str, set[str]] = {}
        for row, place in zip(ranked, ranks(ranked, spread), strict=True):
            if row.state is TrialState.COMPLETE:
                found.setdefault(place, set()).add(row.architecture_id)
        return {frozenset(each) for each in found.values()}

    for seed in range(20):
        rng = np.random.default_rng(seed)
        accuracies, cut = sorted(rng.uniform(0.5, 0.6, 8))[::-1], rng.random(8) < 0.4
        mixed = [
            replace(row, accuracy=accuracy, state=TrialState.PRUNED if gone else row.state)
            for row, accuracy, gone in zip(rows, accuracies, cut, strict=True)
        ]
        assert ties(mixed) == ties([row for row in mixed if row.state is TrialState.COMPLETE])


def test_more_results_separate_what_one_does_not() -> None:
    spread = Spread(0.01, 30)
    assert not spread.separates(0.02, 1, 1)
    assert spread.separates(0.02, 4, 4)
    assert spread.separates(-0.02, 4, 4)


def test_the_pooled_spread_is_the_root_of_the_mean_variance_of_equal_groups() -> None:
    groups = [[0.1, 0.3], [0.5, 0.6], [0.9, 0.2]]
    found = pooled([*groups, [0.7]])
    assert found is not None
    variance = statistics.mean(statistics.variance(group) for group in groups)
    assert (found.deviation, found.freedom) == (pytest.approx(math.sqrt(variance)), 3)
    assert pooled([[0.5], []]) is None


@pytest.mark.parametrize("freedom", [1, 2, 5, 7, 12, 25, 100])
def test_the_quantile_is_that_of_a_simulated_t_distribution(freedom: int) -> None:
    rng = np.random.default_rng(freedom)
    drawn = np.abs(rng.standard_t(freedom, 400_000))
    assert np.mean(drawn > t_quantile(freedom)) == pytest.approx(0.05, abs=0.002)


def test_the_quantile_falls_with_the_degrees_of_freedom() -> None:
    values = [t_quantile(freedom / 4) for freedom in range(4, 2000)]
    assert all(before >= after for before, after in itertools.pairwise(values))
