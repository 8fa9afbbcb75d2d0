"""What a search sees of a data set: batches to train on, and batches to validate on."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import torch
from torch import Tensor

from trainers.data.augmentation import BatchMixer
from trainers.data.describe import DataDescription
from trainers.data.share import WHOLE, Share
from trainers.protocol import Protocol
from trainers.seeds import derive, seeded

Batch = tuple[Tensor, Tensor]


class SearchData(ABC):
    """Training and validation images. The test images are not in it, and cannot be reached by it.

    Batches are float images (batch, channels, height, width), normalised, in channels_last, and
    either int64 labels (batch,) or, with mixup or CutMix, soft targets (batch, classes).

    A batch depends on the data, the protocol, the epoch, the seed and its number alone, not on
    what was drawn before, nor on the state of any global generator.
    """

    def __init__(self, description: DataDescription) -> None:
        self.description = description

    @property
    def protocol(self) -> Protocol:
        """The protocol with the hashes of these data in it."""
        return self.description.protocol

    @property
    def steps_per_epoch(self) -> int:
        """Training batches in an epoch; see `Protocol.steps_per_epoch`."""
        return self.protocol.steps_per_epoch(self.description.train_images)

    @property
    def train_images_per_epoch(self) -> int:
        """Training images that an epoch uses."""
        samples = self.protocol.samples_of_an_epoch(self.description.train_images)
        return self.steps_per_epoch * min(self.protocol.batch_size, samples)

    @property
    def train_batch(self) -> int:
        """Images of a training batch: `protocol.batch_size`, or all where there are fewer."""
        return self.train_images_per_epoch // self.steps_per_epoch

    def train_batches(
        self, epoch: int, seed: int, device: torch.device | str = "cpu", share: Share = WHOLE
    ) -> Iterator[Batch]:
        """The augmented training batches of an epoch, in an order that epoch and seed decide.

        Of several processes each gets its share of every batch; together these are the batch that
        one alone would get.
        """
        mixer = BatchMixer.of(self.protocol, self.description.classes, device)
        places = share.places(self.train_batch, self.protocol.accumulation)
        batches = self._train_batches(epoch, seed, device, places)
        for step, (images, labels) in enumerate(batches):
            if mixer is None:
                yield images, labels
                continue
            with seeded(derive(seed, epoch, step, "mixing")):
                mixed = mixer(images, labels, places, self.train_batch)
            yield mixed

    @abstractmethod
    def _train_batches(
        self, epoch: int, seed: int, device: torch.device | str, places: Tensor
    ) -> Iterator[Batch]:
        """The images at those places of every batch, (places,) int64, rising; not mixed yet."""

    @abstractmethod
    def validation_batches(
        self, device: torch.device | str = "cpu", share: Share = WHOLE
    ) -> Iterator[Batch]:
        """The validation images, unchanged, always in the same order, with int64 labels.

        Of several processes each gets batches of its own.
        """


def distinct_images(samples: int, repeats: int) -> int:
    """How many different images an epoch of so many samples has."""
    return -(-samples // repeats)


def repeated(order: Tensor, repeats: int, samples: int) -> Tensor:
    """An epoch in which every image comes several times in a row, but for the last perhaps.

    timm's `RepeatAugSampler`: copies are neighbours, so of several processes each gets another.

    Args:
        order: (images,) int64 positions, `distinct_images` at least.

    Returns:
        (samples,) int64 positions.
    """
    return order.repeat_interleave(repeats)[:samples]


def samples_of_epoch(images: int, samples: int, epoch: int, seed: int) -> Tensor:
    """The next `samples` of an endless row of passes, each over all images in an order of its own.

    So every image is seen as often as any other, up to one, however many epochs a pass takes.

    Args:
        images: how many there are. samples: how many an epoch takes. epoch: from 1.

    Returns:
        (samples,) int64 positions of images.
    """
    start, stop = (epoch - 1) * samples, epoch * samples
    passes = range(start // images, -(-stop // images))
    row = torch.cat([_shuffled(images, number, seed) for number in passes])
    begun = start - passes.start * images
    return row[begun : begun + samples]


def _shuffled(images: int, number: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(derive(seed, number, "pass"))
    return torch.randperm(images, generator=generator)
