"""Why trials came to nothing, counted by the database and here in plain Python."""

import re
from collections import Counter
from typing import Any

import pytest

from search.query import (
    failed_trials,
    failures,
    kind_of_reason,
    trial_summaries,
    trials_of_kind,
    wilson_interval,
)
from search.query.failures import TROUBLE
from search.store import Store, TrialState
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial

REASONS = {
    TrialState.FAILED: (
        "train loss is nan in epoch 2, step 17",
        "train loss is nan in epoch 11, step 3\nwith a traceback behind it",
        "RuntimeError: shape '[8, 49]' is invalid",
    ),
    TrialState.INFEASIBLE: ("out of memory: tried to allocate 3.2 GiB, 1.1 GiB are free",),
}


def fill(store: Store) -> list[dict[str, Any]]:
    """Trials of two studies: what they are, for an oracle."""
    found = []
    for name in ("first", "second"):
        study = add_study(store, name)
        run = begin_run(store, study.id)
        for number in range(40):
            state = (TrialState.FAILED, TrialState.INFEASIBLE, None)[number % 3]
            reason = None
            if state is None:
                trial = complete_trial(store, study.id, run.id, number, 0.5)
            else:
                trial = add_trial(store, study.id, run.id, number)
                among = REASONS[state]
                reason = among[number // 3 % len(among)]
                store.trials.start(trial.id, run.id)
                store.trials.finish(trial.id, state, reason)
            network = architecture(number)
            found.append(
                {
                    "study": name,
                    "state": state or TrialState.COMPLETE,
                    "reason": reason,
                    "operators": network.name.split(" + "),
                    "params": 1000 * (number + 1),
                    "trial": trial.id,
                }
            )
        dead = begin_run(store, study.id, start_ticks=1)
        left = add_trial(store, study.id, dead.id, 60)  # as a dead driver left it
        network = architecture(60)
        found.append(
            {
                "study": name,
                "state": TrialState.PREEMPTED,
                "reason": trial_summaries(store, where="state = preempted")[0].reason,
                "operators": network.name.split(" + "),
                "params": 61_000,
                "trial": left.id,
            }
        )
    return found


@pytest.mark.parametrize("study", [None, "second"])
def test_kinds_are_counted(store: Store, study: str | None) -> None:
    every = [each for each in fill(store) if study in (None, each["study"])]
    found = failures(store, study=study)
    broken = [each for each in every if each["state"] in TROUBLE]
    expected = Counter((each["state"], kind_of_reason(each["reason"])) for each in broken)
    assert {(kind.state, kind.reason): kind.trials for kind in found.kinds} == expected
    counts = [kind.trials for kind in found.kinds]
    assert counts == sorted(counts, reverse=True)
    for kind in found.kinds:
        mine = [
            each
            for each in broken
            if (each["state"], kind_of_reason(each["reason"])) == (kind.state, kind.reason)
        ]
        names = Counter(name for each in mine for name in each["operators"])
        assert kind.operators == names
        assert kind.params == (min(e["params"] for e in mine), max(e["params"] for e in mine))
        trials = trials_of_kind(store, kind, study=study)
        assert {row.id for row in trials} == {each["trial"] for each in mine}


def test_shares_are_of_what_ended(store: Store) -> None:
    every = [each for each in fill(store) if each["state"] is not TrialState.PREEMPTED]
    found = failures(store)
    names = {name for each in every for name in each["operators"]}
    assert {share.name for share in found.by_operator} == names
    for share in found.by_operator:
        mine = [each for each in every if share.name in each["operators"]]
        broken = [each for each in mine if each["state"] in REASONS]
        assert (share.ended, share.failed) == (len(mine), len(broken))
        assert share.interval == wilson_interval(share.share, share.ended)
    shares = [share.share for share in found.by_operator]
    assert shares == sorted(shares, reverse=True)


def test_sizes_are_apart_and_hold_all(store: Store) -> None:
    every = [each for each in fill(store) if each["state"] is not TrialState.PREEMPTED]
    found = failures(store).by_size
    assert 3 < len(found) <= 6
    ends = [end for share in found for end in share.params]
    assert ends == sorted(ends)
    for share in found:
        low, high = share.params
        mine = [each for each in every if low <= each["params"] <= high]
        assert share.ended == len(mine)
        assert share.failed == sum(each["state"] in REASONS for each in mine)
    assert sum(share.ended for share in found) == len(every)


def test_a_filter_counts(store: Store) -> None:
    fill(store)
    few = failures(store, where="params <= 3k and state = failed", study="first")
    assert [(kind.trials, kind.state) for kind in few.kinds] == [(1, TrialState.FAILED)]
    assert [share.ended for share in few.by_size] == [1]
    kind = few.kinds[0]
    assert [row.id for row in trials_of_kind(store, kind, where="params < 1")] == []
    (trial,) = trials_of_kind(store, kind, where="params <= 3k", study="first")
    assert trial.params <= 3_000
    nothing = failures(store, where="params < 1")
    assert (nothing.kinds, nothing.by_operator, nothing.by_size) == ((), (), ())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("loss is nan in epoch 2, step 17", "loss is nan in epoch 9, step 1,200", True),
        ("allocate 3.2 GiB, 1.1 GiB free", "allocate 12 GiB, 0.4 GiB free", True),
        ("shape [8, 49]", "shape [16, 7]", True),
        ("first line 1\nmore", "first line 2\nother", True),
        ("loss is nan", "loss is inf", False),
        ("conv2d failed", "conv3d failed", False),  # a part of a name is no number
        ("", None, True),
    ],
)
def test_reasons_are_alike_but_for_their_numbers(one: str, other: str | None, same: bool) -> None:
    assert (kind_of_reason(one) == kind_of_reason(other)) is same
    assert not re.search(r"\b\d", kind_of_reason(one))


def test_kinds_that_are_as_frequent_stand_by_state_and_reason(store: Store) -> None:
    study = add_study(store, "s")
    run = begin_run(store, study.id)
    told = [
        ("infeasible", "a"),
        ("failed", "b"),
        ("failed", "a 1"),
        ("failed", "c"),
        ("failed", "c"),
    ]
    for number, (state, reason) in enumerate(told):
        trial = add_trial(store, study.id, run.id, number)
        store.trials.start(trial.id, run.id)
        store.trials.finish(trial.id, state, reason)
    complete_trial(store, study.id, run.id, 7, 0.5)
    found = failures(store)
    assert [(str(kind.state), kind.reason, kind.trials) for kind in found.kinds] == [
        ("failed", "c", 2),
        ("failed", "a …", 1),
        ("failed", "b", 1),
        ("infeasible", "a", 1),
    ]
    names = [share.name for share in found.by_operator]
    order = [(-share.share, -share.ended, share.name) for share in found.by_operator]
    assert order == sorted(order)
    assert len(names) == len(set(names))
    assert failed_trials({TrialState.FAILED: 2, TrialState.INFEASIBLE: 3}) == 5
    assert failed_trials({TrialState.PRUNED: 2, TrialState.PREEMPTED: 3}) == 0


def test_a_reason_is_shortened_to_its_first_line() -> None:
    assert kind_of_reason("  x" * 200) == ("  x" * 200).strip()[:200]
    assert kind_of_reason(" a -1.5e-3, b_2: 3,4\nc") == "a …, b_2: …"
    assert kind_of_reason(None) == kind_of_reason(" ") == ""
