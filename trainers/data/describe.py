"""Says what data a configuration leads to, without torch and without touching test images."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from space.errors import InputError
from trainers.data.data_config import DataConfig, parse_data_config
from trainers.data.fashion_mnist import (
    CLASS_NAMES,
    CLASSES,
    EDGE,
    LabelledImages,
    load_part,
    locate,
)
from trainers.data.held_out_test import is_locked
from trainers.data.image_folder.class_folders import abbreviated
from trainers.data.image_folder.image_index import (
    ImageIndex,
    Inspected,
    remarks_on_copies,
)
from trainers.data.image_folder.indexing import index_images, layout_of, warn_of_test_copies
from trainers.data.image_folder.inspection import Say
from trainers.data.split import Split, split_train_validation
from trainers.protocol import Protocol


@dataclass(frozen=True, slots=True)
class DataShape:
    """What a network must fit, known before any image is read.

    Attributes:
        name: of the data. channels, height, width: of one image, in pixels. classes: how many.
        class_names: where they have names.
    """

    name: str
    channels: int
    height: int
    width: int
    classes: int
    class_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataDescription:
    """Shape, size and identity of the data of a search.

    Attributes:
        channels, height, width: of one image, in pixels. classes: how many.
        content_hash: of the images and labels that may be trained on (of a folder: of the names
            and contents of its files). split_hash: of the positions of both parts.
        train_images, validation_images: how many, after limits.
        chance: share of the commonest class in validation; what guessing it would score.
        class_names: where they have names.
        remarks: sentences on what was left out, and what to know.
        inspected: of a folder, what a worker needs to rely on this pass.
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
    chance: float = 0.0
    class_names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    inspected: Inspected | None = None

    def told(self) -> dict[str, Any]:
        """What a store keeps of it, for people: it decides nothing."""
        return {
            "train_images": self.train_images,
            "validation_images": self.validation_images,
            "chance": self.chance,
            "remarks": list(self.remarks),
            "class_names": list(self.class_names),
        }


@dataclass(frozen=True, slots=True)
class Located:
    """Everything that opening data needs: what they are, how they are split, and the source."""

    description: DataDescription
    split: Split
    source: LabelledImages | ImageIndex


def data_shape(config: DataConfig | Mapping[str, Any], protocol: Protocol) -> DataShape:
    """The shape of the data, without opening a picture.

    Raises:
        InputError: if a folder is missing, has fewer than two classes or others in val/, if
            data.test_fraction does not apply, or if the protocol is for other data.
    """
    parsed = parse_data_config(config)
    _refuse_other_data(parsed, protocol)
    if parsed.name == "image-folder":
        return _folder_shape(protocol, layout_of(parsed).classes)
    if parsed.folder is not None:
        locate(parsed)
    return DataShape(parsed.name, 1, EDGE, EDGE, CLASSES, CLASS_NAMES)


def _refuse_other_data(config: DataConfig, protocol: Protocol) -> None:
    if protocol.data != config.name:
        message = f"is for {protocol.data!r}, and data.name is {config.name!r}"
        raise InputError.of("protocol.data", message)


def _folder_shape(protocol: Protocol, classes: tuple[str, ...]) -> DataShape:
    size = protocol.augmentation.image_size
    return DataShape(protocol.data, 3, size, size, len(classes), classes)


def describe_data(
    config: DataConfig | Mapping[str, Any], protocol: Protocol, *, say: Say | None = None
) -> DataDescription:
    """Check that the data are there and whole, and describe them.

    Raises:
        InputError: with the file or folder that is missing or corrupt, if the protocol is for
            other data, or if a part of the split comes out empty.
    """
    parsed = parse_data_config(config)
    say = None if say is None else cache(say)  # each sentence a single time
    located = locate_data(parsed, protocol, say=say)
    found, source = located.description, located.source
    if isinstance(source, ImageIndex) and not is_locked():
        warnings = warn_of_test_copies(source, parsed, say)
        return replace(found, remarks=(*found.remarks, *warnings))
    return found


def locate_data(
    config: DataConfig,
    protocol: Protocol,
    *,
    say: Say | None = None,
    inspected: Inspected | None = None,
) -> Located:
    """The work behind `describe_data` and `open_data`."""
    if config.name != "image-folder":
        shape = data_shape(config, protocol)
        return _located(config, protocol, load_part(config, "train"), shape)
    _refuse_other_data(config, protocol)
    left_out = None if inspected is None else inspected.left_out
    index = index_images(config, split_seed=protocol.split_seed, say=say, left_out=left_out)
    if inspected is not None:
        inspected.check(index)
    return _located(config, protocol, index, _folder_shape(protocol, index.classes), inspected)


def _located(
    config: DataConfig,
    protocol: Protocol,
    source: LabelledImages | ImageIndex,
    shape: DataShape,
    inspected: Inspected | None = None,
) -> Located:
    split = split_train_validation(
        source.labels,
        seed=protocol.split_seed,
        validation_fraction=protocol.validation_fraction,
        limit_train=config.limit_train,
        limit_validation=config.limit_validation,
    )
    content_hash = source.content_hash if inspected is None else inspected.content_hash
    counts = np.bincount(source.labels[split.validation], minlength=shape.classes)
    remarks: tuple[str, ...] = ()
    if inspected is None:  # else the driver has made them, and nobody reads a worker's
        of_folder = _remarks_on_folder(source) if isinstance(source, ImageIndex) else ()
        remarks = (*of_folder, *_remarks_on_split(source, split, shape.classes))
    if isinstance(source, ImageIndex):
        inspected = inspected or Inspected(content_hash, source.listing(), source.left_out)
    description = DataDescription(
        **asdict(shape),
        content_hash=content_hash,
        split_hash=split.hash,
        train_images=split.train.size,
        validation_images=split.validation.size,
        protocol=protocol.bound_to(content_hash, split.hash),
        chance=float(counts.max() / counts.sum()),
        remarks=remarks,
        inspected=inspected,
    )
    return Located(description, split, source)


def _remarks_on_folder(source: ImageIndex) -> tuple[str, ...]:
    return (
        f"{len(source.files):,} pictures apart from the test's, of {len(source.classes):,} "
        f"classes ({abbreviated(source.classes)}): {_kinds(source.files)}",
        *source.remarks,
    )


def _kinds(files: Sequence[str]) -> str:
    """How many files have which suffix, the commonest first."""
    found = Counter(file.rpartition(".")[2].lower() for file in files)  # faster than a Path
    return ", ".join(f"{number:,} .{kind}" for kind, number in found.most_common())


def _remarks_on_split(
    source: LabelledImages | ImageIndex, split: Split, classes: int
) -> tuple[str, ...]:
    """Classes that a part has nothing of, and copies on both sides."""
    folder = source if isinstance(source, ImageIndex) else None
    names = tuple(map(str, range(classes))) if folder is None else folder.classes
    said: list[str] = []
    for name, part in (("training", split.train), ("validation", split.validation)):
        counts = np.bincount(source.labels[part], minlength=classes)
        if absent := [names[i] for i in np.flatnonzero(counts == 0)]:
            said.append(f"classes without {name} pictures: {abbreviated(absent)}")
    if folder is not None and folder.digests:
        train, held_out = folder.only(split.train), folder.only(split.validation)
        parts = {"the validation part": held_out, "the training part": train}
        said += remarks_on_copies(parts, "validation")
    return tuple(said)
