"""What a training under a task sees: batches to train on, and batches to validate on."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.data.share import WHOLE, Share
from trainers.seeds import derive
from trainers.transfer.data.batches import (
    Batches,
    batches_of_equal_sizes,
    loaded,
    shared_batches,
    training_batches,
)
from trainers.transfer.data.changes import DetectionChanges, SegmentationChanges
from trainers.transfer.data.data_config import Task
from trainers.transfer.data.detection_index import DetectionIndex
from trainers.transfer.data.detection_samples import DetectionSamples, collate
from trainers.transfer.data.segmentation_index import ClassNumbers, SegmentationIndex
from trainers.transfer.data.segmentation_samples import SegmentationSamples


class TransferData(ABC):
    """Training and validation pictures of one task, each checked.

    Attributes:
        task: that they are for.
        classes: names; of detection class 1 first, of segmentation class 0.
        content_hash: 16 hex digits over names, contents and annotations of both parts.
        remarks: sentences on what was left out, and what to know.
        workers: processes that decode pictures.
        train_index, validation_index: of the pictures.
    """

    task: Task

    def __init__(
        self,
        train: Any,
        validation: Any,
        classes: tuple[str, ...],
        content_hash: str,
        *,
        remarks: tuple[str, ...] = (),
        workers: int = 0,
    ) -> None:
        self.train_index, self.validation_index = train, validation
        self.classes, self.content_hash = classes, content_hash
        self.remarks, self.workers = remarks, workers

    @property
    def train_images(self) -> int:
        """Pictures to train on."""
        return len(self.train_index.files)

    @property
    def validation_images(self) -> int:
        """Pictures to validate on."""
        return len(self.validation_index.files)

    def steps_per_epoch(self, batch_size: int) -> int:
        """Batches of an epoch, all full; a batch has no more than all pictures."""
        return self.train_images // min(batch_size, self.train_images)

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
        image_seed = derive(seed, epoch, "images")
        samples = self._samples(self.train_index, changes, image_seed)
        batches = training_batches(
            len(samples), batch_size, epoch=epoch, seed=seed, groups=self._groups(changes)
        )
        mine = shared_batches(batches[first:], share)
        yield from self._loaded(samples, mine, image_seed)

    def validation(
        self, changes: Any, *, batch_size: int = 1, share: Share = WHOLE
    ) -> Iterator[Any]:
        """The batches of the validation part, of at most so many pictures."""
        samples = self._samples(self.validation_index, changes, None)
        mine = self._validation_batches(batch_size)[share.rank :: share.size]
        yield from self._loaded(samples, mine, 0)

    def _loaded(self, samples: Any, batches: Batches, seed: int) -> Iterator[Any]:
        return loaded(
            samples, batches, workers=self.workers, seed=seed, collate=self._collate_function()
        )

    @abstractmethod
    def _samples(self, index: Any, changes: Any, seed: int | None) -> Any:
        """The pictures of a part, changed by chance where there is a seed."""

    @abstractmethod
    def _validation_batches(self, batch_size: int) -> Batches:
        """Every picture to validate on, once."""

    def _groups(self, changes: Any) -> NDArray[np.int64] | None:
        """(images,) numbers of training pictures that are best together; None mixes all."""
        return None

    def _collate_function(self) -> Callable[[list[Any]], Any] | None:
        """What makes a batch of samples; None stacks them."""
        return None


class DetectionData(TransferData):
    """Boxes, and masks where the annotations have them; a batch is a list of images and of targets.

    Attributes:
        has_masks: whether they have.
    """

    task: Task = "detection"
    train_index: DetectionIndex
    validation_index: DetectionIndex

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
        super().__init__(train, validation, classes, content_hash, **options)
        self.has_masks = has_masks

    def _samples(
        self, index: DetectionIndex, changes: DetectionChanges, seed: int | None
    ) -> DetectionSamples:
        return DetectionSamples(index, changes, has_masks=self.has_masks, seed=seed)

    def _validation_batches(self, batch_size: int) -> Batches:
        items = list(range(self.validation_images))
        return [items[at : at + batch_size] for at in range(0, len(items), batch_size)]

    def _groups(self, changes: DetectionChanges) -> NDArray[np.int64] | None:
        sizes = self.train_index.sizes
        # Wider than high, or not: what of a batch is padding depends on that most of all.
        return (sizes[:, 1] > sizes[:, 0]).astype(np.int64) if changes.group_by_shape else None

    def _collate_function(self) -> Callable[[list[Any]], Any]:
        return collate


class SegmentationData(TransferData):
    """A class for each pixel; a batch is images (B, 3, H, W) and their masks (B, H, W)."""

    task: Task = "segmentation"
    train_index: SegmentationIndex
    validation_index: SegmentationIndex

    def __init__(
        self,
        train: SegmentationIndex,
        validation: SegmentationIndex,
        numbers: ClassNumbers,
        classes: tuple[str, ...],
        content_hash: str,
        **options: Any,
    ) -> None:
        super().__init__(train, validation, classes, content_hash, **options)
        self.numbers = numbers

    def _samples(
        self, index: SegmentationIndex, changes: SegmentationChanges, seed: int | None
    ) -> SegmentationSamples:
        return SegmentationSamples(index, self.numbers, changes, seed=seed)

    def _validation_batches(self, batch_size: int) -> Batches:
        """Of pictures of one size each, in the order of sizes; masks in those of their files."""
        return batches_of_equal_sizes(self.validation_index.sizes, batch_size)
