"""Says what data a configuration leads to, without torch and without touching test images."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from trainers.data.data_config import DataConfig, parse_data_config
from trainers.data.data_kind import DataKind, DataShape, Say, Source, find_kind
from trainers.data.held_out_test import is_locked
from trainers.data.image_folder.class_folders import abbreviated
from trainers.data.image_folder.image_index import ImageIndex, Inspected, remarks_on_copies
from trainers.data.labelled_images import LabelledImages, PerChannel
from trainers.data.split import Split
from trainers.protocol import Protocol

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""By which timm's transforms normalise decoded pictures."""


@dataclass(frozen=True, slots=True)
class DataDescription:
    """Shape, size and identity of the data of a search.

    Attributes:
        channels, height, width: of one image, in pixels. classes: how many.
        content_hash: of the images and labels that may be trained on (of a folder: of the names
            and contents of its files). split_hash: of the positions of both parts.
        train_images, validation_images: how many, after limits.
        chance: share of the commonest class in validation; what guessing it would score.
        class_names: where the classes have names.
        remarks: sentences on what was left out, and what to know.
        inspected: of pictures in files, what a worker needs to rely on this pass.
        mean, std: by which images are normalised, for each channel, as shares of white.
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
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()

    def told(self) -> dict[str, Any]:
        """What a store keeps of it, for people: it decides nothing."""
        return {
            "train_images": self.train_images,
            "validation_images": self.validation_images,
            "chance": self.chance,
            "remarks": list(self.remarks),
            "class_names": list(self.class_names),
            "mean": list(self.mean),
            "std": list(self.std),
        }


@dataclass(frozen=True, slots=True)
class Located:
    """Everything that opening data needs: what they are, how they are split, and the source."""

    description: DataDescription
    split: Split
    source: Source


def data_shape(config: DataConfig | Mapping[str, Any], protocol: Protocol) -> DataShape:
    """The shape of the data, without opening a picture.

    Raises:
        InputError: if a folder is missing, has fewer than two classes or others in its test part,
            if data.test_fraction does not apply, or if the protocol is for other data.
    """
    return find_kind(parse_data_config(config), protocol).shape()


def describe_data(
    config: DataConfig | Mapping[str, Any], protocol: Protocol, *, say: Say | None = None
) -> DataDescription:
    """Check that the data are there and whole, and describe them.

    Raises:
        InputError: with the file or folder that is missing or corrupt, if the protocol is for
            other data, or if a part of the split comes out empty.
    """
    kind = find_kind(parse_data_config(config), protocol)
    say = None if say is None else cache(say)  # each sentence a single time
    located = _locate(kind, say, None)
    if is_locked():
        return located.description
    warnings = kind.warnings(located.source, say)
    return replace(located.description, remarks=(*located.description.remarks, *warnings))


def locate_data(
    config: DataConfig, protocol: Protocol, *, inspected: Inspected | None = None
) -> Located:
    """The work behind `describe_data` and `open_data`."""
    return _locate(find_kind(config, protocol), None, inspected)


def _locate(kind: DataKind, say: Say | None, inspected: Inspected | None) -> Located:
    source = kind.load("train", say=say, inspected=inspected)
    split = kind.split(source)
    source = kind.prepared(source, split)
    shape = kind.shape_of(source)
    content_hash = source.content_hash if inspected is None else inspected.content_hash
    counts = np.bincount(source.labels[split.validation], minlength=shape.classes)
    remarks: tuple[str, ...] = ()
    if inspected is None:  # else the driver has made them, and nobody reads a worker's
        of_folder = _remarks_on_folder(source) if isinstance(source, ImageIndex) else source.remarks
        remarks = (*of_folder, *_remarks_on_split(source, split, shape))
    if isinstance(source, ImageIndex):
        inspected = inspected or Inspected(content_hash, source.listing(), source.left_out)
    description = DataDescription(
        **asdict(shape),
        content_hash=content_hash,
        split_hash=split.hash,
        train_images=split.train.size,
        validation_images=split.validation.size,
        protocol=kind.protocol.bound_to(content_hash, split.hash),
        chance=float(counts.max() / counts.sum()),
        remarks=remarks,
        inspected=inspected,
        mean=_per_channel(source.mean) if isinstance(source, LabelledImages) else IMAGENET_MEAN,
        std=_per_channel(source.std) if isinstance(source, LabelledImages) else IMAGENET_STD,
    )
    return Located(description, split, source)


def _per_channel(value: PerChannel) -> tuple[float, ...]:
    return value if isinstance(value, tuple) else (value,)


def _remarks_on_folder(source: ImageIndex) -> tuple[str, ...]:
    kinds = _kinds(source.files)
    return (
        f"{len(source.files):,} pictures apart from the test's, of {len(source.classes):,} "
        f"classes ({abbreviated(source.classes)}){kinds and ': '}{kinds}",
        *source.remarks,
    )


def _kinds(files: Sequence[str]) -> str:
    """How many files have which suffix, the commonest first."""
    # Faster than a Path.
    found = Counter(file.rpartition(".")[2].lower() for file in files if "." in file)
    return ", ".join(f"{number:,} .{kind}" for kind, number in found.most_common())


def _remarks_on_split(source: Source, split: Split, shape: DataShape) -> tuple[str, ...]:
    """Classes that a part has nothing of, and copies on both sides."""
    folder = source if isinstance(source, ImageIndex) else None
    classes = shape.classes
    names = shape.class_names or tuple(map(str, range(classes)))
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
