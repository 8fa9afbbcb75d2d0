"""A small data set that lives on the device as uint8, cropped and flipped there in batches."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from trainers.data.describe import DataDescription
from trainers.data.labelled_images import LabelledImages
from trainers.data.search_data import (
    Batch,
    SearchData,
    distinct_images,
    repeated,
    samples_of_epoch,
)
from trainers.data.share import WHOLE, Share
from trainers.data.split import Split
from trainers.seeds import derive

VALIDATION_BATCH = 500


class InMemoryImages:
    """uint8 images (count, height, width, channels) and int64 labels on one device."""

    def __init__(self, data: LabelledImages, device: torch.device | str, padding: int = 0) -> None:
        pixels = torch.from_numpy(np.array(data.images)).reshape(*data.images.shape[:3], -1)
        self.height, self.width = pixels.shape[1], pixels.shape[2]
        self.padding = padding
        edges = (0, 0, padding, padding, padding, padding)
        self._pixels = functional.pad(pixels, edges).to(device)
        self.labels = torch.from_numpy(np.array(data.labels, np.int64)).to(device)
        mean, std = (torch.tensor(each, dtype=torch.float64) for each in (data.mean, data.std))
        self._shift = (-255.0 * mean).float().to(device)
        self._scale = (1.0 / (255.0 * std)).float().to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, images: Tensor, top: Tensor, left: Tensor, mirror: Tensor) -> Tensor:
        """Crop, mirror and normalise.

        Args:
            images: (batch,) positions. top, left: (batch,) corner of the crop in the padded image,
                `padding` being the middle. mirror: (batch,) bool.

        Returns:
            float images (batch, channels, height, width) in channels_last.
        """
        down = torch.arange(self.height, device=images.device)
        right = torch.arange(self.width, device=images.device)
        columns = torch.where(mirror[:, None], self.width - 1 - right, right) + left[:, None]
        rows = top[:, None] + down
        cropped = self._pixels[images[:, None, None], rows[:, :, None], columns[:, None, :]]
        return self._normalised(cropped)

    def whole(self, start: int, stop: int) -> Tensor:
        """Images start to stop as they are, normalised; the shape of `batch`."""
        rows = slice(self.padding, self.padding + self.height)
        columns = slice(self.padding, self.padding + self.width)
        return self._normalised(self._pixels[start:stop, rows, columns])

    def _normalised(self, pixels: Tensor) -> Tensor:
        # (batch, height, width, channels) seen as (batch, channels, height, width) is
        # channels_last as it stands. With one channel the two layouts are the same memory, and
        # only the strides tell convolutions which kernel to take.
        images = pixels.float().add_(self._shift).mul_(self._scale).permute(0, 3, 1, 2)
        return images.contiguous(memory_format=torch.channels_last)

    def whole_batches(self) -> Iterator[Batch]:
        """All images in order, unchanged, with their labels."""
        for start in range(0, len(self), VALIDATION_BATCH):
            stop = start + VALIDATION_BATCH
            yield self.whole(start, stop), self.labels[start:stop]


class InMemoryData(SearchData):
    """Training and validation images in memory, copied once to each device that asks."""

    def __init__(self, description: DataDescription, source: LabelledImages, split: Split) -> None:
        super().__init__(description)
        self._train, self._validation = source.only(split.train), source.only(split.validation)
        self._placed: dict[tuple[str, str], InMemoryImages] = {}

    def _on(self, device: torch.device | str, part: str) -> InMemoryImages:
        key = (str(device), part)
        if key not in self._placed:
            data = self._train if part == "train" else self._validation
            padding = self.protocol.augmentation.crop_padding if part == "train" else 0
            self._placed[key] = InMemoryImages(data, device, padding)
        return self._placed[key]

    def _train_batches(
        self, epoch: int, seed: int, device: torch.device | str, places: Tensor
    ) -> Iterator[Batch]:
        images = self._on(device, "train")
        size = self.train_batch
        plan = self._plan(len(images), epoch, seed, device)
        held = slice(None) if len(places) == size else places.to(device)
        for step in range(self.steps_per_epoch):
            part = slice(step * size, (step + 1) * size)
            order, top, left, mirror = (column[part][held] for column in plan)
            yield images.batch(order, top, left, mirror), images.labels[order]

    def _plan(
        self, images: int, epoch: int, seed: int, device: torch.device | str
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """All that is random in an epoch, drawn on the CPU: the same on every device."""
        chosen = self.protocol.augmentation
        count = self.protocol.samples_of_an_epoch(images)
        generator = torch.Generator().manual_seed(derive(seed, epoch, "images"))
        offsets = torch.randint(2 * chosen.crop_padding + 1, (2, count), generator=generator)
        mirror = torch.rand(count, generator=generator) < chosen.flip
        if self.protocol.samples_per_epoch is None:
            order = torch.randperm(images, generator=generator)
        else:
            distinct = distinct_images(count, chosen.repeats)
            order = samples_of_epoch(images, distinct, epoch, seed)
        order = repeated(order, chosen.repeats, count)
        return order.to(device), offsets[0].to(device), offsets[1].to(device), mirror.to(device)

    def validation_batches(
        self, device: torch.device | str = "cpu", share: Share = WHOLE
    ) -> Iterator[Batch]:
        batches = self._on(device, "validation").whole_batches()
        yield from islice(batches, share.rank, None, share.size)
