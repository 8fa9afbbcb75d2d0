"""Signals and requests to stop, without Ray: real signals to real processes."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.driver.stop_request import StopKind, StopRequest
from search.exit_code import ExitCode
from search.program_signals import SAME_SECONDS, Interrupted, heeded, interrupting_the_program
from search.runner.run_end import ExitMessage, RunEnd
from search.runner.stop_signals import stopping_on_signals

PROGRAM = [sys.executable, "-m", "search"]


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@given(st.lists(st.tuples(st.sampled_from(StopKind), st.text(min_size=1)), min_size=1))
def test_the_first_request_counts(requests: list[tuple[StopKind, str]]) -> None:
    stop = StopRequest()
    assert [stop.request(*request) for request in requests] == [True] + [False] * (
        len(requests) - 1
    )
    assert (stop.kind, stop.reason) == requests[0]


def test_every_kind_has_an_exit_code_and_only_these_are_no_failure() -> None:
    stops = {kind: StopRequest() for kind in StopKind}
    assert all(stop.request(kind, "why") for kind, stop in stops.items())
    codes = {kind: stop.exit_code for kind, stop in stops.items()}
    assert {kind: code for kind, code in codes.items() if code != ExitCode.FAILED} == {
        StopKind.INTERRUPT: ExitCode.INTERRUPTED,
        StopKind.TIME_LIMIT: ExitCode.BUDGET,
        StopKind.DEVICE_BUDGET: ExitCode.BUDGET,
    }
    assert StopRequest().exit_code == ExitCode.FAILED


def test_a_time_limit_that_was_lifted_is_never_reached() -> None:
    limited, lifted = StopRequest(1e-9), StopRequest(1e-9)
    lifted.lift_time_limit()
    time.sleep(0.001)
    assert limited.requested()
    assert not lifted.requested()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_the_work_interrupts_and_one_during_it_is_a_request(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    stop = StopRequest()
    with pytest.raises(Interrupted, match=number.name), stopping_on_signals(stop):
        signal.raise_signal(number)

    stop = StopRequest()
    with stopping_on_signals(stop) as signals:
        signals.begin_work()
        os.kill(os.getpid(), number)
        wait_until(stop.requested)
    assert (stop.kind, stop.reason) == (StopKind.INTERRUPT, f"interrupted by {number.name}")
    assert signal.getsignal(number) == before


def test_a_signal_amid_a_fork_is_heard_behind_it() -> None:
    """What is raised in a hook of a fork is lost, and so is the lock that the hook gives back."""
    hooks = 0

    def _releaseLock() -> None:
        nonlocal hooks
        os.kill(os.getpid(), signal.SIGTERM)
        hooks += 1

    def fork_and_go_on() -> None:
        _releaseLock()
        wait_until(lambda: False)

    with pytest.raises(Interrupted), stopping_on_signals(StopRequest()):
        fork_and_go_on()
    assert hooks == 1


class Dies:
    """A signal comes while Python drops it, which can raise nothing."""

    def __del__(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):  # the handler runs in here
            pass


def drop_and_go_on() -> None:
    Dies()  # gone at once
    wait_until(lambda: False)


def test_a_signal_that_cannot_be_raised_where_it_came_is_heard_behind_it(
    handlers_are_put_back: None,
) -> None:
    before = sys.unraisablehook
    with pytest.raises(Interrupted), stopping_on_signals(StopRequest()):
        drop_and_go_on()
    with pytest.raises(Interrupted), interrupting_the_program():
        drop_and_go_on()
    assert sys.unraisablehook == before


def test_handlers_that_another_puts_in_place_do_not_stay() -> None:
    stop = StopRequest()
    with stopping_on_signals(stop) as signals:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(15))  # as Ray does
        signals.begin_work()
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(stop.requested)


def test_a_signal_is_heard_while_the_main_thread_is_deep_in_a_library(tmp_path: Path) -> None:
    """A handler in Python would wait for the library to come back."""
    stop, heard = StopRequest(), threading.Event()
    holder = sqlite3.connect(tmp_path / "locked.db", check_same_thread=False)
    holder.execute("begin exclusive")

    def wait_and_release() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(stop.requested)
        heard.set()
        holder.rollback()

    with stopping_on_signals(stop) as signals:
        signals.begin_work()
        threading.Timer(0.1, wait_and_release).start()
        sqlite3.connect(tmp_path / "locked.db", timeout=60).execute("begin exclusive")
        assert heard.is_set()


def test_two_signals_at_once_are_one_and_a_later_one_hurries() -> None:
    stop = StopRequest()
    with stopping_on_signals(stop) as signals:
        signals.begin_work()
        for _ in range(2):  # `timeout` sends one to the process, and one to its group
            os.kill(os.getpid(), signal.SIGTERM)
        wait_until(stop.requested)
        time.sleep(SAME_SECONDS)
        assert not stop.hurried
        os.kill(os.getpid(), signal.SIGTERM)
        wait_until(lambda: stop.hurried)


def test_the_end_of_a_run_is_written_and_said_before_the_work_has_ended() -> None:
    stop, said, ended = StopRequest(), list[str](), list[str]()
    words = ExitMessage(said.append)
    with RunEnd(stop, words) as end:
        end.end_run = ended.append
        stop.request(StopKind.INTERRUPT, "interrupted by SIGTERM")
        wait_until(lambda: words.over)
        assert ended == ["interrupted by SIGTERM"]
        words.say("something else")
    (line,) = said
    assert line.startswith("Stopped: interrupted by SIGTERM. To go on")


def test_a_store_that_hangs_does_not_keep_the_last_words_back() -> None:
    stop, never = StopRequest(), threading.Event()
    words = ExitMessage(lambda line: None)
    with RunEnd(stop, words) as end:
        end.end_run = lambda reason: [None, never.wait(30)][0]
        stop.request(StopKind.LOST, "gone")
        wait_until(lambda: words.over)
    assert not never.is_set()


HANGING = """
import time
from search.driver.stop_request import StopRequest
from search.runner.run_end import ExitMessage
from search.runner.run_end import RunEnd
from search.runner.stop_signals import stopping_on_signals
stop = StopRequest()
words = ExitMessage(lambda line: print(line, flush=True))
with stopping_on_signals(stop) as signals, RunEnd(stop, words):
    signals.begin_work()
    print("working", flush=True)
    while True:
        time.sleep(100)
"""


NUMBERS = [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]]


@pytest.mark.thorough
@pytest.mark.parametrize("numbers", NUMBERS)
def test_work_that_does_not_end_is_left(numbers: list[signal.Signals]) -> None:
    """After SIGTERM there are seconds only; after Ctrl-C it takes another."""
    process = subprocess.Popen(
        [sys.executable, "-c", HANGING], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    for number in numbers:
        os.killpg(process.pid, number)
        time.sleep(SAME_SECONDS + 0.1)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert [line.partition(".")[0] for line in output.splitlines()] == [
        f"Stopped: interrupted by {numbers[0].name}"
    ]


UNREAD = """
import os, sys, time
from search.driver.stop_request import StopRequest
from search.runner.run_end import ExitMessage
from search.runner.run_end import RunEnd, leave
from search.runner.stop_signals import stopping_on_signals
os.set_blocking(2, False)
try:
    while True:
        os.write(2, b"x" * 512)
except BlockingIOError:
    os.set_blocking(2, True)
stop = StopRequest()
words = ExitMessage(lambda line: print(line, file=sys.stderr, flush=True))
with stopping_on_signals(stop) as signals, RunEnd(stop, words):
    signals.begin_work()
    print("working", flush=True)
    while not (stop.requested() and sys.argv[1] == "ends"):
        time.sleep(0.01)
if not words.say("interrupted"):
    leave(stop.exit_code)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("work", ["ends", "goes on"])
def test_a_run_whose_words_nobody_reads_ends_all_the_same(work: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", UNREAD, work],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    process.terminate()
    try:
        assert process.wait(timeout=60) == ExitCode.INTERRUPTED
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_during_the_imports_is_told_in_a_line(number: signal.Signals) -> None:
    process = subprocess.Popen(
        [*PROGRAM, "run", "/dev/stdin"],
        stdin=subprocess.PIPE,  # nothing comes: it waits for its configuration
        stderr=subprocess.PIPE,
        text=True,
    )
    status = Path(f"/proc/{process.pid}/status")
    wait_until(lambda: catches(status, signal.SIGHUP))  # the last of ours; Python has SIGINT
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in errors
    assert errors.strip() == f"interrupted by {number.name}; to go on, run the same command again"


@pytest.fixture
def handlers_are_put_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in heeded()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers_are_put_back")
def test_a_signal_that_comes_out_as_another_error_is_told_as_what_it_was() -> None:
    """As Python 3.11 makes it of one that comes while a class is made."""

    def making_a_class() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(10)
        except Interrupted as interrupted:
            raise RuntimeError("Error calling __set_name__") from interrupted

    with pytest.raises(Interrupted, match="interrupted by SIGTERM"), interrupting_the_program():
        making_a_class()


@pytest.mark.usefixtures("handlers_are_put_back")
def test_an_error_without_a_signal_is_that_error() -> None:
    with pytest.raises(RuntimeError, match="broken"), interrupting_the_program():
        raise RuntimeError("broken")


def catches(status: Path, number: int) -> bool:
    """Whether a process has a handler for a signal: before that nothing of ours runs."""
    (mask,) = (line for line in status.read_text().splitlines() if line.startswith("SigCgt"))
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)


def test_what_nohup_ignores_stays_ignored() -> None:
    code = (
        "import signal\n"
        "from search.program_signals import interrupting_the_program\n"
        "with interrupting_the_program():\n"
        "    signal.raise_signal(signal.SIGHUP)\n"
        "print('went on')"
    )
    command = ["nohup", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "went on\n")
