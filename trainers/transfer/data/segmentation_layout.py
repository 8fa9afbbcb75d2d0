"""Where pictures and masks of class numbers lie, and which belong together."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from space.errors import InputError, Problem, refuse
from space.input.paths import is_file, is_folder, shown_path
from trainers.data.image_folder.class_folders import is_suffix_of_picture, unreadable
from trainers.transfer.data.data_config import TransferDataConfig
from trainers.transfer.data.findings import Findings
from trainers.transfer.data.index_masks import SUFFIXES

_PARTS = {"train": ("training", "train"), "validation": ("validation", "val", "valid")}
_IMAGES = ("images", "imgs", "img")
_MASKS = ("annotations", "masks", "labels", "mask")
_VOC = ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation")
"""Pictures, masks and lists of the parts in Pascal VOC, which has many pictures without masks."""
_NAMES = ("objectInfo150.txt", "classes.txt", "class_names.txt", "labels.txt")


@dataclass(frozen=True, slots=True)
class MaskPart:
    """A part of the data.

    Attributes:
        images, masks: folders of its pictures and of their masks.
        listed: a file with a name a line, without suffix; only those are of the part.
    """

    images: Path
    masks: Path
    listed: Path | None = None


@dataclass(frozen=True, slots=True)
class MaskLayout:
    """What a folder holds.

    Attributes:
        train, validation: the parts; None where a share of the pictures is held out.
        is_ade20k: whether the folders are called as ADE20K's, so that 0 means no class.
        names: the file with the names of the classes, where there is one.
    """

    train: MaskPart
    validation: MaskPart | None
    is_ade20k: bool
    names: Path | None


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pictures and their masks, in the order of the pictures' names, as paths from the folders."""

    files: tuple[str, ...]
    masks: tuple[str, ...]


def find_masks(config: TransferDataConfig) -> MaskLayout:
    """Where the parts lie. No test part is looked at.

    Raises:
        InputError: naming what is missing.
    """
    folder = config.folder
    if not is_folder(folder):
        raise InputError.of("data.folder", f"{shown_path(str(folder))} is no folder")
    refuse(_problems_of_paths(config))
    train = _given(folder, config.train_images, config.train_masks) or _part(folder, "train")
    held_out = _given(folder, config.validation_images, config.validation_masks)
    held_out = held_out or _part(folder, "validation")
    if train is None and held_out is not None:
        message = f"{shown_path(str(folder))} has pictures to validate on, and none to train on"
        raise InputError.of("data.folder", message)
    train = train or _both(_first(folder, _IMAGES), _first(folder, _MASKS))
    if train is None:
        raise InputError.of("data.folder", _nothing_found(folder))
    is_ade20k = train.masks == folder / "annotations" / "training"
    return MaskLayout(train, held_out, is_ade20k, _file_of_names(config))


def pairs_of(part: MaskPart) -> Pairs:
    """Each picture with the mask of the same name.

    Raises:
        InputError: where no folder can be read, or pictures without masks or masks without
            pictures are there.
    """
    pictures = _by_stem(part.images, is_suffix_of_picture)
    masks = _by_stem(part.masks, lambda name: name.lower().endswith(SUFFIXES))
    found = Findings()
    if part.listed is not None:
        names = _names_in(part.listed)
        for stem in sorted(names - pictures.keys() - masks.keys()):
            found.add("listed names of no picture", stem)
        pictures = {stem: file for stem, file in pictures.items() if stem in names}
        masks = {stem: file for stem, file in masks.items() if stem in names}
    for stem in sorted(pictures.keys() - masks.keys()):
        found.add("pictures without a mask", pictures[stem])
    for stem in sorted(masks.keys() - pictures.keys()):
        found.add("masks without a picture", masks[stem])
    both = f"{shown_path(str(part.images))} with {shown_path(str(part.masks))}"
    if not pictures.keys() & masks.keys():
        message = f"{both} has no pictures with masks of the same name, in {' '.join(SUFFIXES)}"
        raise InputError([*found.problems(both), Problem("data.folder", message)])
    found.refuse(both)
    stems = sorted(pictures, key=lambda stem: pictures[stem])
    return Pairs(tuple(pictures[s] for s in stems), tuple(masks[s] for s in stems))


def _problems_of_paths(config: TransferDataConfig) -> Iterable[Problem]:
    for part in ("train", "validation"):
        given = {
            f"{part}_{each}": getattr(config, f"{part}_{each}") for each in ("images", "masks")
        }
        for name, path in given.items():
            if path is not None and not is_folder(config.folder / path):
                place = shown_path(str(config.folder / path))
                yield Problem(f"data.{name}", f"{place} is no folder")
            elif path is None and any(given.values()):
                yield Problem(f"data.{name}", "is needed where the folder of the others is named")
    names = config.class_names
    if names is not None and not is_file(config.folder / names):
        yield Problem("data.class_names", f"{shown_path(str(config.folder / names))} is no file")


def _given(folder: Path, images: Path | None, masks: Path | None) -> MaskPart | None:
    if images is None or masks is None:
        return None
    return MaskPart(folder / images, folder / masks)


def _part(folder: Path, part: str) -> MaskPart | None:
    """images/train with masks/train, or train/images with train/masks, or a list of VOC's."""
    images, masks, lists = (folder / name for name in _VOC)
    for name in _PARTS[part]:
        if is_folder(images) and is_folder(masks) and is_file(lists / f"{name}.txt"):
            return MaskPart(images, masks, lists / f"{name}.txt")
    for name in _PARTS[part]:
        pictures = _first(folder, _IMAGES, below=name)
        if found := _both(pictures, _first(folder, _MASKS, below=name)):
            return found
        if found := _both(_first(folder / name, _IMAGES), _first(folder / name, _MASKS)):
            return found
    return None


def _both(images: Path | None, masks: Path | None) -> MaskPart | None:
    return None if images is None or masks is None else MaskPart(images, masks)


def _first(folder: Path, names: tuple[str, ...], below: str = "") -> Path | None:
    return next((path for name in names if (path := _there(folder / name / below))), None)


def _there(path: Path) -> Path | None:
    return path if is_folder(path) else None


def _file_of_names(config: TransferDataConfig) -> Path | None:
    if config.class_names is not None:
        return config.folder / config.class_names
    return next((p for name in _NAMES if is_file(p := config.folder / name)), None)


def _by_stem(folder: Path, counts: Callable[[str], bool]) -> dict[str, str]:
    """Files by their paths from a folder without suffix.

    Raises:
        InputError: a folder cannot be read, or two files differ in their suffix alone.
    """
    found: dict[str, str] = {}
    twice = Findings()
    try:
        for root, folders, names in os.walk(folder, onerror=_raise, followlinks=False):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for name in sorted(names):
                if name.startswith(".") or not counts(name):
                    continue
                file = os.path.relpath(os.path.join(root, name), folder)
                stem = file.rpartition(".")[0]
                if stem in found:
                    twice.add("files that differ in their suffix alone", file)
                found[stem] = file
    except OSError as error:
        raise InputError([unreadable(error, folder)]) from None
    twice.refuse(shown_path(str(folder)))
    return found


def _names_in(path: Path) -> set[str]:
    """Names of a list, one a line.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return set(path.read_text(encoding="utf-8").split())
    except OSError as error:
        raise InputError([unreadable(error, path)]) from None
    except UnicodeDecodeError:
        raise InputError.of("data.folder", f"{shown_path(str(path))} is no text in UTF-8") from None


def _raise(error: OSError) -> None:
    raise error


def _nothing_found(folder: Path) -> str:
    return (
        f"{shown_path(str(folder))} holds no pictures with masks: neither images/ with annotations/"
        " or masks/, nor train/ with both, nor Pascal VOC's; data.train_images and "
        "data.train_masks name others"
    )
