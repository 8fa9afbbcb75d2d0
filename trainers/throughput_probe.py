"""Measures, before a training begins, how fast pictures come and how fast the network takes them.

Nothing of the training changes: weights, batches and random numbers are as without it.
"""

import os
import time
from copy import deepcopy

import torch
from torch import Tensor

from trainers.data.folder_data import FolderData
from trainers.evaluation import forward
from trainers.optimisation import training_loss
from trainers.seeds import seeded
from trainers.throughput import Throughput
from trainers.training import Training

_SECONDS = 0.7
"""For which each of both is measured; a first part is not counted."""
_MOST_IMAGES = {"cpu": 16, "cuda": 64}
"""Of a step; no more than a training of that batch has room for."""


def measure_throughput(training: Training) -> Throughput | None:
    """Both rates of a training; None where images are in memory and nothing waits for them.

    Raises:
        UnreadableData: as the training would.
    """
    if not isinstance(training.data, FolderData):
        return None
    loader, pictures = training.data.loading_rate(_SECONDS)
    return Throughput(
        loader=loader,
        network=_network_rate(training),
        workers=training.data.workers,
        cores=len(os.sched_getaffinity(0)),
        device=training.device.type,
        pictures=pictures,
    )


def _network_rate(training: Training) -> float:
    """Images a second, forward and back, in a copy of the network."""
    data, device = training.data.description, training.device
    count = min(training.protocol.batch_size, _MOST_IMAGES.get(device.type, 16))
    with seeded(0):
        model = deepcopy(training.model).train()
        images = torch.randn(count, data.channels, data.height, data.width).to(
            device, memory_format=torch.channels_last
        )
        labels = torch.arange(count, device=device) % data.classes

        def step() -> None:
            logits = forward(model, images, training.protocol, device)
            loss: Tensor = training_loss(logits, labels, training.protocol.label_smoothing)
            loss.backward()
            model.zero_grad(set_to_none=True)
            if device.type == "cuda":
                torch.cuda.synchronize(device)

        step()
        began, steps = time.perf_counter(), 0
        while not steps or time.perf_counter() - began < _SECONDS:
            step()
            steps += 1
        return count * steps / (time.perf_counter() - began)
