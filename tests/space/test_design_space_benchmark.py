"""The benchmark of counting and drawing runs and prints what it promises; nothing is timed here."""

import json
from typing import Any

import pytest

from benchmarks import space as benchmark
from space import DesignSpace

SMALL = "configs/spaces/fashion-quickstart.yaml"


def test_it_prints_json_with_the_machine_and_the_spread(capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.main(["--space", SMALL, "--samples", "5", "--repeats", "2", "--json"])
    values = json.loads(capsys.readouterr().out)
    assert {"processor", "cores", "python", "numpy"} <= set(values["machine"])
    (result,) = values["spaces"]
    assert result["feasible"] == DesignSpace.from_yaml(SMALL).count()
    for name in ("count_seconds", "per_second", "rejection_per_second"):
        figure: dict[str, float] = result[name]
        assert 0 <= figure["low"] <= figure["median"] <= figure["high"]


def test_it_prints_a_table_for_its_own_spaces(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stages: list[dict[str, Any]] = [
        stage | {"mlp_ratio": 2} for stage in benchmark.IMAGENET["stages"]
    ]
    monkeypatch.setitem(benchmark.IMAGENET, "stages", stages[:2])
    benchmark.main(["--samples", "3", "--repeats", "1"])
    printed = capsys.readouterr().out
    assert printed.count("feasible, counted exactly") == 3
    assert "networks a second, rejection" in printed
