"""A search under a limit of latency, on made-up figures: what is proposed, trained and returned."""

from pathlib import Path

import pytest

from search.driver.latency_plan import plan_of_study
from search.driver.study_setup import task_of, task_of_study
from search.query import best, evaluated, front, study_objectives
from search.store import Store, TrialState
from space import DesignSpace
from tests.search.driving import end, run_all, train
from tests.search.latency_study import (
    LIMIT,
    STAGES,
    begin,
    few_draws,
    limited,
    meter,
    networks_of,
    planned,
    store,
)
from tests.search.small import SPACE
from tests.support.made_up_meter import MadeUpMeter, network_ms
from trainers.latency import parts_of, parts_of_space

__all__ = ["few_draws", "meter", "store"]


def share_that_keeps(space: DesignSpace) -> float:
    every = list(space.enumerate())
    return sum(network_ms(each) <= LIMIT for each in every) / len(every)


def test_the_limit_is_one_that_some_networks_break(tmp_path: Path) -> None:
    assert 0.1 < share_that_keeps(limited(tmp_path).search_space) < 0.9


def test_a_search_trains_only_what_was_measured_within_the_limit(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, trials=20)
    session = begin(store, settings, meter)
    run_all(session)
    study, networks = session.record, networks_of(store, session.record)
    trials = store.trials.of_study(study.id)
    assert len(trials) == 20
    for trial in trials:
        slow = network_ms(networks[trial.architecture_id]) > LIMIT
        assert trial.state == (TrialState.INFEASIBLE if slow else TrialState.COMPLETE)
        assert trial.epochs_done == (0 if slow else 2)
        if slow:
            assert trial.reason is not None
            assert f"is above the limit {LIMIT:g} ms (measured on a made-up device" in trial.reason
    plan = plan_of_study(store, study)
    farthest = LIMIT * (1 + plan.predictor.margin)
    assert all(plan.predictor(network) <= farthest for network in networks.values())
    assert {each.architecture_id for each in trials} <= set(meter.measured)


def test_nothing_is_proposed_that_is_predicted_far_above_the_limit(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    """Also where only the searcher's fallbacks are left: the study ends when the rest is tried."""
    stages = [STAGES[0] | {"depth": 1}, STAGES[1]]
    space, searcher = SPACE | {"stages": stages}, {"name": "local"}
    settings = limited(tmp_path, 1.5, space=space, trials=1000, searcher=searcher)
    session = begin(store, settings, meter)
    run_all(session)
    assert session.exhausted is not None
    plan = plan_of_study(store, session.record)
    allowed = {
        each.id
        for each in settings.search_space.enumerate()
        if plan.predictor(each) <= 1.5 * (1 + plan.predictor.margin)
    }
    assert 10 < len(allowed) < settings.search_space.count()
    assert set(networks_of(store, session.record)) == allowed


@pytest.mark.parametrize(
    "searcher",
    ["evolution", *(pytest.param(n, marks=pytest.mark.slow) for n in ("random", "surrogate"))],
)
def test_a_resumed_study_asks_for_the_same(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter], searcher: str
) -> None:
    chosen = {"searcher": {"name": searcher}, "trials": 9}
    whole = begin(store, limited(tmp_path, study="whole", **chosen), meter)
    run_all(whole)
    settings = limited(tmp_path, study="broken", protocol={"epochs": 3}, **chosen)
    session = begin(store, settings, meter)
    for _ in range(4):
        assignment = session.next_assignment()
        assert assignment is not None
        train(session, assignment, [0.4, 0.5])
    end(store, session)
    measured = len(meter.measured)
    session = begin(store, settings, meter)
    run_all(session)
    assert len(meter.measured) - measured <= 9  # of parts and networks only the new networks
    ids = [
        [trial.architecture_id for trial in store.trials.of_study(each.record.id)]
        for each in (whole, session)
    ]
    assert ids[0] == ids[1]


def test_parts_and_networks_are_measured_once_for_all_studies(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    first, second = limited(tmp_path, study="first"), limited(tmp_path, study="second")
    planned(store, first, meter)
    total = len(set(parts_of_space(first.search_space)))
    assert len(meter.measured) == total + 6
    said: list[str] = []
    planned(store, second, meter, said)
    assert len(meter.measured) == total + 6
    assert "fitted" not in " ".join(said)
    planned(store, limited(tmp_path, 1.3, study="third"), meter)
    assert len(meter.measured) == total + 12  # another limit has networks near it


def test_initial_points_that_are_too_slow_are_left_out_and_said(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, 1.42, initial=["named"], trials=3)
    said: list[str] = []
    session = begin(store, settings, meter, said)
    run_all(session)
    assert any("initial points are predicted far above 1.42 ms, and left out" in s for s in said)


def test_what_does_not_run_is_infeasible_and_stops_nothing(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, trials=4, stop_after_same_failures=2)
    session = begin(store, settings, meter)
    known = {*meter.measured}
    meter.broken = {each.id for each in settings.search_space.enumerate()}
    run_all(session)
    trials = store.trials.of_study(session.record.id)
    assert len(trials) == 4
    broken = [trial for trial in trials if trial.architecture_id not in known]
    assert len(broken) > 2
    for trial in broken:
        assert (trial.state, trial.epochs_done) == (TrialState.INFEASIBLE, 0)
        assert "could not be measured: OutOfMemoryError" in str(trial.reason)


def test_a_part_that_does_not_run_is_said_and_its_networks_are_infeasible(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings, said = limited(tmp_path, trials=12), list[str]()
    space = settings.search_space
    part = next(p for p in parts_of_space(space) if p.kind == "block" and p.width == 16)
    with_it = {each.id for each in space.enumerate() if part in parts_of(each)}
    meter.broken = {part.id, *with_it}
    session = begin(store, settings, meter, said)
    assert any("1 part of" in each and "do not run here" in each for each in said)
    run_all(session)
    trials = store.trials.of_study(session.record.id)
    broken = [trial for trial in trials if trial.architecture_id in with_it]
    assert all(trial.state == TrialState.INFEASIBLE for trial in broken)
    assert any(trial.state == TrialState.COMPLETE for trial in trials)


def test_a_disturbed_machine_refuses_nobody_and_lets_nobody_slow_pass(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    meter.busy = ("other processes",)
    settings, said = limited(tmp_path, trials=12), list[str]()
    session = begin(store, settings, meter, said)
    assert any("the machine was not quiet" in each for each in said)
    run_all(session)
    trials = store.trials.of_study(session.record.id)
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    networks = networks_of(store, session.record)
    kept = study_objectives(store, "tiny").kept
    assert kept == {id_: network_ms(networks[id_]) <= LIMIT for id_ in kept}
    assert set(kept.values()) == {True, False}
    sentence = study_objectives(store, "tiny").latency_sentence
    assert sentence is not None
    assert "while the machine was not quiet" in sentence


def test_what_is_asked_for_under_a_limit_is_measured_within_it(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    wanted = {"validation_accuracy": "maximise", "latency": "minimise"}
    settings = limited(tmp_path, trials=12, objectives=wanted)
    session = begin(store, settings, meter)
    run_all(session)
    networks = networks_of(store, session.record)
    for text in (f"latency <= {LIMIT} ms", "latency < 1500us", "latency < 1.4"):
        bound = {"latency < 1500us": 1.5, "latency < 1.4": 1.4}.get(text, LIMIT)
        rows = best(store, study="tiny", where=text, top=None)
        assert {row.architecture_id for row in rows} == {
            id_
            for id_, network in networks.items()
            if network_ms(network) <= bound and network_ms(network) <= LIMIT
        }
    objectives = settings.parsed_objectives
    rows = evaluated(store, "tiny", objectives.names)
    assert {row.architecture_id: row.values["latency"] for row in rows} == {
        row.architecture_id: network_ms(networks[row.architecture_id]) for row in rows
    }
    shown = front(store, "tiny", objectives)
    assert [row.values["latency"] for row in shown] == [
        min(network_ms(networks[row.architecture_id]) for row in rows)
    ]  # all are equally accurate here


def test_searchers_go_by_predictions_and_results_by_measurements(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, None, objectives={"latency": "minimise"}, trials=4)
    plan = planned(store, settings, meter)
    session = begin(store, settings, meter)
    run_all(session)
    for network in networks_of(store, session.record).values():
        assert task_of(settings, plan).known(network)["latency"] == plan.predictor(network)
        measured = task_of_study(store, session.record, settings).known(network)
        assert measured["latency"] == network_ms(network)
    assert plan.limit is None
