"""Cheap trainings of a table's architectures: on fewer images, and on smaller ones.

They are of the images that come with the project, so that anyone can run them: as many as one epoch
of the table has, in one pass, with the whole schedule of the learning rate.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from torch.nn import functional

from benchmarks.table.read import TabularBenchmark
from space import Architecture
from space.architecture import Input
from trainers import DataConfig, Protocol, SearchData, Training, open_data
from trainers.data.search_data import Batch
from trainers.data.share import WHOLE, Share

EDGES = (28, 16)
"""Edges of the images in pixels; 16 are 4×4 tokens in place of 7×7."""

IMAGES = 6144
"""How many are trained on, all epochs together."""

_EPOCHS = 3


class SmallerImages(SearchData):
    """Data whose images are brought to another size, by the mean of the pixels that are covered.

    Args:
        data: without mixup and CutMix.
        edge: of the square images, in pixels.
    """

    def __init__(self, data: SearchData, edge: int) -> None:
        super().__init__(replace(data.description, height=edge, width=edge))
        self._data, self._edge = data, edge

    def _resized(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        for images, labels in batches:
            resized = functional.interpolate(images, size=(self._edge,) * 2, mode="area")
            yield resized.contiguous(memory_format=torch.channels_last), labels

    def _train_batches(
        self, epoch: int, seed: int, device: torch.device | str, places: torch.Tensor
    ) -> Iterator[Batch]:
        return self._resized(self._data._train_batches(epoch, seed, device, places))

    def validation_batches(
        self, device: torch.device | str = "cpu", share: Share = WHOLE
    ) -> Iterator[Batch]:
        return self._resized(self._data.validation_batches(device, share))


def open_embedded(benchmark: TabularBenchmark, images: int = IMAGES) -> SearchData:
    """The images of a cheap training, under the table's protocol but for their number."""
    values = Protocol.from_stored(benchmark.metadata["protocol"]).to_dict()
    values |= {"content_hash": None, "split_hash": None}
    values |= {"epochs": _EPOCHS, "samples_per_epoch": images // _EPOCHS}
    return open_data(DataConfig(limit_train=images), Protocol.from_dict(values))


def train_cheaply(
    benchmark: TabularBenchmark,
    ids: Sequence[str],
    data: SearchData,
    edge: int,
    advance: Callable[[], object] = lambda: None,
) -> dict[str, tuple[float, float]]:
    """The accuracy and the CPU seconds of a cheap training, by id; NaN of one that breaks off.

    Args:
        benchmark: with the architectures. ids: of them.
        data: as `open_embedded` gives them. edge: of the images.
        advance: is called after each.
    """
    smaller = data if edge == data.description.height else SmallerImages(data, edge)
    found = {}
    for id_ in ids:
        architecture = _with_edge(benchmark.architectures[id_], edge)
        begun = time.process_time()
        accuracy = _accuracy(architecture, smaller, min(benchmark.trainings(id_)))
        found[id_] = accuracy, time.process_time() - begun
        advance()
    return found


def _with_edge(architecture: Architecture, edge: int) -> Architecture:
    shape = Input(architecture.input.channels, edge, edge)
    return replace(architecture, input=shape)


def _accuracy(architecture: Architecture, data: SearchData, seed: int) -> float:
    protocol = data.protocol
    # Of another size the network has another id, and yet the seeds are to be its own.
    training = Training(architecture, protocol, data, seeds=protocol.seeds(seed, architecture.id))
    while not training.done:
        result = training.run_epoch()
    return result.validation_accuracy if math.isfinite(result.validation_accuracy) else math.nan
