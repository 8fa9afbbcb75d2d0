"""What all tests share: hypothesis without deadlines, quiet tools, the way to a Chromium."""

import gc
import os
import shutil
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Two test workers share two cores, so a slow example says nothing about the code. The examples are
# the same everywhere; `pytest --hypothesis-profile=default` looks for new ones.
settings.register_profile("mixspace", deadline=None, print_blob=True, derandomize=True)
settings.load_profile("mixspace")

# Before torch is imported: two test workers with two threads each would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# Before Triton is imported, by whatever: without a GPU its interpreter runs the kernels.
if not Path("/dev/nvidiactl").exists():
    os.environ.setdefault("TRITON_INTERPRET", "1")
# A store that the developer works with must not be what the tests write to.
os.environ.pop("MIXSPACE_STORE", None)
# Under nohup, or behind a shell's &, signals are ignored, and programs that tests start inherit it.
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Folders of tests in memory, where there is room: a third of a test with a store waits for a disk.
MEMORY = Path("/dev/shm")
if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 * 2**30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of an installed Chromium; the test is skipped where there is none."""
    for name in CHROMIUMS:
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium here; on Debian: apt-get install chromium")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """For --dist loadfile: files whose tests start a Ray or a browser count as one file.

    Side by side they wait for each other; and xdist leaves files of few tests to the end.
    """
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return "many processes" if _starts_many_processes(file) else file

    return Scheduling(config, log)


@cache
def _starts_many_processes(file: str) -> bool:
    path = Path(__file__).parents[1] / file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return "pytest.mark.ray" in text or "pytest.mark.browser" in text


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No test that starts many processes is in a file that is not known for it."""
    for item in items:
        heavy = any(item.get_closest_marker(name) for name in ("ray", "browser"))
        if heavy and not _starts_many_processes(item.location[0]):
            raise pytest.UsageError(f"{item.location[0]} must name its marks: pytest.mark.ray, …")


def pytest_collection_finish() -> None:
    """What is imported and collected stays until the end: no use in looking for garbage in it."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """The same of what a file has imported: tests that collect garbage would walk through it."""
    yield
    if nextitem is None or item.path != nextitem.path:
        gc.collect()
        gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip tests marked gpu where torch sees no GPU; torch is imported only for those."""
    # Of mutmut, which knows it besides: a program that a test starts has nobody to report to.
    if os.environ.pop("MUTANT_UNDER_TEST", None) is not None:
        os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1]))
    if item.get_closest_marker("gpu") is None:
        return
    import torch

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
