"""The benchmark of latency, on made-up figures: what it selects, what it says of the promise."""

import json
from pathlib import Path

import pytest
import yaml

from benchmarks import latency
from search.driver.latency_check import PROMISE
from tests.search.small import SPACE
from tests.support.made_up_meter import MadeUpMeter


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[type[MadeUpMeter], list[str]]:
    made_up = MadeUpMeter.fresh()
    monkeypatch.setattr(latency, "MeterProcess", made_up)
    file = tmp_path / "space.yaml"
    stages = [{"depth": [1, 2], "width": [16, 32], "mlp_ratio": 2}] * 2
    file.write_text(yaml.safe_dump(SPACE | {"stages": stages}))
    return made_up, ["--space", str(file), "--networks", "9", "--select", "6", "--threads", "1"]


def test_a_promise_that_is_kept(
    space: tuple[type[MadeUpMeter], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    latency.main([*space[1], "--runtimes", "eager", "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert found["kept"] is True
    assert found["highest"] <= 0 < found["limit_ms"]
    assert found["selected"] == 6 >= found["returned"] > 0
    assert found["change"] == found["disturbed"] == 0
    assert 0 < found["prediction"]["median"] <= found["prediction"]["largest"] < 0.2


def test_a_promise_that_is_broken(
    space: tuple[type[MadeUpMeter], list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made_up, arguments = space

    def slower_every_time(architecture: object) -> float:
        return 1.0 if made_up.started < 3 else 1.5

    monkeypatch.setattr(made_up, "slower", staticmethod(slower_every_time))
    latency.main([*arguments, "--runtimes", "eager"])
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "eager" in line]
    assert row.rstrip(" |").endswith("broken")
    assert "50.0%" in row
    assert 0 < PROMISE < 0.5


def test_what_cannot_be_measured_is_left_out_and_said(
    space: tuple[type[MadeUpMeter], list[str]],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: object, *_: object) -> None:
        raise latency.InputError.of("latency.device", "this machine has no cuda:0")

    monkeypatch.setattr(space[0], "__init__", refuse)
    latency.main([*space[1], "--runtimes", "eager", "--json"])
    said = capsys.readouterr()
    assert json.loads(said.out) == []
    assert "left out: latency.device: this machine has no cuda:0" in said.err
