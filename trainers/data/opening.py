"""Opens images: those of a search, and by one audited call those of the test."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from trainers.data.data_config import DataConfig, parse_data_config
from trainers.data.data_kind import find_kind
from trainers.data.describe import locate_data
from trainers.data.folder_data import FolderData, FolderImages, folder_batches
from trainers.data.held_out_test import Record, TestReading, refuse_if_locked
from trainers.data.image_folder.image_index import Inspected
from trainers.data.in_memory import InMemoryData, InMemoryImages
from trainers.data.labelled_images import LabelledImages
from trainers.data.picture_kind import PictureConfig
from trainers.data.search_data import Batch, SearchData
from trainers.protocol import Protocol


def open_data(
    config: DataConfig | Mapping[str, Any], protocol: Protocol, inspected: Inspected | None = None
) -> SearchData:
    """Open training and validation images; test images are neither loaded nor reachable.

    Args:
        inspected: of the driver that has read all files; then only the listing is compared.

    Raises:
        InputError: as `describe_data` does.
    """
    parsed = parse_data_config(config)
    located = locate_data(parsed, protocol, inspected=inspected)
    description, source, split = located.description, located.source, located.split
    if isinstance(source, LabelledImages):
        return InMemoryData(description, source, split)
    return FolderData(description, source, split, workers_of(parsed))


def workers_of(config: DataConfig) -> int:
    """Processes that decode pictures; images in memory need none."""
    return config.workers if isinstance(config, PictureConfig) else 0


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
    found = find_kind(parsed, protocol).test()
    count = len(found.labels)
    chance = float(np.bincount(found.labels).max() / count)
    reading = TestReading(architecture_id, protocol.hash, found.content_hash, count, chance=chance)
    record(reading)

    def batches(device: torch.device | str) -> Iterator[Batch]:
        if isinstance(found, LabelledImages):
            return InMemoryImages(found, device).whole_batches()
        images = FolderImages(found, np.arange(count), protocol.augmentation)
        size = protocol.batch_size
        return folder_batches(images, device, workers_of(parsed), batch_size=size)

    return TestSplit(reading, batches)
