"""Says what data a configuration leads to, without torch and without touching test images."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from space.errors import InputError
from trainers.data.config import DataConfig, parse_data_config
from trainers.data.fashion_mnist import CLASSES, EDGE, LabelledImages, load_part
from trainers.data.image_index import ImageIndex, index_images
from trainers.data.split import Split, split_train_validation
from trainers.protocol import Protocol


@dataclass(frozen=True, slots=True)
class DataDescription:
    """Shape, size and identity of the data of a search.

    Attributes:
        channels, height, width: of one image, in pixels. classes: how many.
        content_hash: of the images and labels that may be trained on (of a folder: of the names
            and sizes of its files). split_hash: of the positions of both parts.
        train_images, validation_images: how many, after limits.
        protocol: the given protocol with both hashes in it; its hash is the one to store.
    """

    name: str
    channels: int
    height: int
    width: int
    classes: int
    content_hash: str
    split_hash: str
    train_images: int
    validation_images: int
    protocol: Protocol


@dataclass(frozen=True, slots=True)
class Located:
    """Everything that opening data needs: what they are, how they are split, and the source."""

    description: DataDescription
    split: Split
    source: LabelledImages | ImageIndex


def describe_data(config: DataConfig | Mapping[str, Any], protocol: Protocol) -> DataDescription:
    """Check that the data are there and whole, and describe them.

    Raises:
        InputError: with the file or folder that is missing or corrupt, if the protocol is for
            other data, or if a part of the split comes out empty.
    """
    return locate_data(parse_data_config(config), protocol).description


def locate_data(config: DataConfig, protocol: Protocol) -> Located:
    """The work behind `describe_data` and `open_data`."""
    if protocol.data != config.name:
        message = f"is for {protocol.data!r}, and data.name is {config.name!r}"
        raise InputError.of("protocol.data", message)
    if config.name == "image-folder":
        index = index_images(config)
        size = protocol.augmentation.image_size
        return _located(config, protocol, index, (3, size, size, len(index.classes)))
    images = load_part(config, "train")
    return _located(config, protocol, images, (1, EDGE, EDGE, CLASSES))


def _located(
    config: DataConfig,
    protocol: Protocol,
    source: LabelledImages | ImageIndex,
    shape: tuple[int, int, int, int],
) -> Located:
    split = _split(config, protocol, source.labels)
    content_hash = source.content_hash
    description = DataDescription(
        config.name,
        *shape,
        content_hash=content_hash,
        split_hash=split.hash,
        train_images=split.train.size,
        validation_images=split.validation.size,
        protocol=protocol.bound_to(content_hash, split.hash),
    )
    return Located(description, split, source)


def _split(config: DataConfig, protocol: Protocol, labels: NDArray[np.integer]) -> Split:
    return split_train_validation(
        labels,
        seed=protocol.split_seed,
        validation_fraction=protocol.validation_fraction,
        limit_train=config.limit_train,
        limit_validation=config.limit_validation,
    )
