"""Scores networks: on validation images, and in the final test, the one reading of test images."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from space import Architecture
from trainers.checkpoint import load_weights
from trainers.data.data_config import DataConfig
from trainers.data.describe import describe_data
from trainers.data.held_out_test import Record, refuse_if_locked
from trainers.data.opening import open_test_split
from trainers.initial_weights import Build, build_network, to_device
from trainers.processes import ALONE, Processes
from trainers.protocol import Protocol

_LOW = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def forward(model: nn.Module, images: Tensor, protocol: Protocol, device: torch.device) -> Tensor:
    """Logits (batch, classes) in float32, computed in the precision that the protocol wants.

    "auto" is bfloat16 on a GPU, and float32 on a CPU: there bfloat16 convolutions are about a
    hundred times slower without AMX. bfloat16 has the exponents of float32, so the loss needs no
    scaling; that of float16 is scaled by whoever takes its gradient.
    """
    wanted = protocol.precision
    low = wanted in _LOW or (wanted == "auto" and device.type == "cuda")
    with torch.autocast(device.type, dtype=_LOW.get(wanted, torch.bfloat16), enabled=low):
        logits: Tensor = model(images)
    return logits.float()


@torch.inference_mode()
def score(
    model: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    protocol: Protocol,
    device: torch.device,
    processes: Processes = ALONE,
) -> tuple[float, float]:
    """Mean cross entropy (nats, no smoothing) and share of images classified rightly (0 to 1).

    The network is left in evaluation mode. Of several processes each has its own batches, and all
    get the figures of all images.
    """
    model.eval()
    loss = torch.zeros((), dtype=torch.float64, device=device)
    right = torch.zeros((), dtype=torch.int64, device=device)
    images = torch.zeros((), dtype=torch.int64, device=device)
    for pixels, labels in batches:
        logits = forward(model, pixels, protocol, device)
        loss += functional.cross_entropy(logits, labels, reduction="sum")
        right += (logits.argmax(1) == labels).sum()
        images += len(labels)
    loss, right, images = map(processes.sum, (loss, right, images))
    return float(loss) / int(images), int(right) / int(images)


def final_test(
    architecture: Architecture,
    checkpoint: Path | str,
    protocol: Protocol,
    data_config: DataConfig | Mapping[str, Any],
    record: Record,
    *,
    device: torch.device | str = "cpu",
    build: Build = build_network,
) -> float:
    """Share of the test images that the trained architecture classifies rightly, 0 to 1.

    Args:
        checkpoint: file of the finished training of this architecture under this protocol.
        record: called with a TestReading before the images are read, and with its completed form
            (same id, with the accuracy) afterwards.

    Raises:
        TestSplitLocked: while a search is running.
        InputError: if the checkpoint is corrupt or of something else, or the data are missing.
    """
    refuse_if_locked()
    bound = describe_data(data_config, protocol).protocol
    network = finished_network(architecture, checkpoint, bound, build)
    return read_test(network, architecture.id, bound, data_config, record, device=device)


def finished_network(
    architecture: Architecture,
    checkpoint: Path | str,
    protocol: Protocol,
    build: Build = build_network,
) -> nn.Module:
    """The network of a training that came to its end, on the CPU.

    Args:
        checkpoint: file of the training. protocol: of the training, bound to its data.

    Raises:
        InputError: if the checkpoint is missing, corrupt, or of something else, such as another
            architecture or an earlier epoch.
    """
    expected = {"architecture": architecture.id, "protocol": protocol.hash}
    network = build(architecture, 0.0)
    load_weights(network, Path(checkpoint), expected | {"epoch": protocol.epochs})
    return network


def read_test(
    network: nn.Module,
    architecture_id: str,
    protocol: Protocol,
    data_config: DataConfig | Mapping[str, Any],
    record: Record,
    *,
    device: torch.device | str = "cpu",
) -> float:
    """Share of the test images that a finished network classifies rightly, 0 to 1.

    Args:
        network: as `finished_network` gives it. protocol: of its training, bound to its data.
        record: as of `final_test`.

    Raises:
        TestSplitLocked: while a search is running.
        InputError: if the data are missing.
    """
    target = torch.device(device)
    network = to_device(network, target)
    test = open_test_split(data_config, protocol, architecture_id=architecture_id, record=record)
    accuracy = score(network, test.batches(target), protocol, target)[1]
    record(replace(test.reading, accuracy=accuracy))
    return accuracy
