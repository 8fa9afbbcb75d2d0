"""Networks side by side: what differs is all that differs, and what is better is so by a test."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.query import PairTest, compare_networks, spreads
from search.query.network_comparison import _differences
from search.store import Store
from space.errors import InputError, Problem
from tests.space.spaces import small
from tests.support.samples import (
    add_study,
    add_trial,
    architecture,
    begin_run,
    complete_trial,
    epoch,
)

ONE, OTHER = "1f" * 8, "2e" * 8


@pytest.fixture
def filled(store: Store) -> Store:
    """Networks 0 to 3 by one protocol, the first two with three seeds; 0 and 1 by another too."""
    study = add_study(store, "s", protocol_hash=ONE)
    run = begin_run(store, study.id)
    for number, accuracies in enumerate(((0.80, 0.81, 0.82), (0.70, 0.71, 0.69), (0.812,), (0.5,))):
        for repeat, accuracy in enumerate(accuracies):
            complete_trial(store, study.id, run.id, number, accuracy, repeat=repeat)
    pruned = add_trial(store, study.id, run.id, 4)
    store.epochs.record(pruned.id, epoch(1, 0.9))
    store.trials.finish(pruned.id, "pruned", "rung")
    other = add_study(store, "t", protocol_hash=OTHER)
    run = begin_run(store, other.id)
    for number in (0, 1):
        complete_trial(store, other.id, run.id, number, 0.95 - number / 100)
    return store


def ids(*numbers: int) -> list[str]:
    return [architecture(number).id for number in numbers]


def test_networks_without_a_result_are_compared_by_what_they_are(filled: Store) -> None:
    found = compare_networks(filled, ids(0, 1), where="params < 1")
    assert (found.protocol, found.others, found.tests) == (None, (), ())
    assert [network.row for network in found.networks] == [None, None]
    assert found.differences


def test_results_are_of_one_protocol(filled: Store) -> None:
    found = compare_networks(filled, ids(0, 2, 4))
    assert found.protocol is not None
    assert (found.protocol.hash, found.protocol.studies) == (ONE, ("s",))
    assert [each.hash for each in found.others] == [OTHER]
    rows = [each.row for each in found.networks]
    assert [row and row.repeats for row in rows] == [3, 1, 1]
    assert rows[0] is not None
    assert rows[0].accuracy == pytest.approx(0.81)
    # What was stopped early is compared with nothing.
    assert [(test.first, test.second) for test in found.tests] == [tuple(ids(0, 2))]
    narrowed = compare_networks(filled, ids(0, 1), where=f"protocol = {OTHER[:3]}")
    assert narrowed.protocol is not None
    assert narrowed.protocol.hash == OTHER
    assert [test.margin for test in narrowed.tests] == [None]
    assert narrowed.tests[0].verdict.startswith("cannot tell")


def test_the_protocol_is_the_fittest_and_named_whole(store: Store) -> None:
    for name, protocol, numbers in (("old", ONE, (0, 2)), ("old2", ONE, (1,)), ("new", OTHER, ())):
        study = add_study(store, name, protocol_hash=protocol)
        run = begin_run(store, study.id)
        for number in numbers:
            complete_trial(store, study.id, run.id, number, 0.5 + number / 10)
        if name == "new":
            for number in (0, 1):
                pruned = add_trial(store, study.id, run.id, number)
                store.epochs.record(pruned.id, epoch(1, 0.9))
                store.trials.finish(pruned.id, "pruned", "rung")
    found = compare_networks(store, ids(0, 1))
    assert found.protocol is not None
    assert (found.protocol.hash, found.protocol.studies) == (ONE, ("old2", "old"))
    assert len(found.tests) == 1  # the newer results are of pruned trials
    newest = add_study(store, "newest", protocol_hash="3d" * 8)
    complete_trial(store, newest.id, begin_run(store, newest.id).id, 5, 0.4)
    tie = compare_networks(store, ids(2, 5))
    assert tie.protocol is not None
    assert tie.protocol.studies == ("newest",)


def test_the_test_is_that_of_students_t_for_all_pairs(filled: Store) -> None:
    from scipy import stats

    found = compare_networks(filled, ids(0, 1, 2))
    spread = spreads(filled)[ONE]
    seeds = dict(zip(ids(0, 1, 2), (3, 3, 1), strict=True))
    for test in found.tests:
        error = spread.deviation * np.sqrt(1 / seeds[test.first] + 1 / seeds[test.second])
        quantile = stats.t.ppf(1 - 0.05 / 2 / 3, spread.freedom)
        assert test.margin == pytest.approx(quantile * error)
    verdicts = {(t.first, t.second): t.verdict for t in found.tests}
    zero, one, two = ids(0, 1, 2)
    assert verdicts == {
        (zero, one): f"{zero} is better",
        (zero, two): "a tie: seeds alone make as much",
        (one, two): f"{two} is better",
    }


def test_verdicts() -> None:
    assert PairTest("a", "b", -0.02, 0.01).verdict == "b is better"
    assert PairTest("a", "b", 0.01, 0.01).verdict.startswith("a tie")


@given(st.integers(0, 2**32), st.integers(2, 4))
def test_what_differs_is_all_that_differs(seed: int, number: int) -> None:
    """Any two different networks differ somewhere; equal ones nowhere."""
    rng, space = np.random.default_rng(seed), small()
    networks = [space.sample(rng) for _ in range(number)]
    differences = list(_differences(networks))
    assert bool(differences) is (len(set(networks)) > 1)
    for one in range(number):
        for other in range(one):
            apart = [d for d in differences if d.values[one] != d.values[other]]
            assert bool(apart) is (networks[one] != networks[other])


def test_each_part_that_changes_is_named() -> None:
    base = architecture(0)
    changed = {
        "input": replace(base, input=replace(base.input, height=56, width=56)),
        "stem": replace(base, stem=replace(base.stem, type="overlap")),
        "block type": replace(base, block_type="prenorm"),
        "downsampling": replace(base, downsample="conv"),
        "classes": replace(base, head=replace(base.head, classes=7)),
        "norm of the head": replace(base, head=replace(base.head, norm="after")),
        "stage 2 width": base.with_stage(1, replace(base.stages[1], width=48)),
        "stage 1 depth": base.with_stage(0, replace(base.stages[0], depth=5)),
        "stage 1 MLP ratio": base.with_stage(0, replace(base.stages[0], mlp_ratio=3)),
    }
    for part, other in changed.items():
        named = [difference.part for difference in _differences([base, other])]
        assert part in named
        assert len(named) <= 2  # deeper stages have more mixers too
    short = replace(base, stages=base.stages[:1])
    (first, *_) = [d for d in _differences([base, short]) if d.part.startswith("stage 2")]
    assert first.values[1] == "–"


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "0 given; from 2 to 6"),
        (ids(0), "1 given"),
        (ids(*range(7)), "7 given"),
        (ids(0, 1, 0), "is named twice"),
        (["ffff", "eeee"], "ffff"),
    ],
)
def test_what_cannot_be_compared_is_refused(filled: Store, asked: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare_networks(filled, asked)


def test_what_cannot_be_compared_is_said_word_by_word(filled: Store) -> None:
    def said(*numbers: int) -> tuple[Problem, ...]:
        with pytest.raises(InputError) as caught:
            compare_networks(filled, ids(*numbers))
        return caught.value.problems

    for numbers in ((0,), (0, 1, 2, 3, 4, 5, 6)):
        message = f"{len(numbers)} given; from 2 to 6 networks are compared"
        assert said(*numbers) == (Problem("architectures", message),)
    twice = ", ".join(sorted(ids(0, 1)))
    assert said(0, 1, 1, 0, 2) == (Problem("architectures", f"{twice} is named twice"),)
