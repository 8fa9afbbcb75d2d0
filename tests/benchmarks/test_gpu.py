"""The check that a GPU gets, pretended on a CPU: all of its parts run and are written down."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import gpu
from space import all_mixer_types


@pytest.mark.thorough
def test_it_runs_from_end_to_end(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.gpu", "--pretend", "--seconds", "1"]
    ended = subprocess.run(
        [*command, "--out", str(tmp_path / "found")], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found = json.loads((tmp_path / "found" / "gpu.json").read_text())
    assert found["pretended"] is True
    words = {each["mixer"] for each in found["parity"]}
    assert {"DW-S Conv. k7", "DW-S Conv. k31", "Dynamic DW-S Conv. k11"} <= words
    assert all(each["agrees"] for each in found["parity"])
    assert len(found["operators"]["rows"]) == 10
    assert len(found["training"]["rows"]) == 2
    assert [row["processes"] for row in found["sharing"]["rows"]] == [1, 2]
    assert found["search"]["trials"] >= 1
    assert 0 < found["search"]["best"] < 1
    told = (tmp_path / "found" / "gpu.md").read_text()
    assert told in ended.stdout
    for heading in ("## Parity", "## Operators", "## Training", "## Sharing", "## A search"):
        assert heading in told


def test_all_mixer_types_agree_on_the_device() -> None:
    """Here the device is a CPU, by whatever path is the default."""
    cpu = torch.device("cpu")
    every = [gpu.parity(gpu.mixer_of(each), cpu, torch.float32) for each in all_mixer_types()]
    assert len(every) == 74
    assert [each.mixer for each in every if not each.agrees] == []
    assert all(each.error > 0 for each in every)


def test_what_does_not_agree_or_does_not_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("no kernel image is available")

    first = all_mixer_types()[0]
    monkeypatch.setattr(gpu, "all_mixer_types", lambda: (first,))
    monkeypatch.setattr(gpu, "depthwise_mixers", lambda: ())
    monkeypatch.setattr(gpu, "measure_all", broken)
    monkeypatch.setattr(gpu, "measure_steps", broken)
    monkeypatch.setattr(gpu, "shared", broken)
    monkeypatch.setattr(gpu, "search_networks", broken)
    monkeypatch.setattr(gpu, "ALLOWED", {torch.float32: 0.0})
    found = gpu.check(torch.device("cpu"), 1, pretend=False)
    told = gpu.wrong(found)
    assert told[0].startswith(f"{gpu.mixer_of(first).label}, float32: ")
    assert told[1:] == [
        f"{each}: RuntimeError: no kernel image is available"
        for each in ("operators", "training", "graphs", "sharing", "search")
    ]
    assert "no kernel image is available" in gpu.report(found)


def test_without_a_gpu_it_is_refused() -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    command = [sys.executable, "-m", "benchmarks.gpu"]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 2
    assert "no GPU here; --pretend runs it on a CPU" in ended.stderr
