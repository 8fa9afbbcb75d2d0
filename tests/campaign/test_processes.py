import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.campaign import processes
from tests.campaign.processes import Family, Process, children_of

SLEEP = "import time; time.sleep(100)"
PARENT = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "{SLEEP}", "/x/mixspace-ray-abc/y"])
print(child.pid, flush=True)
time.sleep(100)
"""
RUNAWAY = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", "{SLEEP}"], stdout=2).pid, flush=True)
"""


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def started() -> Iterator[Callable[[str, str], "subprocess.Popen[str]"]]:
    every: list[subprocess.Popen[str]] = []

    def start(code: str, mark: str = "no") -> "subprocess.Popen[str]":
        every.append(
            subprocess.Popen(
                [sys.executable, "-c", code],
                stdout=subprocess.PIPE,
                text=True,
                env=os.environ | {"FAMILY_TEST": mark},
            )
        )
        return every[-1]

    yield start
    for popen in every:
        popen.kill()
        popen.communicate()


Start = Callable[..., "subprocess.Popen[str]"]


def pid_printed(popen: "subprocess.Popen[str]") -> int:
    assert popen.stdout is not None
    return int(popen.stdout.readline())


def process(pid: int) -> Process:
    found = Process.of(pid)
    assert found is not None
    return found


def test_descendants_stay_known_when_their_parent_is_gone(started: Start) -> None:
    stranger, parent = started(SLEEP), started(PARENT)
    child = process(pid_printed(parent))
    family = Family("FAMILY_TEST=nobody")
    family.members.add(process(parent.pid))
    wait_until(lambda: child.words[-1:] == ["/x/mixspace-ray-abc/y"])
    family.look()
    assert {member.pid for member in family.living} == {parent.pid, child.pid}
    assert [str(folder) for folder in family.folders] == ["/x/mixspace-ray-abc"]
    assert children_of(process(parent.pid)) == [child]
    parent.kill()
    parent.wait()
    family.look()
    assert family.living == [child]
    assert child.send(signal.SIGKILL)
    wait_until(lambda: not family.living)
    assert not child.send(signal.SIGKILL)
    assert stranger.poll() is None


def test_who_has_left_its_parent_is_known_by_its_mark(started: Start) -> None:
    parent = started(RUNAWAY, mark="mine")
    child = process(pid_printed(parent))
    parent.wait()
    try:
        family = Family("FAMILY_TEST=mine")

        def is_seen() -> bool:
            family.look()
            return family.living == [child]

        wait_until(is_seen)  # once its program is loaded, and its environment with it
    finally:
        child.send(signal.SIGKILL)


def test_who_is_just_being_loaded_is_no_stranger_for_good(
    started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = started(SLEEP, mark="mine")
    family, read = Family("FAMILY_TEST=mine"), processes._read
    wait_until(lambda: bool(read(popen.pid, "environ")))
    with monkeypatch.context() as loading:
        loading.setattr(processes, "_read", lambda pid, name: read(pid, name) * (name == "stat"))
        family.look()
    assert family.living == []
    family.look()
    assert family.living == [process(popen.pid)]


def test_a_stopped_process_lives_and_an_uncollected_one_does_not(started: Start) -> None:
    popen = started(SLEEP)
    found = process(popen.pid)
    assert found.send(signal.SIGSTOP)
    assert found.alive
    found.send(signal.SIGKILL)
    wait_until(lambda: not found.alive)
    assert Process.of(popen.pid) is None
