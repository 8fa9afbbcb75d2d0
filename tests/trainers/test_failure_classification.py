"""Exceptions become states and reasons: who is to blame."""

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

from space.errors import InputError
from trainers import (
    Cause,
    Failure,
    NonFiniteLoss,
    Retry,
    UnreadableData,
    classify,
    fault_patterns,
)
from trainers.optimisation import training_loss


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
