"""Pictures in files, decoded and augmented by workers."""

import time
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from trainers.data.augmentation import test_transform, train_transform
from trainers.data.describe import DataDescription
from trainers.data.image_folder.image_index import ImageIndex
from trainers.data.search_data import (
    Batch,
    SearchData,
    distinct_images,
    repeated,
    samples_of_epoch,
)
from trainers.data.share import WHOLE, Share
from trainers.data.split import Indices, Split
from trainers.protocol import Augmentation
from trainers.seeds import derive, seeded

_AT_ONCE, _MOST_MEASURED = 4, 4096
"""Images that a worker decodes in a row while its rate is measured, and most of all."""
_PARTS = 32
"""Of the images by size, of which each group that is measured has one."""
_MOST_TIMES = 20
"""Times as long as was wanted the rate is measured at most, where pictures are huge."""


class FolderImages(Dataset[tuple[Tensor, int]]):
    """Some images of an index, each transformed under a seed of its own.

    So an image does not depend on which worker decodes it, or on how many workers there are.

    An item behind the last image is another copy of one, which is changed in a way of its own.

    Args:
        seed: of the changes that training images undergo; None shows them as a test does.
    """

    def __init__(
        self,
        index: ImageIndex,
        positions: Indices,
        augmentation: Augmentation,
        seed: int | None = None,
    ) -> None:
        self.index, self.positions, self.seed = index, positions, seed or 0
        self.transform = (test_transform if seed is None else train_transform)(augmentation)
        self.background = augmentation.background

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, item: int) -> tuple[Tensor, int]:
        copy, number = divmod(item, len(self))
        position = int(self.positions[number])
        image = self.index.read(position, self.background)
        with seeded(derive(self.seed, position, *([copy] if copy else []))):
            return self.transform(image), int(self.index.labels[position])


def folder_batches(
    images: FolderImages, device: torch.device | str, workers: int, **options: Any
) -> Iterator[Batch]:
    """Batches of a data set on a device, float channels_last, with int64 labels."""
    on_gpu = torch.device(device).type == "cuda"
    loader = DataLoader(images, num_workers=workers, pin_memory=on_gpu, **options)
    for pixels, labels in loader:
        moved = pixels.to(device, non_blocking=on_gpu, memory_format=torch.channels_last)
        yield moved, labels.to(device, non_blocking=on_gpu)


class FolderData(SearchData):
    """Training and validation images of train/."""

    def __init__(
        self, description: DataDescription, index: ImageIndex, split: Split, workers: int
    ) -> None:
        super().__init__(description)
        self._index, self._split, self.workers = index, split, workers

    def _train_batches(
        self, epoch: int, seed: int, device: torch.device | str, places: Tensor
    ) -> Iterator[Batch]:
        image_seed = derive(seed, epoch, "images")
        images = FolderImages(
            self._index, self._split.train, self.protocol.augmentation, image_seed
        )
        size, steps = self.train_batch, self.steps_per_epoch
        order = self._order(len(images), epoch, seed)[: size * steps]
        batches = order.reshape(steps, size)[:, places]
        # One of its own: it must not draw from that of drop path.
        options: dict[str, Any] = {"generator": torch.Generator().manual_seed(image_seed)}
        options["batch_sampler"] = batches.tolist()
        yield from folder_batches(images, device, self.workers, **options)

    def _order(self, images: int, epoch: int, seed: int) -> Tensor:
        """The items of an epoch, one after the other."""
        repeats = self.protocol.augmentation.repeats
        samples = self.protocol.samples_of_an_epoch(images)
        if self.protocol.samples_per_epoch is None:
            order = _shuffled(images, derive(seed, epoch, "order"))
        else:
            order = samples_of_epoch(images, distinct_images(samples, repeats), epoch, seed)
        copies = torch.arange(samples) % repeats
        return repeated(order, repeats, samples) + images * copies

    def validation_batches(
        self, device: torch.device | str = "cpu", share: Share = WHOLE
    ) -> Iterator[Batch]:
        images = FolderImages(self._index, self._split.validation, self.protocol.augmentation)
        batches = torch.arange(len(images)).split(self.protocol.batch_size)
        own = [batch.tolist() for batch in batches[share.rank :: share.size]]
        yield from folder_batches(images, device, self.workers, batch_sampler=own)

    def loading_rate(self, seconds: float) -> tuple[float, int]:
        """Training images that are read, decoded and augmented in a second, measured alone.

        Few of many are read, so each some dozens of them are of all sizes: one of each part of the
        files when they stand by their bytes. Only such whole groups count.

        Args:
            seconds: for which it is measured at least, unless that takes far longer; what comes
                until all workers are at work is not.

        Returns:
            The rate, and the number of images that it was measured on.

        Raises:
            UnreadableData: a picture cannot be read.
        """
        images = FolderImages(self._index, self._split.train, self.protocol.augmentation, seed=0)
        order = torch.Generator().manual_seed(0)
        ready = max(1, 2 * self.workers) * _AT_ONCE
        first = torch.randint(len(images), (ready,), generator=order)
        sizes = torch.from_numpy(self._index.sizes[self._split.train])
        groups = _of_all_sizes(sizes, _MOST_MEASURED, order)
        batches = [each.tolist() for some in (first, *groups) for each in some.split(_AT_ONCE)]
        ends = set(accumulate(map(len, groups)))
        began, taken, count = 0.0, 0.0, -ready
        for _, labels in folder_batches(
            images, "cpu", self.workers, batch_sampler=batches, generator=order
        ):
            count += len(labels)
            if count <= 0:
                began = time.perf_counter()
                continue
            taken = time.perf_counter() - began
            if (count in ends and taken >= seconds) or taken >= _MOST_TIMES * seconds:
                break
        return count / taken, count


def _of_all_sizes(sizes: Tensor, least: int, order: torch.Generator) -> list[Tensor]:
    """Groups of images, each with one from every part of the images by the size of their files.

    Args:
        sizes: (images,) of the files, in bytes. least: so many images in all, or somewhat more.
    """
    parts = sizes.argsort(stable=True).tensor_split(min(_PARTS, len(sizes)))
    groups = []
    for _ in range(-(-least // len(parts))):
        drawn = [part[torch.randint(len(part), (1,), generator=order)] for part in parts]
        groups.append(torch.cat(drawn)[torch.randperm(len(parts), generator=order)])
    return groups


def _shuffled(images: int, seed: int) -> Tensor:
    """All images in a random order."""
    generator = torch.Generator().manual_seed(seed)
    # A DataLoader drew a number before it shuffled, as long as the order was left to it.
    torch.empty((), dtype=torch.int64).random_(generator=generator)
    return torch.randperm(images, generator=generator)
