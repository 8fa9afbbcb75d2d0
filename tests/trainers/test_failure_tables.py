"""All that is told of a fault, by the words and the numbers that are known."""

import errno

import pytest

from space.errors import InputError, Problem
from trainers import (
    Cause,
    Failure,
    NonFiniteLoss,
    Retry,
    UnreadableData,
    classify,
    fault_patterns,
)

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


def test_a_sentence_has_the_advice_behind_it() -> None:
    assert Failure(Cause.SURROUNDINGS, "it broke", "mend it").sentence == "it broke; mend it"
    assert Failure(Cause.SURROUNDINGS, "it broke").sentence == "it broke"
