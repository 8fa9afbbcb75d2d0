"""What a study measures before it begins, and keeps to when it goes on; on made-up figures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.driver import latency_plan, latency_table
from search.driver.latency_check import of_ids
from search.driver.latency_machine import with_place
from search.driver.latency_plan import plan_of_study, prepare_latency
from search.driver.latency_table import parts_to_measure, space_id
from search.store import Store, open_store
from space.errors import InputError
from tests.search.driving import run_all
from tests.search.latency_study import (
    LIMIT,
    STAGES,
    begin,
    few_draws,
    limited,
    meter,
    planned,
    store,
)
from tests.search.small import SPACE, config
from tests.support.made_up_meter import DEVICE, MadeUpMeter, figure, part_ms
from trainers.latency import LatencySpec, NotMeasured, parts_of, parts_of_space

__all__ = ["few_draws", "meter", "store"]


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


def test_the_plan_that_is_stored_predicts_the_same_whatever_is_measured_later(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path, latency={"at_most": LIMIT, "networks": 6, "parts": 10})
    session = begin(store, settings, meter)
    study = session.record
    before = plan_of_study(store, study)
    assert len(before.predictor.parts) == 10
    assert (before.pace, before.limit) == (1.0, LIMIT)
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


def test_the_parts_of_a_vast_space_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = limited(tmp_path).search_space
    number = len({*parts_of_space(space)})
    monkeypatch.setattr(latency_table, "_MOST_COUNTED", number)
    assert parts_to_measure(space, 10)[1] == number
    monkeypatch.setattr(latency_table, "_MOST_COUNTED", number - 1)
    some, total = parts_to_measure(space, 10)
    assert (len(some), total) == (10, None)


def test_a_space_of_two_networks_gives_no_prediction(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    space = SPACE | {
        "mixers": [{"operator": "dw-s conv.", "kernel_size": 3}],
        "stages": [{"depth": [1, 2], "width": 16, "mlp_ratio": 2}],
    }
    said = "^space: has 2 networks; a prediction needs 3 to begin$"
    with pytest.raises(InputError, match=said):
        planned(store, limited(tmp_path, space=space), meter)


def test_where_too_few_random_networks_run_there_is_no_plan(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path)
    planned(store, settings, meter)
    tried = [each for each in meter.measured if len(each) == len(meter.measured[-1])][-6:]
    other = MadeUpMeter.fresh()
    other.broken = {*tried[1:]}
    with open_store(str(tmp_path / "other.db"), create=True) as empty:
        with pytest.raises(NotMeasured, match=r"^of 6 random networks 1 run here$"):
            planned(empty, settings, other)
        assert not empty.studies.exists(settings.study)


def test_what_surprises_of_a_setting_is_said_first(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(latency_plan, "cautions", lambda spec: [f"{spec.precision} is slow"])
    said: list[str] = []
    planned(store, limited(tmp_path), meter, said)
    assert said[0] == "Latency: float32 is slow."


def test_where_nothing_is_wanted_of_latency_nothing_is_started(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    said: list[str] = []
    assert prepare_latency(store, config(tmp_path), None, said.append, meter) is None
    assert (meter.started, said) == (0, [])


def test_a_predictor_stays_that_of_the_parts_which_it_was_fitted_on(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    settings = limited(tmp_path)
    before = planned(store, settings, meter)
    setting = before.setting
    for part in before.predictor.parts:
        slower = with_place(figure(9 * part_ms(part)))  # of this machine, as it says
        store.latencies.add_part(setting, part.id, part.to_dict(), slower)
    number = len(meter.measured)
    after = planned(store, settings, meter)
    assert len(meter.measured) == number
    for network in settings.search_space.distinct(10, np.random.default_rng(0)):
        assert after.predictor(network) == before.predictor(network)
    assert after.up_to == before.up_to


def test_parts_that_were_measured_on_a_busy_machine_are_counted(
    store: Store, tmp_path: Path, meter: type[MadeUpMeter]
) -> None:
    meter.busy, said = ("other processes",), list[str]()
    settings = limited(tmp_path)
    planned(store, settings, meter, said)
    parts = len({*parts_of_space(settings.search_space)})
    assert (
        f"Latency: the machine was not quiet while {parts} of {parts} parts were measured, even "
        "when measured again."
    ) in said
    assert (
        "Latency: the machine was not quiet while 6 of 6 networks were measured, even when "
        "measured again."
    ) in said


def test_what_measures_is_told_how_by_which_pace_and_with_which_modules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(latency_plan, "MeterProcess", lambda *given: given)
    spec = LatencySpec(batch=4)
    assert latency_plan.start_meter(spec, 1.5, ("mine",)) == (spec, 1.5, ("mine",))


def test_networks_are_checked_in_a_setting_that_there_is(store: Store) -> None:
    for known, said in (
        ([], "the store has none yet: `latency build` makes one"),
        (["abcd", "ef01"], "the store has abcd, ef01"),
    ):
        for each in reversed(known):
            store.latencies.add_setting(each, LatencySpec().to_dict(), DEVICE.to_dict())
        with pytest.raises(InputError) as refused:
            of_ids(store, ["0"], None)
        assert str(refused.value) == f"--setting: say in which one; {said}"
