"""What a trial is tried again after: memory that others hold, and what Ray says of a death."""

import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainers import (
    Cause,
    Failure,
    Retry,
    classify,
    classify_death,
    failure_classification,
    fault_patterns,
)


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
