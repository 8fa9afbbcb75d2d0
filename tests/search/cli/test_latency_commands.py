"""`run` under a limit, and `latency build`, `show` and `check`, on made-up figures."""

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml

from search.cli.program import run_program
from search.driver import latency_plan
from search.driver.study_setup import create_study
from search.query import best
from search.store import open_store
from space import Architecture, DesignSpace
from tests.search.small import SPACE, config, values
from tests.search.without_ray import in_place_of_ray
from tests.support.made_up_meter import MadeUpMeter, network_ms

LIMIT = 1.0


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> type[MadeUpMeter]:
    made_up = MadeUpMeter.fresh()
    monkeypatch.setattr(latency_plan, "MeterProcess", made_up)
    return made_up


@pytest.fixture(scope="module")
def after_a_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A folder in which a study under a limit has been run, and what that printed."""
    folder = tmp_path_factory.mktemp("ran")
    latency = {"device": "cpu", "at_most": f"{LIMIT} ms", "networks": 6}
    (folder / "a.yaml").write_text(yaml.safe_dump(values(latency=latency, trials=10)))
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency_plan, "MeterProcess", MadeUpMeter.fresh())
        in_place_of_ray(patch, folder)
        patch.chdir(folder)
        with redirect_stdout(out), redirect_stderr(err):
            assert run_program(["run", "a.yaml", "--store", "a.db"]) == 0
    return folder, out.getvalue(), err.getvalue()


@pytest.fixture
def ran(
    after_a_run: tuple[Path, str, str],
    meter: type[MadeUpMeter],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> type[MadeUpMeter]:
    """A copy of its store is here."""
    shutil.copy(after_a_run[0] / "a.db", tmp_path / "a.db")
    monkeypatch.chdir(tmp_path)
    return meter


STORE = ["--store", "a.db"]


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    capsys.readouterr()
    assert run_program([*arguments, *STORE, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_the_report_says_what_keeps_the_limit_and_what_the_search_went_by(
    after_a_run: tuple[Path, str, str],
) -> None:
    _, out, err = after_a_run
    assert "latency at most 1 ms" in out
    assert "medians measured on a made-up device (batch 1, float32, eager" in out
    assert "held-out network" in out
    assert " ms" in out.split("Pareto front")[0]
    assert "Latency: measuring" in err
    assert "while nothing trains ..." in err


def test_all_that_is_returned_under_the_limit_is_within_it(
    ran: type[MadeUpMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = answer(capsys, "best", "--where", f"latency <= {LIMIT} ms", "--study", "tiny")
    assert rows
    with open_store("a.db", create=False) as store:
        for row in rows:
            record = store.architectures.get(row["architecture_id"])
            architecture = Architecture.from_json(record.json)
            assert row["latency_ms"] == network_ms(architecture) <= LIMIT
            assert row["keeps_constraints"] is True


def test_check_measures_again_what_the_study_returns(
    ran: type[MadeUpMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    started = ran.started
    found = answer(capsys, "latency", "check", "tiny")
    assert ran.started == started + 1
    assert [each["kept"] for each in found] == [True] * len(found)
    assert all(each["change"] == 0 for each in found)
    assert all(abs(each["predicted_ms"] / each["stored_ms"] - 1) < 0.2 for each in found)
    ran.slower = staticmethod(lambda architecture: 2.0)
    again = answer(capsys, "latency", "check", "tiny", code=1)
    assert not any(each["kept"] for each in again)
    assert run_program(["latency", "check", "tiny", *STORE]) == 2  # nothing keeps the limit now
    assert "no complete trial that keeps its limit" in capsys.readouterr().err


def test_show_says_what_was_measured_where_and_for_whom(
    ran: type[MadeUpMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    (row, *_) = answer(capsys, "best", "--study", "tiny")
    shown = answer(capsys, "show", row["architecture_id"])
    (found,) = shown["latencies"]
    assert found["median_ms"] == row["latency_ms"]
    assert found["measured_for"] == "study tiny, at the end of a run"
    assert (found["times"], found["disturbed"]) == (2, False)
    assert run_program(["show", row["architecture_id"], *STORE]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"Latency: {row['latency_ms']:.3g} ms (" in said
    assert "on a made-up device; device cpu, batch 1" in said


def test_check_of_single_networks_says_what_changed(
    ran: type[MadeUpMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    rows = answer(capsys, "best", "--study", "tiny")
    id_ = rows[0]["architecture_id"]
    ran.slower = staticmethod(lambda architecture: 1.5)
    capsys.readouterr()
    assert run_program(["latency", "check", id_, *STORE]) == 0
    said = capsys.readouterr()
    assert "+50.0%" in said.out
    assert "above limit" in said.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody"], "no id"),
        (["0123"], "no architecture's id begins with"),
        (["tiny", "--setting", "a"], "a study has its own"),
        (["free"], "study: 'free' neither wants nor limits latency"),
    ],
)
def test_what_check_refuses(
    ran: type[MadeUpMeter], capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    free = config(Path(), study="free")
    with open_store("a.db", create=False) as store:
        create_study(store, free, free.protocol.bound_to("0" * 16, "1" * 16))
    capsys.readouterr()
    assert run_program(["latency", "check", *arguments, *STORE]) == 2
    assert said in capsys.readouterr().err


def test_of_several_settings_one_must_be_named(
    ran: type[MadeUpMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store("a.db", create=False) as store:
        (known,) = store.latencies.settings()
        store.latencies.add_setting("f" * 16, known.spec, known.device)
        id_ = best(store, study="tiny")[0].architecture_id
    capsys.readouterr()
    assert run_program(["latency", "check", id_, *STORE]) == 2
    told = f"--setting: say in which one; the store has {'f' * 16}, {known.id}"
    assert told in capsys.readouterr().err


def test_figures_of_another_device_are_not_checked_here(
    ran: type[MadeUpMeter], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = MadeUpMeter.device.from_dict(MadeUpMeter.device.to_dict() | {"name": "a new device"})
    monkeypatch.setattr(ran, "device", other)
    assert run_program(["latency", "check", "tiny", *STORE]) == 2
    assert "the stored figures are of another device: name" in capsys.readouterr().err


def space_file(folder: Path) -> Path:
    path = folder / "space.yaml"
    path.write_text(yaml.safe_dump(SPACE))
    return path


def test_a_table_is_built_shown_exported_and_taken_in(
    tmp_path: Path,
    meter: type[MadeUpMeter],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    file = str(space_file(tmp_path))
    built = answer(capsys, "latency", "build", file, "--networks", "6", "--out", "table.json")
    assert built["parts"] == built["parts_of_space"]
    assert built["disturbed"] == 0
    assert built["predictor"]["error"]["n"] == 2
    shown = answer(capsys, "latency", "show")
    assert [(each["id"], each["parts"], each["networks"]) for each in shown] == [
        (built["setting"], built["parts"], 6)
    ]
    of_one = answer(capsys, "latency", "show", built["setting"][:4])
    assert of_one["parts"] == json.loads(Path("table.json").read_text())["parts"]
    assert of_one["predictors"][0]["line"] == built["predictor"]
    measured = len(meter.measured)
    other = ["--store", "b.db", "--networks", "6", "--from", "table.json"]
    assert run_program(["latency", "build", file, *other]) == 0
    assert len(meter.measured) - measured == 5 + 6  # five parts tell that it is this machine's
    assert f"{built['parts']} parts taken in" in capsys.readouterr().err
    threads = ["--threads", "2", "--from", "table.json"]
    assert run_program(["latency", "build", file, *threads, *STORE]) == 2
    assert "was measured elsewhere or otherwise: threads 1, and here 2" in capsys.readouterr().err


def test_again_measures_what_was_disturbed(
    tmp_path: Path, meter: type[MadeUpMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    build = ["latency", "build", str(space_file(tmp_path)), "--networks", "6"]
    build += ["--store", str(tmp_path / "a.db")]
    meter.busy = ("other processes",)
    assert run_program(build) == 0
    parts = len({*meter.measured}) - 6
    assert f"{parts} of them disturbed" in capsys.readouterr().out
    before = len(meter.measured)
    meter.busy = ()
    assert run_program(build) == 0
    assert len(meter.measured) == before
    assert run_program([*build, "--again"]) == 0
    assert len(meter.measured) - before == parts + 6
    assert "0 of them disturbed" in capsys.readouterr().out.splitlines()[-2]


def test_a_configuration_says_what_is_built_and_options_go_before(
    tmp_path: Path, meter: type[MadeUpMeter], capsys: pytest.CaptureFixture[str]
) -> None:
    latency = {"device": "cpu", "at_most": "1 ms", "networks": 6}
    file = tmp_path / "a.yaml"
    store = str(tmp_path / "a.db")
    file.write_text(yaml.safe_dump(values(latency=latency, store=store)))
    assert run_program(["latency", "build", str(file), "--batch", "4"]) == 0
    with open_store(store, create=False) as opened:
        (setting,) = opened.latencies.settings()
        (predictor,) = opened.latencies.predictors(setting.id)
    assert setting.spec["batch"] == 4
    assert predictor["limit_ms"] == 1.0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--device", "cuda:77"], "this machine has no cuda:77"),
        (["--threads", "0"], "latency.threads"),
        (["--runtime", "tensorrt"], "latency.runtime"),
        (["--set", "trials=3"], "changes a configuration"),
        (["--at-most", "soon"], "must be a time above 0 such as 5 ms"),
    ],
)
def test_what_build_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    store = ["--store", str(tmp_path / "a.db")]
    assert run_program(["latency", "build", str(space_file(tmp_path)), *options, *store]) == 2
    assert said in capsys.readouterr().err


def test_an_empty_store_says_how_to_fill_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "a.db")
    open_store(store, create=True).close()
    assert run_program(["latency", "show", "--store", store]) == 0
    assert "latency build SPACE" in capsys.readouterr().err
    assert run_program(["latency", "show", "abc", "--store", store]) == 2
    assert "there is none yet" in capsys.readouterr().err


def test_the_space_of_these_tests_is_partly_too_slow() -> None:
    every = [network_ms(each) for each in DesignSpace.from_dict(SPACE).enumerate()]
    assert 0.2 < sum(ms <= LIMIT for ms in every) / len(every) < 0.8
