"""Exceptions become states and reasons."""

import errno
import gzip
import http.client
import lzma
import os
import pickle
import socket
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from space.errors import InputError, Problem
from trainers import (
    Cause,
    Failure,
    NonFiniteLoss,
    Retry,
    UnreadableData,
    classify,
    classify_death,
    failure_classification,
    fault_patterns,
)
from trainers.optimisation import LossLog, training_loss


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_a_reason_shows_no_password() -> None:
    reason = classify(RuntimeError("postgresql://u:s3kret@h/db refused")).reason
    assert reason.startswith("RuntimeError: postgresql://u:***@h/db refused")


def test_running_out_of_memory_is_infeasible() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.empty(1 << 60)
    for memory_error in (
        error.value,
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        MemoryError(),
    ):
        found = classify(memory_error)
        assert found.state == "infeasible"
        first = str(memory_error).split("\n")[0] or "MemoryError"
        assert found.reason == f"out of memory: {first}"


def test_other_ends() -> None:
    assert classify(NonFiniteLoss("train loss is nan in epoch 3, step 17")).state == "failed"
    found = classify(raised(ValueError("odd\nsecond line")))
    assert found.state == "failed"
    place = f"test_failure_classification.py:{raised.__code__.co_firstlineno + 2}: raise error"
    assert found.reason == f"ValueError: odd (in raised, {place})"
    assert classify(KeyError()).reason == "KeyError: KeyError"
    assert classify(InputError.of("a", "b")).reason == "InputError: a: b"


@pytest.mark.parametrize("error", [NonFiniteLoss("x"), InputError.of("a", "b")])
def test_they_travel_between_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_first_non_finite_loss_is_named(value: float) -> None:
    log = LossLog(3, 20, torch.device("cpu"))
    for _ in range(16):
        log.add(torch.tensor(1.0))
    with pytest.raises(NonFiniteLoss, match=rf"train loss is {value} in epoch 3, step 17"):
        log.add(torch.tensor(value))


def test_soft_and_hard_targets_have_the_same_loss() -> None:
    logits = torch.randn(6, 10)
    labels = torch.arange(6)
    soft = torch.nn.functional.one_hot(labels, 10) * 0.9 + 0.01
    assert torch.allclose(training_loss(logits, labels, 0.1), training_loss(logits, soft, 0.1))


# --- who is to blame ------------------------------------------------------------------------------


def blame(error: BaseException) -> Cause:
    return classify(raised(error)).cause


OF_THE_CODE = {errno.EEXIST, errno.EINVAL, errno.ENAMETOOLONG, errno.EISDIR, errno.EBADF}


@pytest.mark.parametrize("number", sorted(OF_THE_CODE))
def test_what_no_other_disk_would_grant_is_a_fault_of_the_code(number: int) -> None:
    assert blame(OSError(number, os.strerror(number), "/runs/1")) == Cause.CODE


@given(
    st.sampled_from(sorted({*errno.errorcode} - fault_patterns.OF_THE_CODE)), st.text(max_size=20)
)
def test_what_else_the_operating_system_refuses_is_a_fault_of_the_surroundings(
    number: int, name: str
) -> None:
    found = classify(raised(OSError(number, os.strerror(number), f"/data/{name}")))
    assert (found.cause, found.state) == (Cause.SURROUNDINGS, "preempted")
    assert found.advice
    assert "\n" not in found.reason


def test_also_when_it_was_raised_from_and_as_text() -> None:
    def save() -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("the checkpoint is not saved") from error

    with pytest.raises(RuntimeError) as caught:
        save()
    assert classify(caught.value).cause == Cause.SURROUNDINGS
    assert blame(RuntimeError("I/O error: No space left on device (os error 28)")) == (
        Cause.SURROUNDINGS
    )


def test_what_an_except_block_makes_of_it_is_still_that_fault() -> None:
    def save() -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            raise RuntimeError("could not save")  # noqa: B904 - as people write it

    with pytest.raises(RuntimeError) as caught:
        save()
    assert classify(caught.value).cause == Cause.SURROUNDINGS


def test_what_is_raised_from_none_stands_alone() -> None:
    def save() -> None:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError:
            raise RuntimeError("odd") from None

    with pytest.raises(RuntimeError) as caught:
        save()
    assert classify(caught.value).cause == Cause.CODE


@pytest.mark.parametrize(
    ("first", "cause"),
    [
        (UnreadableData("x.png is not a readable image"), Cause.DATA),
        (ModuleNotFoundError("No module named 'x'"), Cause.SURROUNDINGS),
        (MemoryError(), Cause.ARCHITECTURE),
        (NonFiniteLoss("train loss is nan"), Cause.ARCHITECTURE),
        (KeyError("x"), Cause.CODE),
    ],
)
def test_an_error_in_other_clothes_is_what_it_was(first: Exception, cause: Cause) -> None:
    def dress() -> None:
        raise RuntimeError("training failed") from first

    with pytest.raises(RuntimeError) as caught:
        dress()
    assert classify(caught.value).cause == cause


@pytest.mark.parametrize(
    "error",
    [
        ValueError("runtime_env must be a dict"),
        KeyError("NVML"),
        TypeError("no space left for arguments"),
        AssertionError("bus error"),
    ],
)
def test_mistakes_may_quote_any_words(error: Exception) -> None:
    assert blame(error) == Cause.CODE


def test_odd_exceptions_are_faults_too() -> None:
    class Wordless(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    found = classify(raised(Wordless()))
    assert found.cause == Cause.CODE
    assert found.reason.startswith("Wordless: Wordless (in raised, test_failure_classification.py:")
    full = OSError(errno.ENOSPC, "No space left on device")
    assert blame(ExceptionGroup("several", [ValueError("x"), full])) == Cause.SURROUNDINGS
    assert blame(ExceptionGroup("several", [ValueError("x")])) == Cause.CODE


def test_what_was_merely_handled_meanwhile_is_not_to_blame() -> None:
    def epoch() -> None:
        raise ValueError("odd")

    def train() -> None:
        try:
            raise FileNotFoundError(errno.ENOENT, "no cache")
        except FileNotFoundError:
            epoch()

    with pytest.raises(ValueError, match="odd") as caught:
        train()
    assert classify(caught.value).cause == Cause.CODE


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'foo'"),
        ImportError("libcudart.so.13: cannot open shared object file"),
        RuntimeError("can't start new thread"),
        RuntimeError("Found no NVIDIA driver on your system."),
        RuntimeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable"),
        RuntimeError("CUDA error: uncorrectable ECC error encountered"),
        RuntimeError("[enforce fail at inline_container.cc:820] . PytorchStreamWriter failed"),
        RuntimeError("unable to write to file </torch_1_2>: No space left on device (28)"),
        RuntimeError("DataLoader worker (pid(s) 17) exited unexpectedly"),
        sqlite3.OperationalError("database or disk is full"),
        ConnectionError("the tracking server does not answer"),
        RuntimeError("No CUDA GPUs are available"),
        RuntimeError("CUDA error: unknown error"),
        RuntimeError(
            "unable to open shared memory object </x> in write mode: Too many open files (24)"
        ),
        RuntimeError("received 0 items of ancdata"),
        RuntimeError("Parent directory runs/3 does not exist."),
        OSError("We couldn't connect to 'https://hub.example' to load the files"),
        URLError(socket.gaierror(-2, "Name or service not known")),
        http.client.RemoteDisconnected("Remote end closed connection without response"),
        RuntimeError(
            "Caught MemoryError in DataLoader worker process 0.\nOriginal Traceback (most "
            "recent call last):\nMemoryError"
        ),
        TimeoutError("timed out"),
        AssertionError("Torch not compiled with CUDA enabled"),
        RuntimeError("Unexpected error from cudaGetDeviceCount(). ... Error 804: forward compat"),
        RuntimeError("NCCL error in: NCCLUtils.hpp:268, unhandled system error"),
        http.client.IncompleteRead(b"xx", 10),
    ],
)
def test_words_of_the_surroundings(error: BaseException) -> None:
    found = classify(raised(error))
    assert (found.cause, found.cause.stops_run) == (Cause.SURROUNDINGS, True), found
    assert found.advice


@pytest.mark.parametrize(
    "error",
    [
        UnreadableData("x.png is not a readable image (truncated)"),
        OSError("image file is truncated (12 bytes not processed)"),
        gzip.BadGzipFile("Not a gzipped file (b'xx')"),
        EOFError("Compressed file ended before the end-of-stream marker was reached"),
        InputError.of("data.folder", "photos is not a folder"),
        zipfile.BadZipFile("File is not a zip file"),
        pickle.UnpicklingError("pickle data was truncated"),
        zlib.error("Error -3 while decompressing data: incorrect header check"),
        lzma.LZMAError("Corrupt input data"),
        tarfile.ReadError("unexpected end of data"),
        OSError("Unable to open file (truncated file: eof = 96, stored_eof = 2048)"),
    ],
)
def test_faults_of_the_data(error: BaseException) -> None:
    assert blame(error) == Cause.DATA


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        KeyError("y"),
        AssertionError(),
        RuntimeError("mat1 and mat2"),
        SystemExit(3),
    ],
)
def test_faults_of_the_code(error: BaseException) -> None:
    found = classify(raised(error))
    assert (found.cause, found.state) == (Cause.CODE, "failed")


def test_a_reason_steers_no_terminal_and_is_one_line() -> None:
    found = classify(RuntimeError("\x1b[31;1mbad\x1b[0m \x07\u202enews\x1b]0;x\nand more"))
    assert found.reason == "RuntimeError: bad news]0;x"
    assert classify(RuntimeError("\x1b[0m")).reason == "RuntimeError: RuntimeError"


def test_an_error_on_the_gpu_leaves_no_use_in_its_process() -> None:
    found = classify(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert (found.cause, found.breaks_worker) == (Cause.CODE, True)


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_memory_that_others_hold_is_theirs_to_give_back(
    share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    own = Failure(Cause.ARCHITECTURE, f"out of memory: {error}", infeasible=True)
    monkeypatch.setattr(failure_classification, "held_by_others", lambda: share)
    assert classify(error, whole_gpu=True) == Failure(
        Cause.SURROUNDINGS,
        f"out of memory, of which other processes hold {share:.0%} of the GPU: {error}",
        "end the processes that `nvidia-smi` lists, or give each trial a share of a GPU",
        retry=Retry.COUNTED,
    )
    assert classify(error) == own
    monkeypatch.setattr(failure_classification, "held_by_others", lambda: 0.099)
    assert classify(error, whole_gpu=True) == own


@pytest.mark.parametrize(("free", "reserved", "share"), [(30, 20, 0.5), (75, 25, 0), (70, 40, 0)])
def test_what_others_hold_is_what_is_neither_free_nor_ours(
    free: int, reserved: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (free, 100))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: reserved)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert failure_classification.held_by_others() == 0
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    assert failure_classification.held_by_others() == share
    monkeypatch.delitem(sys.modules, "torch")
    assert failure_classification.held_by_others() == 0


# --- all that is told of a fault -----------------------------------------------------------------

MEND_FILE = "mend the file or take it away, or bring back the disk that it lies on"
OWN_DATA = "every node must see the data that the study began with"


def in_loader(last: str) -> RuntimeError:
    """What PyTorch raises of an error in a process that loads data."""
    return RuntimeError(
        "Caught KeyError in DataLoader worker process 12.\nOriginal Traceback (most recent call "
        'last):\n  File "/site/loop.py", line 3, in fetch\n    data[i]\nValueError: first\n\n'
        "The above exception was the direct cause of the following exception:\n\n"
        'Traceback (most recent call last):\n  File "/site/main.py", line 1, in main\n    run()\n'
        '  File "/site/loop.py", line 5, in run\n    fetch()\n'
        f'  File "/site/cut.py", line 7, in cut\n    open(x)\n{last}'
    )


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/runs/1"),
            Failure(
                Cause.SURROUNDINGS,
                "OSError: [Errno 28] No space left on device: '/runs/1'",
                fault_patterns.MAKE_SPACE,
            ),
        ),
        (
            OSError("no answer"),
            Failure(Cause.SURROUNDINGS, "OSError: no answer", "mend what it names"),
        ),
        (
            OSError(errno.EINVAL, "Invalid argument"),
            Failure(Cause.CODE, "OSError: [Errno 22] Invalid argument"),
        ),
        (
            InputError([Problem("data.folder", "x"), Problem("protocol.data", "y")]),
            Failure(Cause.DATA, "data.folder: x", OWN_DATA),
        ),
        (
            InputError([Problem("data", "x"), Problem("trial.data", "y")]),
            Failure(Cause.CODE, "InputError: data: x"),
        ),
        (
            UnreadableData("x.png is not a readable image (cut)"),
            Failure(Cause.DATA, "x.png is not a readable image (cut)", MEND_FILE),
        ),
        (
            EOFError("Compressed file ended before"),
            Failure(Cause.DATA, "EOFError: Compressed file ended before", MEND_FILE),
        ),
        (NonFiniteLoss("train loss is nan"), Failure(Cause.ARCHITECTURE, "train loss is nan")),
        (
            RuntimeError("CUDA error: unknown error"),
            Failure(
                Cause.SURROUNDINGS,
                "RuntimeError: CUDA error: unknown error",
                "look at the GPU of that node (`nvidia-smi`)",
                breaks_worker=True,
            ),
        ),
        (
            RuntimeError("CUDA error: an illegal memory access"),
            Failure(
                Cause.CODE, "RuntimeError: CUDA error: an illegal memory access", breaks_worker=True
            ),
        ),
        (RuntimeError("odd"), Failure(Cause.CODE, "RuntimeError: odd")),
        (
            in_loader("MemoryError\n"),
            Failure(
                Cause.SURROUNDINGS,
                "MemoryError: MemoryError (in cut, cut.py:7: open(x))",
                "set fewer data.workers, or free memory of the machine",
                retry=Retry.COUNTED,
            ),
        ),
        (
            in_loader("torch.OutOfMemoryError: CUDA out of memory\nand more"),
            Failure(Cause.ARCHITECTURE, "out of memory: CUDA out of memory", infeasible=True),
        ),
        (
            in_loader("my.own.Trouble: a: b\nand more\n"),
            Failure(Cause.CODE, "Trouble: a: b (in cut, cut.py:7: open(x))"),
        ),
        (
            in_loader(f"Trouble: {'x' * 301}"),
            Failure(Cause.CODE, f"Trouble: {'x' * 300} (in cut, cut.py:7: open(x))"),
        ),
        (
            RuntimeError(str(in_loader("")).partition(" File")[0].strip()),
            Failure(Cause.CODE, "RuntimeError: RuntimeError"),
        ),
        (
            RuntimeError("Caught X in DataLoader worker process 1.\nOriginal Traceback odd"),
            Failure(Cause.CODE, "RuntimeError: Caught X in DataLoader worker process 1."),
        ),
        (
            type("OutOfMemoryError", (Exception,), {})("killed"),
            Failure(Cause.ARCHITECTURE, "out of memory: killed", infeasible=True),
        ),
        (
            MemoryError("x" * 301),
            Failure(Cause.ARCHITECTURE, "out of memory: " + "x" * 300, "", True),
        ),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, Exception) else "",
)
def test_the_whole_of_a_failure(error: Exception, failure: Failure) -> None:
    assert classify(error) == failure


SAID = {
    "make space there, or put the checkpoints elsewhere by --set checkpoints=FOLDER": (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,
    ),
    "give this user permission there": (errno.EACCES, errno.EPERM, errno.EROFS),
    "bring it back": (errno.ENOENT, errno.ENOTDIR),
    "raise the limit of open files (ulimit -n)": (errno.EMFILE, errno.ENFILE),
    "free memory or processes of the machine": (errno.ENOMEM, errno.EAGAIN),
    "bring the network back": (-2, -1, errno.ECONNREFUSED, errno.ETIMEDOUT, errno.EPIPE),
    "mend what it names": (0, errno.EIO, errno.ESTALE, 4096),
}


@pytest.mark.parametrize(
    ("number", "advice"), [(number, advice) for advice, them in SAID.items() for number in them]
)
@pytest.mark.parametrize(
    "words", ["[Errno {}] odd", "odd (os error {})", "odd, errno = {}", "Broken pipe ({})"]
)
def test_a_number_of_the_system_says_what_to_do(number: int, advice: str, words: str) -> None:
    """By the number alone, also where a library quotes it with words that say nothing else."""
    assert classify(OSError(number, "odd")).advice == advice
    assert classify(OSError(f"[Errno {number}] odd")).advice == advice
    if number >= 0 or "[" in words:
        said = f"Trouble: {words.format(number)}"
        assert classify(in_loader(said)) == Failure(
            Cause.SURROUNDINGS, f"{said} (in cut, cut.py:7: open(x))", advice
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_is_full_for_real(tmp_path: Path) -> None:
    """What safetensors, torch and Python say of it on a real file system."""
    code = """
import sys, torch
from pathlib import Path
from safetensors.torch import save_file
from trainers import classify
big = torch.zeros(1 << 20)
place = Path(sys.argv[1])
writers = (
    lambda: save_file({"x": big}, place / "a"),
    lambda: torch.save(big, place / "b"),
    lambda: (place / "c").write_bytes(bytes(1 << 22)),
)
for write in writers:
    try:
        write()
    except Exception as error:
        print(classify(error).cause)
"""
    mount = f"mount -t tmpfs -o size=1m tmpfs {tmp_path} && exec {sys.executable} - {tmp_path}"
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", mount], input=code, text=True, capture_output=True
    )
    if "unshare" in done.stderr:
        pytest.skip(f"no mount here: {done.stderr.strip()}")
    assert done.stdout.split() == ["surroundings"] * 3, done.stderr


def test_they_travel_as_plain_values() -> None:
    failure = Failure(Cause.DATA, "why", "what to do", retry=Retry.OFTEN)
    assert Failure.from_dict(failure.to_dict()) == failure


# --- what Ray says --------------------------------------------------------------------------------

CYAN, PLAIN = "\x1b[36m", "\x1b[39m"
TRACE = f"""Failure # 1 (occurred at 2026-11-28_03-27-21)
The actor died because of an error raised in its creation task, {CYAN}ray::W.__init__(){PLAIN} \
(pid=9794, ip=10.0.0.2, actor_id=d7990d67458c863f8eb1c887, repr=<death.A object at 0x7f69636d4b50>)
  File "/site/worker.py", line 6, in __init__
    import foo
    ^^^^^^^^^^
{{last}}
"""
DIED = """The actor died unexpectedly before finishing this task.
\tclass_name: TrialWorker
\tactor_id: 2d44c235ff57a89f2b8ba333
\tpid: 9839
\tip: 10.0.0.2
The actor is dead because {why}
"""


@pytest.mark.parametrize(
    ("last", "cause"),
    [
        ("ModuleNotFoundError: No module named 'foo'", Cause.SURROUNDINGS),
        ("OSError: [Errno 28] No space left on device: '/x'", Cause.SURROUNDINGS),
        ("torch.AcceleratorError: CUDA error: device-side assert triggered\nSee", Cause.CODE),
        ("my.own.Trouble: no luck", Cause.CODE),
        ("KeyError: 'x'", Cause.CODE),
    ],
)
def test_the_exception_of_a_dead_worker_and_its_last_line(last: str, cause: Cause) -> None:
    found = classify_death(TRACE.format(last=last))
    assert found.cause == cause
    assert found.reason == last.splitlines()[0].rpartition("torch.")[2].rpartition("own.")[2]


def died(why: str) -> str:
    return DIED.format(why=why)


CRASHED = "the worker process died: "
KILLED = (
    "its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: "
    "Worker unexpectedly exits with a connection error code 2. End of file. Some causes"
)


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (
            died(KILLED),
            Failure(
                Cause.CODE,
                f"{CRASHED}it was killed, or crashed in native code",
                retry=Retry.COUNTED,
            ),
        ),
        (
            died("it has died. Worker exit detail: Worker exits\twith an  exit code 3."),
            Failure(Cause.CODE, f"{CRASHED}Worker exits with an exit code 3.", retry=Retry.COUNTED),
        ),
        (
            died("The actor is unavailable: The actor is temporarily unavailable: RpcError: x"),
            Failure(
                Cause.SURROUNDINGS,
                "its worker cannot be reached: it died, its node or the network is gone",
                retry=Retry.OFTEN,
            ),
        ),
        (
            died("its node has died. Node Id: 1f2e"),
            Failure(Cause.SURROUNDINGS, "the node of its worker was lost", retry=Retry.OFTEN),
        ),
        (
            died("Worker exits unexpectedly. Worker process receives a SIGTERM"),
            Failure(Cause.SURROUNDINGS, "its worker was ended by SIGTERM", retry=Retry.OFTEN),
        ),
        (
            died("the node was running low on memory"),
            Failure(
                Cause.ARCHITECTURE,
                "out of memory: Ray ended the worker to save the machine",
                infeasible=True,
                retry=Retry.COUNTED,
            ),
        ),
        (
            "RuntimeEnvSetupError: the runtime_env is broken",
            Failure(
                Cause.SURROUNDINGS,
                "RuntimeEnvSetupError: the runtime_env is broken",
                "install the same packages on every node as where the search is started",
            ),
        ),
        (
            "ray.exceptions.RayTaskError: node 3: is out of disk",
            Failure(Cause.SURROUNDINGS, "node 3: is out of disk", fault_patterns.MAKE_SPACE),
        ),
        (
            '\n  \nThe actor died because of X\n\tpid: 3\n"quoted"\nit cannot be scheduled\nmore',
            Failure(
                Cause.SURROUNDINGS,
                "it cannot be scheduled",
                "give the cluster the resources of a trial",
            ),
        ),
        ("x" * 301, Failure(Cause.CODE, CRASHED + "x" * 300, retry=Retry.COUNTED)),
        (
            f"exit detail: {'x' * 301}",
            Failure(Cause.CODE, CRASHED + "x" * 300, retry=Retry.COUNTED),
        ),
        (
            TRACE.format(last="MemoryError"),
            Failure(Cause.ARCHITECTURE, "out of memory: MemoryError", infeasible=True),
        ),
        (
            TRACE.format(last="torch.OutOfMemoryError: CUDA out of memory"),
            Failure(Cause.ARCHITECTURE, "out of memory: CUDA out of memory", infeasible=True),
        ),
        ("", Failure(Cause.CODE, f"{CRASHED}no more is known", retry=Retry.COUNTED)),
        (
            TRACE.format(last="ray.exceptions.RayTaskError: of its own"),
            Failure(
                Cause.CODE,
                f'{CRASHED}File "/site/worker.py", line 6, in __init__',
                retry=Retry.COUNTED,
            ),
        ),
    ],
    ids=lambda value: value[-30:] if isinstance(value, str) else "",
)
def test_the_death_of_a_worker(said: str, failure: Failure) -> None:
    assert classify_death(said) == failure


@given(st.text())
def test_whatever_ray_says_is_one_line_of_a_reason(text: str) -> None:
    found = classify_death(text)
    assert found.reason.strip()
    assert "\n" not in found.reason
    assert "\x1b[" not in found.reason


@pytest.mark.parametrize(
    ("crash", "cause", "advice"),
    [
        ("Bus error", Cause.SURROUNDINGS, "enlarge /dev/shm"),
        ("Segmentation fault", Cause.CODE, ""),
    ],
)
def test_what_a_worker_left_behind_says_how_it_died(crash: str, cause: Cause, advice: str) -> None:
    """A bus error is a full disk behind mapped memory."""
    found = classify_death(died("its worker process has died."), crash)
    assert found == Failure(cause, f"{CRASHED}{crash}", advice, retry=Retry.COUNTED)
