"""A search under a limit of latency, on made-up figures: what is proposed, trained and returned."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mixspace
from search.config import Config
from search.driver import latency_table
from search.driver.assignment import Assignment
from search.driver.latency_confirmation import LatencyConfirmation
from search.driver.latency_plan import LatencyPlan, plan_of_study, prepare_latency
from search.driver.latency_table import parts_to_measure, space_id
from search.driver.retraining import best_of
from search.driver.session import StudySession
from search.driver.study_setup import begin_session, create_study, task_of, task_of_study
from search.query import best, best_within_bounds, evaluated, front, study_objectives
from search.store import Store, StudyRecord, TrialState, open_store
from space import Architecture, DesignSpace
from space.errors import InputError
from tests.search.driving import HASHES, begin_run, end, run_all, train
from tests.search.small import SPACE, config
from tests.support.made_up_meter import MadeUpMeter, network_ms
from trainers.latency import parts_of, parts_of_space

LIMIT = 1.7
STAGES = [
    {"depth": [1, 2], "width": [16, 32], "mlp_ratio": 2},
    {"depth": 1, "width": [32, 48], "mlp_ratio": 2},
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_table, "_TRIED", 100)


@pytest.fixture
def meter() -> type[MadeUpMeter]:
    return MadeUpMeter.fresh()


def limited(tmp_path: Path, limit: float | None = LIMIT, **changes: Any) -> Config:
    latency = {"networks": 6} | ({} if limit is None else {"at_most": limit})
    space = SPACE | {"stages": STAGES}
    return config(tmp_path, **{"space": space, "latency": latency, "trials": 8} | changes)


def planned(
    store: Store, settings: Config, meter: type[MadeUpMeter], said: list[str] | None = None
) -> LatencyPlan:
    say = (said if said is not None else []).append
    found = store.studies.get(settings.study) if store.studies.exists(settings.study) else None
    plan = prepare_latency(store, settings, found, say, meter)
    assert plan is not None
    return plan


def begin(
    store: Store,
    settings: Config,
    meter: type[MadeUpMeter],
    said: list[str] | None = None,
) -> StudySession:
    plan = planned(store, settings, meter, said)
    protocol = settings.protocol.bound_to(*HASHES)
    study = (
        store.studies.get(settings.study)
        if store.studies.exists(settings.study)
        else create_study(store, settings, protocol, latency=plan)
    )
    return begin_session(
        store,
        study,
        begin_run(store, study.id),
        settings,
        protocol,
        say=(said if said is not None else []).append,
        latency=LatencyConfirmation(store, plan, settings.study, make_meter=meter),
    )


def networks_of(store: Store, study: StudyRecord) -> dict[str, Architecture]:
    history = store.studies.history(study.id)
    return {id_: Architecture.from_json(each.json) for id_, each in history.networks.items()}


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


def test_a_limit_that_nothing_keeps_is_refused_before_there_is_a_study(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    with pytest.raises(InputError, match="none of 100 random networks") as refused:
        planned(store, limited(tmp_path, 0.01), meter)
    assert refused.value.problems[0].where == "constraints.latency"
    assert not store.studies.exists("tiny")


def test_a_predictor_is_for_a_space_whatever_its_name_and_limits(tmp_path: Path) -> None:
    def id_of(limit: float | None = LIMIT, **changes: Any) -> str:
        settings = limited(tmp_path, space=SPACE | {"stages": STAGES} | changes)
        assert settings.latency is not None
        return space_id(settings.search_space, settings.latency, limit)

    mine = id_of()
    assert id_of(name="another", limits={"params": 10_000_000}) == mine
    others = {id_of(block_type="prenorm"), id_of(classes=4), id_of(2 * LIMIT), id_of(None)}
    assert len(others | {mine}) == 5


def test_a_study_goes_on_on_its_own_device_alone(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, trials=2)
    run_all(begin(store, settings, meter))

    class Elsewhere(MadeUpMeter):
        device = MadeUpMeter.device.from_dict(MadeUpMeter.device.to_dict() | {"driver": "driver 2"})

    with pytest.raises(
        InputError, match="measures on another device: driver 'driver 1'"
    ) as refused:
        planned(store, limited(tmp_path, trials=4), Elsewhere)
    assert refused.value.problems[0].where == "latency"


def test_a_stored_device_that_cannot_be_read_is_named(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    run_all(begin(store, limited(tmp_path, trials=2), meter))
    study = store.studies.get("tiny")
    latency = study.objective["latency"]
    damaged = replace(study, objective=study.objective | {"latency": latency | {"device": {}}})
    with pytest.raises(InputError) as refused:
        plan_of_study(store, damaged)
    assert {problem.where.split(".")[0] for problem in refused.value.problems} == {"latency"}


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


def test_beside_other_trials_nothing_is_measured_until_the_end(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, trials=6)
    session = begin(store, settings, meter)
    known = {*meter.measured}
    first, second = (unknown_assignment(session, known) for _ in range(2))
    assert first.architecture.id in meter.measured
    assert second.architecture.id not in meter.measured
    for assignment in (first, second):
        train(session, assignment, [0.4, 0.5])
    session.measure_no_more()
    wanted = study_objectives(store, settings.study)
    assert wanted.kept[second.architecture.id] is False  # nobody calls it feasible yet
    handed_on = {id_ for id_, _ in best_of(store, session.record, settings, 10)}
    assert first.architecture.id in handed_on
    assert second.architecture.id not in handed_on
    at_the_end(store, session, meter)
    wanted = study_objectives(store, settings.study)
    assert wanted.kept[second.architecture.id] is (network_ms(second.architecture) <= LIMIT)


def unknown_assignment(session: StudySession, known: set[str]) -> Assignment:
    """The next one whose network was not measured before the search."""
    while True:
        assignment = session.next_assignment()
        assert assignment is not None
        if assignment.architecture.id not in known:
            return assignment
        train(session, assignment, [0.4, 0.5])


def at_the_end(
    store: Store,
    session: StudySession,
    meter: type[MadeUpMeter],
    said: list[str] | None = None,
    stopped: bool = False,
) -> None:
    study = session.record
    plan = plan_of_study(store, study)
    networks = networks_of(store, study)
    rows = best(store, study=study.name, where="state = complete", top=None)
    trained = [networks[row.architecture_id] for row in rows]
    say = (said if said is not None else []).append
    LatencyConfirmation(store, plan, study.name, make_meter=meter).at_the_end(
        trained, lambda: stopped, say
    )


def test_the_end_measures_in_a_new_process_and_that_figure_counts(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, trials=6)
    session = begin(store, settings, meter)
    run_all(session)
    started, complete = meter.started, best(store, study="tiny", top=None)
    assert complete
    meter.slower = staticmethod(lambda architecture: 3.0)  # the first figures were lucky
    at_the_end(store, session, meter)
    assert meter.started == started + 1
    assert study_objectives(store, "tiny").keeping == []
    assert best(store, study="tiny", where=f"latency <= {LIMIT} ms", top=None) == []
    bounds = rf"keeps its constraints \(latency at most {LIMIT} ms\)"
    with pytest.raises(InputError, match=f"{bounds}; name what to export by its id"):
        best_within_bounds(store, "tiny", 1, "export")
    with pytest.raises(InputError, match=f"{bounds}; name what to load by its id"):
        mixspace.Study("tiny", str(tmp_path / "tiny.db")).load()
    with pytest.raises(InputError, match=f"{bounds} to retrain"):
        best_of(store, session.record, settings, 1)


def test_what_is_too_slow_after_all_is_not_handed_on(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    """To full training, test or export, however accurate it is."""
    settings = limited(tmp_path, trials=6)
    session = begin(store, settings, meter)
    run_all(session)
    first, *others = [row.architecture_id for row in best(store, study="tiny", top=None)]
    assert others
    meter.slower = staticmethod(lambda architecture: 3.0 if architecture.id == first else 1.0)
    at_the_end(store, session, meter)
    rows = best_within_bounds(store, "tiny", 10, "export")
    assert [row.architecture_id for row in rows] == others
    assert {id_ for id_, _ in best_of(store, session.record, settings, 10)} == {*others}


def test_one_that_cannot_be_measured_at_the_end_keeps_no_other_from_it(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings, said = limited(tmp_path, trials=6), list[str]()
    session = begin(store, settings, meter)
    run_all(session)
    complete = [row.architecture_id for row in best(store, study="tiny", top=None)]
    meter.broken, before = {complete[0]}, len(meter.measured)
    at_the_end(store, session, meter, said)
    assert sorted(meter.measured[before:]) == sorted(complete[1:])
    assert f"Latency: {complete[0]} could not be measured: OutOfMemoryError" in " ".join(said)
    assert said[-1] == "Latency: left unmeasured: 1 network."
    meter.broken = {*complete}
    at_the_end(store, session, meter, said)
    assert len(meter.measured) == before + len(complete) - 1


def test_a_stopped_run_says_what_was_left_unmeasured(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    session = begin(store, limited(tmp_path, trials=4), meter)
    run_all(session)
    said: list[str] = []
    at_the_end(store, session, meter, said, stopped=True)
    assert "left unmeasured" in said[-1]


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


def test_the_plan_that_is_stored_predicts_the_same_whatever_is_measured_later(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, latency={"at_most": LIMIT, "networks": 6, "parts": 10})
    session = begin(store, settings, meter)
    study = session.record
    before = plan_of_study(store, study)
    assert len(before.predictor.parts) == 10
    planned(store, limited(tmp_path, study="more"), meter)  # measures all the other parts
    after = plan_of_study(store, study)
    for network in settings.search_space.distinct(10, np.random.default_rng(0)):
        assert after.predictor(network) == before.predictor(network)
    assert any(before.predictor.estimated(n) for n in settings.search_space.enumerate())


def test_of_too_many_parts_the_frequent_ones_are_measured(tmp_path: Path) -> None:
    space = limited(tmp_path).search_space
    some, total = parts_to_measure(space, 10)
    every, same = parts_to_measure(space, 1000)
    assert (len(some), total, same) == (10, len(every), len(every))
    assert set(some) < set(every) == set(parts_of_space(space))
    heads = {part for network in space.enumerate() for part in parts_of(network)}
    assert set(some) < heads
