"""The only way to the test images: one audited call."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
import torch

from trainers.data.config import DataConfig, parse_data_config
from trainers.data.fashion_mnist import MEAN, STD, load_part
from trainers.data.image_folder import FolderImages, folder_batches, test_transform
from trainers.data.image_index import index_images
from trainers.data.resident import ResidentImages
from trainers.data.search_data import Batch
from trainers.data.test_split_lock import refuse_if_locked
from trainers.protocol import Protocol


@dataclass(frozen=True, slots=True)
class TestReading:
    """One entry of the audit of test readings.

    Attributes:
        id: the same in the entry made before the images are handed out and in the one after.
        read_at: when, in UTC.
        architecture_id, protocol_hash: for what. content_hash: of the test images.
        images: how many.
        accuracy: None before; afterwards the share classified rightly, 0 to 1.
    """

    __test__ = False  # not a test case, whatever pytest makes of the name

    architecture_id: str
    protocol_hash: str
    content_hash: str
    images: int
    accuracy: float | None = None
    id: str = field(default_factory=lambda: uuid4().hex)
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))


Record = Callable[[TestReading], object]


@dataclass(frozen=True, slots=True)
class TestSplit:
    """The test images, and the audit entry under which they were opened."""

    __test__ = False

    reading: TestReading
    batches: Callable[[torch.device | str], Iterator[Batch]]


def open_test_split(
    config: DataConfig | Mapping[str, Any],
    protocol: Protocol,
    *,
    architecture_id: str,
    record: Record,
) -> TestSplit:
    """Open the test images of a finished architecture.

    `record` is called before any image is handed out; if it raises, none is.

    Raises:
        TestSplitLocked: while a search is running.
        InputError: if the data are missing or corrupt.
    """
    refuse_if_locked()
    parsed = parse_data_config(config)
    if parsed.name == "image-folder":
        return _open_folder(parsed, protocol, architecture_id, record)
    part = load_part(parsed, "test")
    reading = TestReading(architecture_id, protocol.hash, part.content_hash, len(part.labels))
    record(reading)

    def batches(device: torch.device | str) -> Iterator[Batch]:
        return ResidentImages(part.images, part.labels, MEAN, STD, device).whole_batches()

    return TestSplit(reading, batches)


def _open_folder(
    config: DataConfig, protocol: Protocol, architecture_id: str, record: Record
) -> TestSplit:
    index = index_images(config, "val", split_seed=protocol.split_seed)
    count = len(index.files)
    reading = TestReading(architecture_id, protocol.hash, index.content_hash, count)
    record(reading)
    images = FolderImages(
        index,
        np.arange(count),
        test_transform(protocol.augmentation),
        background=protocol.augmentation.background,
    )

    def batches(device: torch.device | str) -> Iterator[Batch]:
        size = protocol.batch_size
        return folder_batches(images, device, config.workers, batch_size=size)

    return TestSplit(reading, batches)
