"""No question ranks or joins results of two protocols: each refuses, or has them apart."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from search import query
from search.objectives import Objective, Objectives
from search.store import Store, TrialState
from space.errors import InputError
from tests.support.samples import (
    add_study,
    add_trial,
    architecture,
    begin_run,
    complete_trial,
    epoch,
)

ONE, OTHER = "1f" * 8, "2e" * 8
BOTH = Objectives((Objective("validation_accuracy", "maximise"), Objective("macs", "minimise")))


@pytest.fixture
def mixed(store: Store) -> Store:
    """Studies a and b of one protocol and c of another, with architectures in common."""
    for name, protocol, height in (("a", ONE, 0.5), ("b", ONE, 0.52), ("c", OTHER, 0.7)):
        study = add_study(store, name, protocol_hash=protocol)
        run = begin_run(store, study.id)
        for number in range(3):
            complete_trial(store, study.id, run.id, number, height + number / 50)
        pruned = add_trial(store, study.id, run.id, 7)
        store.epochs.record(pruned.id, epoch(1, 0.9))
        store.trials.finish(pruned.id, "pruned", "rung")
    return store


def best_of(store: Store) -> list[query.BestRow]:
    """Rows of both protocols."""
    return [row for group in query.best_by_protocol(store) for row in group.rows]


def evaluated_of(store: Store) -> list[query.Evaluated]:
    wanted = ("validation_accuracy", "macs")
    return [row for name in ("a", "c") for row in query.evaluated(store, name, wanted)]


REFUSE: dict[str, Callable[[Store], Any]] = {
    "accuracy_cost": query.accuracy_cost,
    "accuracy_over_time": lambda store: query.accuracy_over_time(store, points=9),
    "best": query.best,
    "front_of": lambda store: query.front_of(evaluated_of(store), BOTH),
    "operator_ranks": lambda store: query.operator_ranks(best_of(store)),
    "operator_records": query.operator_records,
    "paired": lambda store: query.paired(store, "a", best_of(store)),
    "pareto_front": lambda store: query.pareto_front(best_of(store)),
    "ranks": lambda store: query.ranks(best_of(store), {}),
    "trial_summaries": lambda store: query.trial_summaries(store, order="best"),
}
"""What orders or joins results, asked of those of two protocols."""

APART = {
    "best_by_protocol",
    "best_statements",
    "compare_networks",
    "figures_of_tests",
    "protocols",
    "spreads",
    "study_effects",
    "study_fidelity",
    "study_importance",
}
"""What has an answer for each protocol."""

OF_ONE_STUDY = {
    "architecture_texts",
    "best_within_bounds",
    "compare_splits",
    "comparison",
    "evaluated",
    "front",
    "hypervolume_course",
    "latency_records",
    "networks",
    "proxy_worth",
    "study_course",
    "study_objectives",
    "trained_results_of_study",
    "trials_by_operators",
}
"""What must be asked of a study by its name, and a study has one protocol."""

COMPARE_NOTHING = {
    "accuracy_notes",
    "bound_words",
    "canonical_sort",
    "chance_of_images",  # of pairs, which `paired` has made
    "chance_sentence",
    "chance_sentences",
    "data_sentences",
    "failed_trials",
    "failures",
    "interval_in_points",
    "is_custom",
    "kind_of_reason",
    "measured",
    "method_sentence",
    "metric_words",
    "optimism",
    "optimism_of",
    "paired_fidelity",  # how far one protocol tells of another is what it is asked
    "parse_where",
    "seconds_left",
    "state_counts",
    "state_words",
    "study_pace",
    "table_format",
    "trial_table",
    "table_effects",  # a table has one protocol
    "table_importance",
    "training_seconds",
    "trained_results",  # each by itself, with its protocol
    "trials_of_kind",
    "wilson_interval",
}


def test_every_question_is_of_one_of_these_kinds() -> None:
    asked = {name for name in query.__all__ if inspect.isfunction(getattr(query, name))}
    kinds = (set(REFUSE), APART, OF_ONE_STUDY, COMPARE_NOTHING)
    assert asked == set().union(*kinds)
    assert all(not one & other for one, other in pairwise(kinds))


@pytest.mark.parametrize("name", REFUSE)
def test_results_of_two_protocols_are_refused(mixed: Store, name: str) -> None:
    with pytest.raises(InputError, match="2 protocols") as caught:
        REFUSE[name](mixed)
    assert ONE in str(caught.value)
    assert OTHER in str(caught.value)


@pytest.mark.parametrize("name", ["best", "operator_records", "trial_summaries"])
def test_the_refusal_says_how_to_go_on_and_that_works(mixed: Store, name: str) -> None:
    ask: dict[str, Callable[..., Any]] = {
        "best": query.best,
        "operator_records": query.operator_records,
        "trial_summaries": lambda *of, **named: query.trial_summaries(*of, **named, order="best"),
    }
    with pytest.raises(InputError, match=f"protocol = {OTHER}") as caught:
        ask[name](mixed)
    assert f"{OTHER} of c; {ONE} of b, a" in str(caught.value)
    for narrowed in ({"study": "a"}, {"where": f"protocol = {OTHER}"}, {"where": "study = c"}):
        assert ask[name](mixed, **narrowed)
    both = ask[name](mixed, where=f"protocol = {ONE[:3]}")  # of two studies
    assert both


@pytest.mark.parametrize("name", sorted(OF_ONE_STUDY))
def test_a_study_has_to_be_named(name: str) -> None:
    parameters = inspect.signature(getattr(query, name)).parameters
    assert parameters["study"].default is inspect.Parameter.empty


def test_rows_of_one_protocol_are_joined_over_studies(mixed: Store) -> None:
    found = query.best_by_protocol(mixed)
    assert [(each.protocol.hash, each.protocol.studies) for each in found] == [
        (OTHER, ("c",)),
        (ONE, ("b", "a")),
    ]
    for each in found:
        assert {row.protocol_hash for row in each.rows} == {each.protocol.hash}
        assert each.rows == query.best(mixed, where=f"protocol = {each.protocol.hash}")
        assert len(query.ranks(each.rows, {})) == len(each.rows)
    (mean,) = (row for row in found[1].rows if row.trial == 2)
    assert mean.accuracy == pytest.approx(0.55)  # of 0.54 and 0.56, and never with 0.74
    (first, *_) = query.best_by_protocol(mixed, top=1)
    assert len(first.rows) == 1


def test_an_architecture_of_both_has_a_row_of_each(mixed: Store) -> None:
    row = query.best(mixed, study="c")[0]
    with pytest.raises(InputError, match="2 protocols"):
        query.best(mixed, architecture=row.architecture_id)
    found = query.best_by_protocol(mixed, architecture=row.architecture_id)
    assert [len(each.rows) for each in found] == [1, 1]


@pytest.mark.parametrize("clause", ["{0}", "params > 0 and {0}", "({0}) and not state = failed"])
def test_a_clause_that_names_a_whole_protocol_needs_no_look_at_the_others(
    mixed: Store, clause: str
) -> None:
    for name in (f"protocol = {OTHER}", f"protocol in ({OTHER})"):
        where = query.parse_where(clause.format(name))
        assert where.is_of_one_protocol
        assert {row.protocol_hash for row in query.best(mixed, where=where)} == {OTHER}


@pytest.mark.parametrize(
    "clause",
    [
        f"protocol != {OTHER}",
        f"not protocol = {OTHER}",
        f"protocol = {OTHER} or params > 0",
        f"protocol = {OTHER[:15]}",
        f"protocol in ({ONE}, {OTHER})",
        f"study = '{OTHER}'",
    ],
)
def test_whatever_else_a_clause_says_may_hold_of_several(clause: str) -> None:
    assert not query.parse_where(clause).is_of_one_protocol


def test_studies_without_a_result_stand_in_nobodys_way(mixed: Store) -> None:
    empty = add_study(mixed, "d", protocol_hash="3d" * 8)
    begin_run(mixed, empty.id)
    assert len(query.protocols(mixed)) == 2
    assert query.best(mixed, where="study in (a, b, d)")
    assert query.protocols(mixed, where="study = d") == []
    assert query.protocols(mixed, where="state = pruned", study="a")[0].studies == ("a",)


def test_each_protocol_apart_has_its_own_answers(mixed: Store) -> None:
    assert {each.protocol_hash for each in query.study_fidelity(mixed, ["a", "b", "c"])} == {
        ONE,
        OTHER,
    }
    assert [each.studies for each in query.study_effects(mixed, ["a", "b", "c"])] == [
        ("a", "b"),
        ("c",),
    ]
    assert set(query.spreads(mixed)) <= {ONE, OTHER}


# --- the field of the clause ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("clause", "studies"),
    [
        (f"protocol = {ONE}", {"a", "b"}),
        ("protocol = 1", {"a", "b"}),
        ("protocol = 1F1f", {"a", "b"}),
        ("protocol != 1f", {"c"}),
        ("not protocol = 1f", {"c"}),
        ("protocol in (1f, 2e)", {"a", "b", "c"}),
        ("protocol not in (2e)", {"a", "b"}),
        ("protocol = f1", set()),
    ],
)
def test_the_beginning_of_a_hash_will_do(mixed: Store, clause: str, studies: set[str]) -> None:
    found = query.trial_summaries(mixed, where=clause)
    assert {row.study for row in found} == studies


@pytest.mark.parametrize("value", ["study-a", "'1_'", "%", "1f%", f"{ONE}0", "'1f 2e'", "''"])
def test_what_is_no_hash_is_refused(value: str) -> None:
    with pytest.raises(InputError, match=r"hexadecimal|means nothing"):
        query.parse_where(f"protocol = {value}")


# --- one rule for fronts --------------------------------------------------------------------------


def test_what_was_stopped_early_is_on_no_front(mixed: Store) -> None:
    rows = query.best(mixed, study="a")
    assert {row.state for row in rows} == {TrialState.COMPLETE, TrialState.PRUNED}
    whole = [row for row in rows if row.is_complete]
    for cost in ("params", "macs"):
        front = query.pareto_front(rows, cost)  # the pruned one has the highest accuracy
        assert front == query.pareto_front(whole, cost)
        assert front
        cheap = [replace(row, params=1, macs=1, state=TrialState.PRUNED) for row in whole]
        assert query.pareto_front([*cheap, *whole], cost) == front


def test_both_fronts_are_the_same_front(mixed: Store) -> None:
    rows = query.best(mixed, study="a", top=None)
    rows = [*rows, *(replace(row, architecture_id=f"x{row.trial}", macs=99_000) for row in rows)]
    same = [
        query.Evaluated(
            row.architecture_id,
            row.operators,
            {"validation_accuracy": row.accuracy or 0.0, "macs": row.macs},
            1,
            row.protocol_hash,
        )
        for row in rows
        if row.is_complete
    ]
    front = {row.architecture_id for row in query.pareto_front(rows, "macs")}
    assert front == {row.architecture_id for row in query.front_of(same, BOTH)}
    assert 0 < len(front) < len(same)


def test_the_best_of_an_operator_says_where_it_was_not_trained_to_the_end(store: Store) -> None:
    study = add_study(store)
    run = begin_run(store, study.id)
    number = next(n for n in range(99) if " + " not in architecture(n).name)
    failed = add_trial(store, study.id, run.id, number)
    store.trials.start(failed.id, run.id)
    store.epochs.record(failed.id, epoch(1, 0.7))
    store.trials.finish(failed.id, "failed", "broke off")
    record = query.operator_records(store, where="state = failed")[architecture(number).name]
    assert (record.best_accuracy, record.pruned) == (0.7, True)
