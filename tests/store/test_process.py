"""Which process is meant, and whether it runs: with real processes, in real namespaces."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.store import ProcessIdentity, process_is_alive, process_started
from search.store import process as processes
from search.store.process import Liveness, _from_ps, _pid_is_used, liveness_of, start_ticks
from tests.support.namespaces import PRIVATE_PIDS, run_in

HAS_PROC = Path("/proc/self/stat").exists()
pytestmark = pytest.mark.skipif(not HAS_PROC, reason="there is no /proc here")

LOOK = (
    "import ast, sys; from search.store import ProcessIdentity; "
    "from search.store.process import liveness_of; {before}"
    "print(liveness_of(ProcessIdentity(**ast.literal_eval(sys.argv[1]))).name)"
)
AS_NOBODY = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534); "
MOUNTED_ANEW = (
    "import subprocess; "
    "subprocess.run(['mount', '-t', 'proc', '-o', 'hidepid=2', 'proc', '/proc'], check=True); "
)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def kill_and_leave(process: subprocess.Popen[bytes]) -> None:
    """Kills a process and leaves it uncollected."""
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def looked_at(process: ProcessIdentity, *options: str, before: str = "") -> str:
    """What a look at a process comes to in other namespaces."""
    arguments = ["-c", LOOK.format(before=before), repr(asdict(process))]
    return run_in(*options, arguments=arguments).strip()


@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps here")
def test_where_there_is_no_proc_ps_tells_the_same(child: subprocess.Popen[bytes]) -> None:
    assert abs(_from_ps(child.pid) - process_started(child.pid)) <= 1.5
    kill_and_leave(child)
    with pytest.raises(ProcessLookupError):
        _from_ps(child.pid)
    child.communicate()
    with pytest.raises(ProcessLookupError):
        _from_ps(child.pid)


def test_a_process_is_named_by_pid_and_start(child: subprocess.Popen[bytes]) -> None:
    started = process_started(child.pid)
    assert abs(started - time.time()) < 30
    assert process_is_alive(child.pid, started)
    assert not process_is_alive(child.pid, started - 60)
    kill_and_leave(child)
    assert not process_is_alive(child.pid, started)
    child.wait()
    with pytest.raises(ProcessLookupError):
        process_started(child.pid)
    with pytest.raises(ProcessLookupError):
        ProcessIdentity.of(child.pid)


def test_this_process_is_named_as_others_name_it() -> None:
    assert ProcessIdentity.of() == ProcessIdentity.of(os.getpid())
    assert liveness_of(ProcessIdentity.of()) is Liveness.RUNS


def test_a_process_is_gone_as_soon_as_it_has_ended(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    assert liveness_of(identity) is Liveness.RUNS
    child.send_signal(signal.SIGSTOP)
    assert liveness_of(identity) is Liveness.RUNS
    kill_and_leave(child)
    assert liveness_of(identity) is Liveness.GONE
    child.wait()
    assert liveness_of(identity) is Liveness.GONE


def test_of_a_process_without_ticks_only_a_live_one_of_this_host_is_told(
    child: subprocess.Popen[bytes],
) -> None:
    """As runs of earlier releases, and of systems that do not say, are written down."""
    identity = replace(ProcessIdentity.of(child.pid), start_ticks=None)
    assert liveness_of(identity) is Liveness.RUNS
    assert liveness_of(replace(identity, host="elsewhere")) is Liveness.HIDDEN
    assert liveness_of(replace(identity, process_started=1.0)) is Liveness.HIDDEN
    kill_and_leave(child)
    assert liveness_of(identity) is Liveness.HIDDEN


@given(ticks=st.integers(1, 2**40))
def test_a_pid_that_is_used_again_is_another_process(ticks: int) -> None:
    me = ProcessIdentity.of()
    later = replace(me, start_ticks=(me.start_ticks or 0) + ticks)
    earlier = replace(me, start_ticks=(me.start_ticks or 0) - ticks)
    assert liveness_of(later) is liveness_of(earlier) is Liveness.GONE


@given(seconds=st.floats(-1e9, 1e9), host=st.text(max_size=20))
def test_no_step_of_the_clock_and_no_name_of_a_host_ends_a_process(
    seconds: float, host: str
) -> None:
    me = ProcessIdentity.of()
    stepped = replace(me, host=host, process_started=me.process_started + seconds)
    assert liveness_of(stepped) is Liveness.RUNS


@given(
    pid=st.integers(1, 2**22),
    ticks=st.integers(0, 2**40),
    other=st.sampled_from(["boot_id", "pid_namespace"]),
    name=st.sampled_from(["", "1", "f0e1d2c3"]),
)
def test_what_runs_elsewhere_cannot_be_seen(pid: int, ticks: int, other: str, name: str) -> None:
    """Another boot of this machine, another machine, another container with the same host name."""
    elsewhere = replace(ProcessIdentity.of(), pid=pid, start_ticks=ticks, **{other: name})
    assert liveness_of(elsewhere) is Liveness.HIDDEN


def test_an_identity_without_a_boot_id_proves_life_but_no_end(
    child: subprocess.Popen[bytes],
) -> None:
    old = replace(ProcessIdentity.of(child.pid), boot_id=None, pid_namespace=None, start_ticks=None)
    assert liveness_of(old) is Liveness.RUNS
    assert liveness_of(replace(old, host="elsewhere")) is Liveness.HIDDEN
    assert liveness_of(replace(old, process_started=1.0)) is Liveness.HIDDEN


@pytest.mark.thorough
def test_another_pid_namespace_sees_nothing_of_this_one(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    assert looked_at(identity, *PRIVATE_PIDS) == "HIDDEN"
    assert looked_at(identity, "--pid", "--fork") == "HIDDEN"  # with /proc of outside


@pytest.mark.thorough
@pytest.mark.parametrize("options", [PRIVATE_PIDS, ("--pid", "--fork")])
def test_a_namespace_sees_its_own_processes(options: tuple[str, ...]) -> None:
    """With /proc of its own, and with that of outside, in which pids mean others."""
    code = (
        "from dataclasses import replace; from search.store import ProcessIdentity; "
        "from search.store.process import liveness_of; me = ProcessIdentity.of(); "
        "print(me.pid, liveness_of(me).name, liveness_of(replace(me, pid=4000)).name)"
    )
    pid, mine, none = run_in(*options, arguments=["-c", code]).split()
    assert (pid, none) == ("1", "GONE")
    # /proc of outside cannot tell a process from the next one with its pid: this proves no end.
    assert mine == ("RUNS" if options == PRIVATE_PIDS else "HIDDEN")


@pytest.mark.thorough
def test_the_processes_of_other_users_may_be_hidden(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    hiding = MOUNTED_ANEW + AS_NOBODY
    assert looked_at(identity, "--mount", before=hiding) == "HIDDEN"
    child.kill()
    child.communicate()
    assert looked_at(identity, "--mount", before=hiding) == "GONE"


@pytest.mark.thorough
def test_a_time_namespace_changes_no_identity(child: subprocess.Popen[bytes]) -> None:
    identity = ProcessIdentity.of(child.pid)
    shifted = ("--time", "--boottime", "86400", "--monotonic", "86400", "--fork")
    assert looked_at(identity, *shifted) == "RUNS"
    child.kill()
    child.communicate()
    assert looked_at(identity, *shifted) == "GONE"


# --- where the system does not say ----------------------------------------------------------------


def without(monkeypatch: pytest.MonkeyPatch, method: str, place: str, error: OSError) -> None:
    """A file below /proc that cannot be read, or is not there."""
    whole = getattr(Path, method)

    def asked(path: Path) -> object:
        if str(path) == place:
            raise error
        return whole(path)

    monkeypatch.setattr(Path, method, asked)


def test_a_system_without_boot_ids_names_a_process_by_its_start_alone(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ProcessIdentity.of(child.pid)
    without(monkeypatch, "read_text", "/proc/sys/kernel/random/boot_id", FileNotFoundError())
    found = ProcessIdentity.of(child.pid)
    assert found == ProcessIdentity(known.host, child.pid, known.process_started)
    assert (found.boot_id, found.pid_namespace, found.start_ticks) == (None, None, None)
    assert liveness_of(found) is Liveness.RUNS
    # One of which more is known may be another kernel's: nothing proves that it has ended.
    assert liveness_of(known) is Liveness.HIDDEN


def test_without_proc_ps_is_asked(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def told(pid: int) -> float:
        asked.append(pid)
        return 5.0

    monkeypatch.setattr(processes, "_from_ps", told)
    monkeypatch.setattr(Path, "exists", lambda path: str(path) != "/proc/self/stat")
    assert [process_started(child.pid), process_started()] == [5.0, 5.0]
    assert asked == [child.pid, os.getpid()]
    assert process_is_alive(child.pid, 7.0)
    assert process_is_alive(child.pid, 3.0)
    assert not process_is_alive(child.pid, 7.1)
    assert not process_is_alive(child.pid, 2.9)


@pytest.mark.parametrize(
    ("lines", "shift"),
    [
        ("monotonic 7 0\nboottime 86400 0\n", 86400),
        ("monotonic 7 0\n", 0),
        (None, 0),  # a kernel without time namespaces
    ],
)
def test_ticks_are_told_from_the_start_of_the_kernel(
    lines: str | None, shift: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
    whole = Path.read_text

    def read(path: Path) -> str:
        if str(path) != "/proc/self/timens_offsets":
            return whole(path)
        if lines is None:
            raise FileNotFoundError
        return lines

    monkeypatch.setattr(Path, "read_text", read)
    assert start_ticks() == seen - shift * os.sysconf("SC_CLK_TCK")


def test_a_process_that_may_not_be_looked_at_cannot_be_seen(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = ProcessIdentity.of(child.pid)
    without(monkeypatch, "read_text", f"/proc/{child.pid}/stat", PermissionError())
    assert liveness_of(identity) is Liveness.HIDDEN
    assert not process_is_alive(child.pid, identity.process_started)


def test_where_proc_is_of_outside_a_used_pid_proves_no_end(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = ProcessIdentity.of(child.pid)
    whole = Path.readlink
    elsewhere = Path(str(os.getpid() + 1))
    monkeypatch.setattr(
        Path, "readlink", lambda path: elsewhere if str(path) == "/proc/self" else whole(path)
    )
    assert liveness_of(identity) is Liveness.HIDDEN
    child.kill()
    child.wait()
    assert liveness_of(identity) is Liveness.GONE


def test_a_pid_is_used_also_where_it_is_another_users(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[int, int]] = []

    def kill(pid: int, number: int) -> None:
        sent.append((pid, number))
        if pid == 2:
            raise PermissionError
        if pid == 3:
            raise ProcessLookupError

    monkeypatch.setattr(os, "kill", kill)
    assert [_pid_is_used(pid) for pid in (1, 2, 3)] == [True, True, False]
    assert sent == [(1, 0), (2, 0), (3, 0)]  # a signal that only asks


def test_what_is_no_process_is_named(child: subprocess.Popen[bytes]) -> None:
    kill_and_leave(child)
    with pytest.raises(ProcessLookupError, match=f"^process {child.pid} has ended$"):
        start_ticks(child.pid)
    child.wait()
    with pytest.raises(ProcessLookupError, match=f"^there is no process {child.pid}$"):
        start_ticks(child.pid)
