"""Trainings that go wrong, in place of the real one, for tests of the workers."""

import ctypes
import importlib
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainers import EpochResult, NonFiniteLoss, failure_classification


class FakeTraining:
    """Two epochs, without any computation.

    `fault` is raised, or called, in the second epoch.
    """

    def __init__(self, fault: object = None, epochs: int = 2, seconds: float = 0.0) -> None:
        self.history: tuple[EpochResult, ...] = ()
        self.inherited_from: str | None = None
        self._fault, self._epochs, self._seconds = fault, epochs, seconds

    @property
    def done(self) -> bool:
        return len(self.history) >= self._epochs

    def run_epoch(self) -> EpochResult:
        time.sleep(self._seconds)
        if self.history and isinstance(self._fault, BaseException):
            raise self._fault
        if self.history and callable(self._fault):
            self._fault()
        number = len(self.history) + 1
        result = EpochResult(number, 1.0, 1.0, number / 10, 0.1, 0.1, 100.0)
        self.history += (result,)
        return result


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def stop_this_process() -> None:
    """It hangs as a whole, without a chance to notice it itself."""
    os.kill(os.getpid(), signal.SIGSTOP)


def terminate_this_process() -> None:
    """As a scheduler does that wants its node back; the training is never told."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(5)


def crash_in_native_code() -> None:
    ctypes.string_at(0)


def allocate_too_much() -> None:
    """A real refusal of the allocator, whatever the machine."""
    bytearray(2**62)


class OutOfMemoryError(RuntimeError):
    """A stand-in for torch's own, of the same name: its import takes longer than a whole test."""

    def __init__(self) -> None:
        super().__init__("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ...")


class Odd:
    """An epoch of a user's own training."""

    def __init__(self, epoch: int, accuracy: Any) -> None:
        self._values = {"epoch": epoch, "validation_accuracy": accuracy, "validation_loss": 1.0}

    def to_dict(self) -> dict[str, Any]:
        return self._values


class Reporting(FakeTraining):
    """Reports these accuracies, one an epoch."""

    def __init__(self, accuracies: Sequence[Any]) -> None:
        super().__init__(epochs=len(accuracies))
        self._accuracies = accuracies

    def run_epoch(self) -> EpochResult:
        number = len(self.history)
        result: Any = Odd(number + 1, self._accuracies[number])
        self.history += (result,)
        return self.history[-1]


REPORTS: Mapping[int, Sequence[Any]] = {
    5: [0.5, "good"],
    6: [None, None],
    7: [],
    11: [float("nan"), float("inf")],
}


def by_number(config: Mapping[str, Any]) -> FakeTraining:
    """Each of the first trials has its own fault; the others are well."""
    faults: dict[int, object] = {
        0: NonFiniteLoss("train loss is nan in epoch 2, step 17"),
        1: RuntimeError(
            "the flux capacitor is empty\nand a second line, postgresql://u:s3kret@h/d"
        ),
        2: allocate_too_much,
        3: kill_this_process,
        8: stop_this_process,
        9: crash_in_native_code,
        10: RuntimeError("CUDA error: device-side assert triggered"),
        12: OutOfMemoryError(),
        14: SystemExit(3),
        21: KeyboardInterrupt(),
        22: GeneratorExit(),
    }
    if config["number"] in REPORTS:
        return Reporting(REPORTS[config["number"]])
    if config["number"] == 4:
        raise KeyError("broken before the first epoch")
    return FakeTraining(faults.get(config["number"]))


def one_by_one(config: dict[str, Any]) -> FakeTraining:
    """As `by_number`; it is written down who trains, and trials 13 and 15 meet theirs at first."""
    first = write_pid(config)
    if config["number"] == 13 and first:
        return FakeTraining(gpu_held_by_others(config))
    if config["number"] == 15 and first:
        return FakeTraining(terminate_this_process)
    return by_number(config)


def write_pid(config: Mapping[str, Any]) -> bool:
    """Write down who trains a trial; whether it is the first attempt."""
    file = Path(config["checkpoint"]).with_name(f"{config['number']}.pid")
    first = not file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(str(os.getpid()))
    return first


def place_of(config: Mapping[str, Any]) -> Path:
    """The folder in which `RealSearch` keeps a study."""
    return Path(config["checkpoint"]).parents[2]


def with_a_package(config: Mapping[str, Any]) -> FakeTraining:
    """It needs a package that not every machine has."""
    importlib.import_module("a_package_of_a_user")
    return FakeTraining()


def broken_by_a_file(config: Mapping[str, Any]) -> FakeTraining:
    """Every trial fails in its second epoch as long as there is a file "broken"."""
    return FakeTraining(KeyError("x") if (place_of(config) / "broken").exists() else None)


def on_a_taken_gpu(config: dict[str, Any]) -> FakeTraining:
    """There is no memory on the GPU, which is a stand-in, as long as there is a file "taken"."""
    taken = (place_of(config) / "taken").exists()
    return FakeTraining(gpu_held_by_others(config) if taken else None)


def gpu_held_by_others(config: dict[str, Any]) -> Exception:
    """The error of an allocation on a GPU of the trial's own, of which others hold one half."""
    config["whole_gpu"] = True
    failure_classification.held_by_others = lambda: 0.5
    return OutOfMemoryError()


def patient(config: Mapping[str, Any]) -> FakeTraining:
    """As many epochs as the protocol has, of half a second each."""
    return FakeTraining(epochs=config["protocol"]["epochs"], seconds=0.5)


def instant(config: Mapping[str, Any]) -> FakeTraining:
    """Over long before a worker has started."""
    return FakeTraining()


def slow(config: Mapping[str, Any]) -> FakeTraining:
    """Half a second an epoch; writes down who trains."""
    write_pid(config)
    return FakeTraining(epochs=4, seconds=0.5)


def on_one_rank(config: Mapping[str, Any]) -> FakeTraining:
    """Of the processes of the first trial the last one fails in its second epoch."""
    is_it = config["number"] == 0 and config["together"]["rank"] == 1
    return FakeTraining(KeyError("only here") if is_it else None)
