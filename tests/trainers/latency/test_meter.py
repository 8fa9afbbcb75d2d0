"""What is said to the process that measures, and what becomes of its answers; it has no torch."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from space.errors import InputError
from tests.space.spaces import small
from tests.support.made_up_meter import DEVICE, figure
from trainers.latency import Effort, Latency, LatencySpec, MeterProcess, NotMeasured, parts_of
from trainers.latency.meter import ROOT

SPEC = LatencySpec(batch=2)
HELLO = {"device": DEVICE.to_dict()}
NETWORK = next(iter(small().enumerate()))
PARTS = [*parts_of(NETWORK)][:3]

SCRIPT = """
import json, sys
heard = open(sys.argv[1], "a")
for answers in json.loads(sys.argv[2]):
    print(sys.stdin.readline(), end="", file=heard, flush=True)
    for answer in answers:
        print(json.dumps(answer), flush=True)
print(sys.argv[3], end="", file=sys.stderr, flush=True)
sys.exit(3)
"""
"""Answers with what it is given, then says its last words and ends."""

Answers = list[list[dict[str, Any]]]


class Started:
    """In the place of the real process, with real pipes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.answers: Answers = [[HELLO]]
        self.words = "first\nlast words\n"
        self.command: list[str] = []
        self.options: dict[str, Any] = {}
        self.process: subprocess.Popen[str] | None = None

    @property
    def heard(self) -> list[dict[str, Any]]:
        lines = (self.folder / "heard").read_text().splitlines()
        return [json.loads(line) for line in lines]

    def start(self, start: Callable[..., Any], command: list[str], **options: Any) -> Any:
        self.command, self.options = command, options
        script = [sys.executable, "-S", "-c", SCRIPT, str(self.folder / "heard")]
        self.process = start([*script, json.dumps(self.answers), self.words], **options)
        return self.process


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    real, made = subprocess.Popen, Started(tmp_path)
    monkeypatch.setattr(
        subprocess, "Popen", lambda command, **options: made.start(real, command, **options)
    )
    return made


def said(*figures: Latency) -> list[dict[str, Any]]:
    return [{"latency": each.to_dict()} for each in figures]


def test_a_process_of_its_own_is_told_how(started: Started) -> None:
    effort = Effort(runs=5)
    with MeterProcess(SPEC, 1.5, ("json",), effort) as meter:
        assert (meter.spec, meter.pace, meter.device) == (SPEC, 1.5, DEVICE)
    (first,) = started.heard
    assert first.pop("effort") == {
        "runs": 5,
        "precision": 0.01,
        "seconds": 3.0,
        "block_seconds": 0.05,
        "warm_seconds": 1.0,
        "attempts": 3,
        "patience": 0.5,
    }
    assert first == {"pace": 1.5, "spec": SPEC.to_dict(), "plugins": ["json"]}
    assert started.command == [sys.executable, "-P", "-m", "trainers.latency.meter_process"]
    assert started.options["start_new_session"] is True
    assert started.process is not None
    assert started.process.returncode is not None
    for stream in (started.process.stdin, started.process.stdout, started.options["stderr"]):
        assert stream.closed


def test_without_an_effort_the_process_takes_its_own(started: Started) -> None:
    MeterProcess(SPEC).close()
    expected = {"pace": None, "spec": SPEC.to_dict(), "plugins": [], "effort": None}
    assert started.heard == [expected]


def test_the_environment_has_the_threads_and_what_can_be_imported_here(
    started: Started, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("SOMETHING", "else")
    monkeypatch.setattr(sys, "path", ["/one", "", "/two", "/one"])
    MeterProcess(LatencySpec(threads=3)).close()
    told = started.options["env"]
    assert (told["OMP_NUM_THREADS"], told["SOMETHING"]) == ("3", "else")
    assert told["PYTHONPATH"].split(os.pathsep) == ["/one", str(tmp_path), "/two", str(ROOT)]
    MeterProcess(LatencySpec(device="cuda")).close()
    assert started.options["env"]["OMP_NUM_THREADS"] == "7"
    assert (ROOT / "trainers" / "latency" / "meter.py").is_file()


def test_networks_are_asked_for_together(started: Started) -> None:
    figures = figure(2.0), figure(3.0)
    started.answers = [[HELLO], said(*figures)]
    with MeterProcess(SPEC) as meter:
        meter.pace = 0.5
        assert meter.networks([NETWORK, NETWORK]) == [*figures]
    assert started.heard[1] == {"pace": 0.5, "networks": [NETWORK.to_json()] * 2}


def test_a_network_that_does_not_run_is_not_measured(started: Started) -> None:
    started.answers = [[HELLO], [{"failed": "MemoryError: it is full"}]]
    with MeterProcess(SPEC) as meter, pytest.raises(NotMeasured, match=r"^MemoryError: it is full"):
        meter.networks([NETWORK, NETWORK])


def test_parts_come_one_by_one_with_why_one_does_not_run(started: Started) -> None:
    answers = [*said(figure(1.0)), {"failed": "too large"}, *said(figure(2.0))]
    started.answers = [[HELLO], answers]
    with MeterProcess(SPEC) as meter:
        first, failed, last = meter.parts(PARTS)
    assert (first, last) == (figure(1.0), figure(2.0))
    assert isinstance(failed, NotMeasured)
    assert str(failed) == "too large"
    assert started.heard[1] == {"pace": None, "parts": [part.to_dict() for part in PARTS]}


def test_refusals_of_the_process_are_refusals_here(started: Started) -> None:
    problems = [["latency.device", "there is none"], ["latency.batch", "is too large"]]
    started.answers = [[{"problems": problems}]]
    with pytest.raises(InputError) as refused:
        MeterProcess(SPEC)
    assert [[p.where, p.message] for p in refused.value.problems] == problems
    assert started.process is not None
    assert started.process.returncode is not None
    assert started.options["stderr"].closed


def test_a_process_that_is_gone_has_said_why(started: Started) -> None:
    started.answers = []
    with pytest.raises(NotMeasured, match=r"^the process that measures ended with 3: last words$"):
        MeterProcess(SPEC)
    started.words = "x" * 400
    with pytest.raises(NotMeasured, match=r"ended with 3: x{300}$"):
        MeterProcess(SPEC)
    started.words = ""
    with pytest.raises(NotMeasured, match=r"ended with 3: it said nothing$"):
        MeterProcess(SPEC)


def test_a_process_that_ends_between_requests_is_told_of(started: Started) -> None:
    with MeterProcess(SPEC) as meter:
        assert started.process is not None
        started.process.wait()
        with pytest.raises(NotMeasured, match=r"ended with 3: last words$"):
            meter.networks([NETWORK] * 50)
        with pytest.raises(NotMeasured, match=r"ended with 3: last words$"):
            next(meter.parts(PARTS))


def test_a_process_that_still_waits_is_ended(started: Started) -> None:
    started.answers = [[HELLO], []]
    MeterProcess(SPEC).close()
    assert started.process is not None
    assert started.process.returncode == -signal.SIGKILL


def test_a_request_that_nobody_reads_any_more_does_not_stop_the_closing(started: Started) -> None:
    meter = MeterProcess(SPEC)
    assert started.process is not None
    assert started.process.stdin is not None
    started.process.wait()
    started.process.stdin.write("half a request")
    meter.close()
    assert started.process.stdin.closed
    assert started.process.stdout is not None
    assert started.process.stdout.closed
    assert started.options["stderr"].closed
