"""Pictures in files, decoded and augmented by workers."""

import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from trainers.data.augmentation import test_transform, train_transform
from trainers.data.describe import DataDescription
from trainers.data.image_folder.image_index import ImageIndex
from trainers.data.search_data import Batch, SearchData, samples_of_epoch
from trainers.data.split import Indices, Split
from trainers.protocol import Augmentation
from trainers.seeds import derive, seeded

_AT_ONCE, _MOST_MEASURED = 4, 4096
"""Images that a worker decodes in a row while its rate is measured, and most of all."""


class FolderImages(Dataset[tuple[Tensor, int]]):
    """Some images of an index, each transformed under a seed of its own.

    So an image does not depend on which worker decodes it, or on how many workers there are.

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
        position = int(self.positions[item])
        image = self.index.read(position, self.background)
        with seeded(derive(self.seed, position)):
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

    def _train_batches(self, epoch: int, seed: int, device: torch.device | str) -> Iterator[Batch]:
        image_seed = derive(seed, epoch, "images")
        images = FolderImages(
            self._index, self._split.train, self.protocol.augmentation, image_seed
        )
        samples = self.protocol.samples_per_epoch
        order = torch.Generator().manual_seed(derive(seed, epoch, "order"))
        sampler: Any = RandomSampler(images, generator=order)
        if samples is not None:
            sampler = samples_of_epoch(len(images), samples, epoch, seed).tolist()
        yield from folder_batches(
            images,
            device,
            self.workers,
            batch_size=self.train_images_per_epoch // self.steps_per_epoch,
            sampler=sampler,
            drop_last=True,
            generator=order,
        )

    def validation_batches(self, device: torch.device | str = "cpu") -> Iterator[Batch]:
        images = FolderImages(self._index, self._split.validation, self.protocol.augmentation)
        size = self.protocol.batch_size
        yield from folder_batches(images, device, self.workers, batch_size=size)

    def loading_rate(self, seconds: float) -> float:
        """Training images that are read, decoded and augmented in a second, measured alone.

        Args:
            seconds: for which it is measured; what comes until all workers are at work is not.

        Raises:
            UnreadableData: a picture cannot be read.
        """
        images = FolderImages(self._index, self._split.train, self.protocol.augmentation, seed=0)
        order = torch.Generator().manual_seed(0)
        ready = max(1, 2 * self.workers) * _AT_ONCE
        total, began, count = len(images), 0.0, 0
        sampler = [
            place
            for _ in range(-(-(ready + _MOST_MEASURED) // total))
            for place in torch.randperm(total, generator=order).tolist()
        ][: ready + _MOST_MEASURED]
        for _, labels in folder_batches(
            images, "cpu", self.workers, batch_size=_AT_ONCE, sampler=sampler, generator=order
        ):
            count += len(labels)
            if count <= ready:
                began = time.perf_counter()
            elif time.perf_counter() - began >= seconds:
                break
        return (count - ready) / (time.perf_counter() - began)
