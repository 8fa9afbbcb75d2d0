"""Trains one architecture of the table and writes down what came of it."""

import tempfile
import time
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from benchmarks.table.spec import TableSpec
from space import Architecture
from trainers import SearchData, Training, final_test, open_data
from trainers.failure_classification import classify


@dataclass(frozen=True, slots=True)
class Measured:
    """One training.

    Attributes:
        architecture_id: of what. seed: study seed, from which both seeds of the training follow.
        validation_accuracy: after every epoch, 0 to 1.
        train_loss: mean over every epoch.
        seconds: of training and validation, every epoch: CPU time of one core, or wall time of
            a GPU.
        test_accuracy: of the finished network on the test split, 0 to 1.
        device: "cpu", or the name of the GPU.
        failure: why the training broke off, else None.
    """

    architecture_id: str
    seed: int
    validation_accuracy: tuple[float, ...]
    train_loss: tuple[float, ...]
    seconds: tuple[float, ...]
    test_accuracy: float | None
    device: str
    failure: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def measure(
    architecture: Architecture, seed: int, spec: TableSpec, device: str = "cpu"
) -> Measured:
    """Train, validate after every epoch, and read the test split once at the end."""
    torch.set_num_threads(1)
    data = _data(spec)
    clock = time.process_time if device == "cpu" else time.perf_counter
    seconds: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Path(folder) / "last.safetensors"
        training = Training(
            architecture,
            data.protocol,
            data,
            seeds=data.protocol.seeds(seed, architecture.id),
            device=device,
            checkpoint_path=checkpoint,
        )
        failure, test = None, None
        try:
            while not training.done:
                begun = clock()
                training.run_epoch()
                seconds.append(clock() - begun)
            test = final_test(
                architecture,
                checkpoint,
                data.protocol,
                spec.data,
                lambda reading: None,
                device=device,
            )
        except Exception as error:  # noqa: BLE001 - a table tells of every architecture
            failure = classify(error).reason
    history = training.history
    return Measured(
        architecture.id,
        seed,
        tuple(result.validation_accuracy for result in history),
        tuple(result.train_loss for result in history),
        tuple(seconds[: len(history)]),
        test,
        _device_name(device),
        failure,
    )


@cache
def _data(spec: TableSpec) -> SearchData:
    """The images, opened once in this process."""
    return open_data(spec.data, spec.bound_protocol())


def _device_name(device: str) -> str:
    return "cpu" if device == "cpu" else torch.cuda.get_device_name(device)
