"""A run in the kernel of a notebook, interrupted once and twice; one is a pytest.mark.ray."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from search.program_signals import SAME_SECONDS
from search.runner.study_lookup import find_study
from search.store import EventKind, TrialRecord, open_store
from tests.search.small import values
from tests.support.kernels import Cell, Kernel, started_kernel

EPOCHS = 6


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with started_kernel(tmp_path_factory.mktemp("notebook")) as kernel:
        given = values(resources={"concurrent_trials": 1}, trials=1)
        given["protocol"] |= {"epochs": EPOCHS}
        given["data"] |= {"limit_train": 4000}
        cell = kernel.run(f"import mixspace\ngiven = {given!r}")
        assert cell == Cell()
        yield kernel


def trials(kernel: Kernel, study: str) -> list[TrialRecord]:
    with open_store(str(kernel.folder / "mixspace.db"), create=False) as store:
        return store.trials.of_study(store.studies.get(study).id)


def epochs_written(kernel: Kernel, study: str) -> list[int | None]:
    with open_store(str(kernel.folder / "mixspace.db"), create=False) as store:
        history = store.studies.history(store.studies.get(study).id)
    return [event.epoch for event in history.events if event.kind is EventKind.EPOCH]


@contextmanager
def interrupted(kernel: Kernel, when: Callable[[], bool], times: int) -> Iterator[None]:
    """For the block, a person who presses the button when it is time; and again after a while."""

    def press() -> None:
        deadline = time.monotonic() + 600
        while not when() and time.monotonic() < deadline:
            time.sleep(0.05)
        for turn in range(times):
            time.sleep(turn * (SAME_SECONDS + 0.1))
            kernel.interrupt()

    person = threading.Thread(target=press)
    person.start()
    try:
        yield
    finally:
        person.join()


def has_epochs(kernel: Kernel, study: str, number: int) -> Callable[[], bool]:
    """Whether so many epochs of its trial are in the store."""

    def look() -> bool:
        store = str(kernel.folder / "mixspace.db")
        if find_study(store, study) is None:
            return False
        return sum(trial.epochs_done for trial in trials(kernel, study)) >= number

    return look


STUCK = """
import time
from contextlib import contextmanager
from pathlib import Path
from search.ray_executor.cluster import Cluster
from search.runner import run as run_module
from search.driver.assignment import Report
from tests.search.driving import epoch

@contextmanager
def connected(address, on_watch):
    yield Cluster({"CPU": 2.0}, Path("tune"), local=True)

def stuck(session, *others):
    number = session.next_assignment().trial.number
    session.started(number)
    session.reported(number, Report((epoch(1),)))
    while True:
        time.sleep(100)

real = run_module.connected_to_ray, run_module.tune_session
run_module.connected_to_ray, run_module.tune_session = connected, stuck
"""


@pytest.mark.thorough
def test_a_second_interrupt_leaves_a_run_that_does_not_stop_and_the_kernel_lives(
    kernel: Kernel,
) -> None:
    assert kernel.run(STUCK).error is None
    with interrupted(kernel, has_epochs(kernel, "stuck", 1), 2):
        cell = kernel.run("mixspace.run(given, study='stuck')\nprint('not reached')")
    assert kernel.run("run_module.connected_to_ray, run_module.tune_session = real").error is None
    said = "Stopped: interrupted by SIGINT. To go on: mixspace.Study('stuck').continue_()"
    assert cell.error == ("KeyboardInterrupt", said)
    assert said in cell.text
    assert "not reached" not in cell.text
    assert kernel.is_alive
    (trial,) = trials(kernel, "stuck")
    assert (trial.state, trial.reason) == ("preempted", "interrupted by SIGINT")
    assert trial.epochs_done == 1


@pytest.mark.ray
@pytest.mark.slow
def test_an_interrupted_study_goes_on_in_its_kernel_and_trains_nothing_twice(
    kernel: Kernel,
) -> None:
    with interrupted(kernel, has_epochs(kernel, "real", 1), 1):
        cell = kernel.run("mixspace.run(given, study='real').outcome.reason")
    assert cell.error is None
    assert cell.result == "'interrupted by SIGINT'"
    done = trials(kernel, "real")[0].epochs_done
    assert 0 < done < EPOCHS - 2
    with interrupted(kernel, has_epochs(kernel, "real", done + 1), 2):
        cell = kernel.run("mixspace.run(given, study='real', resume=True)")
    assert cell.error is not None
    assert cell.error[0] == "KeyboardInterrupt"
    assert trials(kernel, "real")[0].epochs_done > done
    cell = kernel.run("mixspace.run(given, study='real', resume=True).outcome.exit_code.name")
    assert cell.result == "'DONE'"
    assert epochs_written(kernel, "real") == list(range(1, EPOCHS + 1))
    # The bar is text where there are no widgets, and Ray shows nothing of its own.
    assert "1/1" in cell.text
    assert "Warning" not in cell.text
    assert "ipywidgets" not in cell.text
    assert cell.shown == []
