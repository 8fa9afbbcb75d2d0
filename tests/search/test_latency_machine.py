"""Two machines that say the same of themselves: whose table is used, and what is said; made up."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

from search.cli.program import run_program
from search.config import Config
from search.driver import latency_machine, latency_plan, latency_time
from search.driver.latency_machine import measured_again, with_place
from search.driver.latency_plan import prepare_latency
from search.driver.latency_table import stored_table
from search.driver.latency_time import TimeLeft, beforehand
from search.driver.study_setup import create_study
from search.store import Store, open_store
from space.errors import InputError
from tests.search.driving import HASHES
from tests.search.small import SPACE, config
from tests.support.made_up_meter import DEVICE, MadeUpMeter, figure, part_ms
from trainers.latency import Latency, LatencySpec, NotMeasured, Part


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


class Machine(MadeUpMeter):
    """A made-up machine, which takes so many times as long as others of its name."""

    times: ClassVar[float] = 1.0

    def parts(self, parts: Sequence[Part]) -> Iterator[Latency | NotMeasured]:
        """Made up."""
        for part in parts:
            self.measured.append(part.id)
            yield figure(part_ms(part) * self.times, self.busy)


def machine(times: float = 1.0, *busy: str) -> type[Machine]:
    notes: dict[str, Any] = {"measured": [], "times": times, "busy": busy}
    return type("Slower", (Machine,), notes)


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The id of the running kernel, to be changed."""
    now: list[str | None] = ["first"]
    monkeypatch.setattr(latency_machine, "here", lambda: now[0])
    return now


def limited(tmp_path: Path, **changes: Any) -> Config:
    return config(tmp_path, latency={"networks": 6, "at_most": 100.0} | changes, space=SPACE)


def prepared(store: Store, settings: Config, meter: type[Machine]) -> tuple[int, list[str]]:
    """How many parts and networks were measured, and what was said."""
    said: list[str] = []
    found = store.studies.get(settings.study) if store.studies.exists(settings.study) else None
    plan = prepare_latency(store, settings, found, said.append, meter)
    if found is None:
        create_study(store, settings, settings.protocol.bound_to(*HASHES), latency=plan)
    return len(meter.measured), said


def again(settings: Config, name: str) -> Config:
    return settings.model_copy(update={"study": name})


@pytest.mark.parametrize("other", ["second", None])
def test_a_machine_that_is_as_fast_shares_a_table_and_is_asked_once(
    store: Store, tmp_path: Path, boot: list[str | None], other: str | None
) -> None:
    settings = limited(tmp_path)
    assert prepared(store, settings, machine())[0] > 20
    assert prepared(store, again(settings, "b"), machine(3.0))[0] == 0  # the same since its start
    boot[0] = other
    number, said = prepared(store, again(settings, "c"), machine(1.08))
    assert (number, [line for line in said if "warning" in line]) == (5, [])
    asked = 0 if other is not None else 5  # a system that does not say is asked each time
    assert prepared(store, again(settings, "d"), machine(1.08))[0] == asked


@pytest.mark.parametrize("times", [1.4, 0.7])
def test_one_that_is_far_slower_or_quicker_is_refused_until_it_has_a_name(
    store: Store, tmp_path: Path, boot: list[str | None], times: float
) -> None:
    settings = limited(tmp_path)
    whole, _ = prepared(store, settings, machine())
    boot[0] = "second"
    with pytest.raises(InputError, match=f"took {times:.2f} times as long here") as refused:
        prepared(store, again(settings, "b"), machine(times))
    assert refused.value.problems[0].where == "latency.machine"
    assert "a name gives it a table of its own: latency.machine=NAME" in str(refused.value)
    assert not store.studies.exists("b")

    named = limited(tmp_path, machine="box-2").model_copy(update={"study": "b"})
    assert prepared(store, named, machine(times))[0] == whole
    assert len(store.latencies.settings()) == 2
    boot[0] = "first"
    assert prepared(store, again(settings, "c"), machine())[0] == 0


@pytest.mark.parametrize(("times", "busy"), [(1.2, ()), (2.0, ("other processes",))])
def test_what_may_be_a_phase_is_said_and_asked_about_again(
    store: Store, tmp_path: Path, boot: list[str | None], times: float, busy: tuple[str, ...]
) -> None:
    settings = limited(tmp_path)
    prepared(store, settings, machine())
    boot[0] = "second"
    for name in ("b", "c"):
        number, said = prepared(store, again(settings, name), machine(times, *busy))
        assert number == 5
        assert any("warning: the table was measured elsewhere, or before" in s for s in said)


def test_a_study_that_goes_on_is_warned_alone(
    store: Store, tmp_path: Path, boot: list[str | None]
) -> None:
    settings = limited(tmp_path)
    prepared(store, settings, machine())
    assert prepared(store, settings, machine(2.0)) == (0, [])
    boot[0] = "second"
    number, (said,) = prepared(store, settings, machine(2.0))
    assert number == 5
    assert "5 parts of it, measured again, took 2.00 times as long here (2.00 to 2.00)" in said


def test_five_parts_from_quick_to_slow_are_measured_at_no_pace_but_their_own(
    store: Store, tmp_path: Path, boot: list[str | None]
) -> None:
    prepared(store, limited(tmp_path), machine())
    table, _ = stored_table(store, LatencySpec(), DEVICE)
    ordered = sorted(figure.median_ms for figure in table.figures.values())
    boot[0] = "second"
    meter = machine()(LatencySpec())
    meter.pace = 0.5
    found = measured_again(table, meter)
    assert found is not None
    assert meter.pace == 0.5
    times = [each.median_ms for each in found.figures.values()]
    assert (times[0], times[-1], times) == (ordered[0], ordered[-1], sorted(times))


def test_where_no_part_runs_any_more_the_machines_are_not_compared(
    store: Store, tmp_path: Path, boot: list[str | None]
) -> None:
    class Broken(MadeUpMeter):
        def parts(self, parts: Sequence[Part]) -> Iterator[Latency | NotMeasured]:
            return (NotMeasured("it does not run") for _ in parts)

    prepared(store, limited(tmp_path), machine())
    table, _ = stored_table(store, LatencySpec(), DEVICE)
    boot[0] = "second"
    assert measured_again(table, Broken(LatencySpec())) is None


def test_a_figure_of_the_store_has_its_place_and_is_read_as_before() -> None:
    plain = figure(1.0)
    kept = with_place(plain)
    assert kept["device"]["boot"] == latency_machine.here()
    assert Latency.from_dict(kept).to_dict() | {"device": plain.device} == plain.to_dict()


def test_a_table_of_a_file_is_refused_before_it_is_in_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(SPACE))
    build = ["latency", "build", "space.yaml", "--networks", "6"]
    monkeypatch.setattr(latency_plan, "MeterProcess", machine())
    assert run_program([*build, "--out", "table.json", "--store", "a.db"]) == 0
    monkeypatch.setattr(latency_plan, "MeterProcess", machine(1.5))
    other = ["--from", "table.json", "--store", "b.db"]
    capsys.readouterr()
    assert run_program([*build, *other]) == 2
    assert "table.json: the table was measured elsewhere" in capsys.readouterr().err
    with open_store("b.db", create=False) as store:
        assert store.latencies.settings() == []
    assert run_program([*build, "--machine", "box-2", "--store", "b.db"]) == 0
    with open_store("b.db", create=False) as store:
        assert store.latencies.settings()[0].spec["machine"] == "box-2"


def test_how_long_it_takes_at_most_is_said_beforehand() -> None:
    said = beforehand(400, 15, LatencySpec())
    assert said == "400 parts and 15 whole networks, at most 9 min 55 s on a quiet machine"
    compiled = beforehand(1, 0, LatencySpec(runtime="compile"))
    assert compiled == "1 part, at most 1 s on a quiet machine, beside compiling each of them"


def test_the_time_that_is_left_is_corrected_as_things_are_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, said = [0.0], list[str]()
    monkeypatch.setattr(latency_time, "monotonic", lambda: now[0])
    left = TimeLeft(100, "part", said.append, together=6)
    for done in range(1, 101):  # six come at once, as they are measured in turns
        now[0] += 0 if done % 6 != 1 else 3.0 if done <= 48 else 12.0
        left.measured(done)
    assert said == [
        "Latency: 6 of 100 parts measured, about 47 s left ...",
        "Latency: 42 of 100 parts measured, about 29 s left ...",
        "Latency: 60 of 100 parts measured, about 32 s left ...",
        "Latency: 72 of 100 parts measured, about 28 s left ...",
        "Latency: 84 of 100 parts measured, about 18 s left ...",
        "Latency: 96 of 100 parts measured, about 5 s left ...",
    ]


def test_of_what_is_quick_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    said = list[str]()
    monkeypatch.setattr(latency_time, "monotonic", lambda: 7.0)
    left = TimeLeft(30, "part", said.append, together=6)
    for done in range(1, 31):
        left.measured(done)
    assert said == []


def test_a_system_that_does_not_say_which_kernel_runs_has_no_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def silent() -> tuple[str, str]:
        raise FileNotFoundError("/proc")

    monkeypatch.setattr(latency_machine, "kernel_of_this_process", silent)
    assert latency_machine.here() is None
