"""What a training under a task sees: batches to train on, and batches to validate on."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import Tensor

from trainers.data.share import WHOLE, Share
from trainers.seeds import derive
from trainers.transfer.data.batches import (
    batches_of_equal_sizes,
    loaded,
    shared_batches,
    training_batches,
)
from trainers.transfer.data.changes import DetectionChanges, SegmentationChanges
from trainers.transfer.data.data_config import Task
from trainers.transfer.data.detection_index import DetectionIndex
from trainers.transfer.data.detection_samples import DetectionSamples, Target, collate
from trainers.transfer.data.segmentation_index import ClassNumbers, SegmentationIndex
from trainers.transfer.data.segmentation_samples import SegmentationSamples

DetectionBatch = tuple[list[Tensor], list[Target]]
SegmentationBatch = tuple[Tensor, Tensor]


class TransferData(ABC):
    """Training and validation pictures of one task, each checked.

    Attributes:
        task: that they are for.
        classes: names; of detection class 1 first, of segmentation class 0.
        content_hash: 16 hex digits over names, contents and annotations of both parts.
        remarks: sentences on what was left out, and what to know.
        workers: processes that decode pictures.
    """

    task: Task

    def __init__(
        self,
        classes: tuple[str, ...],
        content_hash: str,
        *,
        remarks: tuple[str, ...] = (),
        workers: int = 0,
    ) -> None:
        self.classes, self.content_hash = classes, content_hash
        self.remarks, self.workers = remarks, workers

    @property
    @abstractmethod
    def train_images(self) -> int:
        """Pictures to train on."""

    @property
    @abstractmethod
    def validation_images(self) -> int:
        """Pictures to validate on."""

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch, all full; a batch has no more than all pictures."""
        return self.train_images // min(batch_size, self.train_images)

    @abstractmethod
    def train(
        self,
        changes: Any,
        *,
        batch_size: int,
        epoch: int,
        seed: int,
        first: int = 0,
        share: Share = WHOLE,
    ) -> Iterator[Any]:
        """The batches of an epoch, on the CPU: a function of seed and epoch alone.

        Args:
            changes: how pictures are changed: `DetectionChanges` or `SegmentationChanges`.
            batch_size: pictures of all processes together.
            epoch: from 1.
            first: batches that are left out at the beginning, and not read.
            share: of one of several processes.

        Raises:
            UnreadableData: naming a file that has changed since the data were opened.
        """

    @abstractmethod
    def validation(
        self, changes: Any, *, batch_size: int = 1, share: Share = WHOLE
    ) -> Iterator[Any]:
        """The batches of the validation part, of at most so many pictures."""


class DetectionData(TransferData):
    """Boxes, and masks where the annotations have them.

    Attributes:
        has_masks: whether they have.
    """

    task: Task = "detection"

    def __init__(
        self,
        train: DetectionIndex,
        validation: DetectionIndex,
        classes: tuple[str, ...],
        content_hash: str,
        *,
        has_masks: bool,
        **options: Any,
    ) -> None:
        super().__init__(classes, content_hash, **options)
        self.has_masks = has_masks
        self.train_index, self.validation_index = train, validation

    @property
    def train_images(self) -> int:
        return len(self.train_index.files)

    @property
    def validation_images(self) -> int:
        return len(self.validation_index.files)

    def train(
        self,
        changes: DetectionChanges,
        *,
        batch_size: int,
        epoch: int,
        seed: int,
        first: int = 0,
        share: Share = WHOLE,
    ) -> Iterator[DetectionBatch]:
        sizes = self.train_index.sizes
        # Wider than high, or not: what of a batch is padding depends on that most of all.
        groups = (sizes[:, 1] > sizes[:, 0]).astype(np.int64) if changes.group_by_shape else None
        image_seed = derive(seed, epoch, "images")
        samples = DetectionSamples(
            self.train_index, changes, has_masks=self.has_masks, seed=image_seed
        )
        batches = training_batches(len(samples), batch_size, epoch=epoch, seed=seed, groups=groups)
        mine = shared_batches(batches[first:], share)
        yield from loaded(samples, mine, workers=self.workers, seed=image_seed, collate=collate)

    def validation(
        self, changes: DetectionChanges, *, batch_size: int = 1, share: Share = WHOLE
    ) -> Iterator[DetectionBatch]:
        samples = DetectionSamples(self.validation_index, changes, has_masks=self.has_masks)
        items = list(range(len(samples)))
        batches = [items[at : at + batch_size] for at in range(0, len(items), batch_size)]
        mine = batches[share.rank :: share.size]
        yield from loaded(samples, mine, workers=self.workers, seed=0, collate=collate)


class SegmentationData(TransferData):
    """A class for each pixel."""

    task: Task = "segmentation"

    def __init__(
        self,
        train: SegmentationIndex,
        validation: SegmentationIndex,
        numbers: ClassNumbers,
        classes: tuple[str, ...],
        content_hash: str,
        **options: Any,
    ) -> None:
        super().__init__(classes, content_hash, **options)
        self.numbers = numbers
        self.train_index, self.validation_index = train, validation

    @property
    def train_images(self) -> int:
        return len(self.train_index.files)

    @property
    def validation_images(self) -> int:
        return len(self.validation_index.files)

    def train(
        self,
        changes: SegmentationChanges,
        *,
        batch_size: int,
        epoch: int,
        seed: int,
        first: int = 0,
        share: Share = WHOLE,
    ) -> Iterator[SegmentationBatch]:
        image_seed = derive(seed, epoch, "images")
        samples = SegmentationSamples(self.train_index, self.numbers, changes, seed=image_seed)
        batches = training_batches(len(samples), batch_size, epoch=epoch, seed=seed)
        mine = shared_batches(batches[first:], share)
        yield from loaded(samples, mine, workers=self.workers, seed=image_seed)

    def validation(
        self, changes: SegmentationChanges, *, batch_size: int = 1, share: Share = WHOLE
    ) -> Iterator[SegmentationBatch]:
        """Batches of pictures of one size, in the order of sizes; masks in those of their files."""
        samples = SegmentationSamples(self.validation_index, self.numbers, changes)
        batches = batches_of_equal_sizes(self.validation_index.sizes, batch_size)
        mine = batches[share.rank :: share.size]
        yield from loaded(samples, mine, workers=self.workers, seed=0)
