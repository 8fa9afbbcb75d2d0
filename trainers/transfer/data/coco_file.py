"""A file of annotations in COCO's format, with the pictures that it names: read, and checked."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple, TypeGuard

import numpy as np

from space.errors import InputError, Problem, refuse
from space.input.paths import shown_path
from space.wording import as_written
from trainers.data.image_folder.inspection import Check, inspect_files
from trainers.transfer.data.coco_checks import NO_EXTENT, read_annotation
from trainers.transfer.data.coco_layout import CocoPart
from trainers.transfer.data.detection_index import Annotation, DetectionIndex
from trainers.transfer.data.findings import Findings
from trainers.transfer.data.instance_masks import run_lengths
from trainers.transfer.data.packed_records import PackedRecords
from trainers.transfer.data.pictures import Frame, frames_of
from trainers.transfer.libraries import coco_masks

Say = Callable[[str], None]
Key = int | str

_LISTS = ("images", "annotations", "categories")


@dataclass(slots=True)
class CocoFile:
    """What stands in a file, each entry a mapping, numbers of pictures and categories distinct.

    Attributes:
        path: of it. folder: of its pictures. categories: names by number.
        images: entries by number. annotations: in the order of the file.
    """

    path: Path
    folder: Path
    categories: dict[Key, str]
    images: dict[Key, Mapping[str, Any]]
    annotations: list[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class CheckedPart:
    """The pictures of a part, and what was found out about it.

    Attributes:
        index: of the pictures that are whole.
        remarks: sentences on what was left out or counts for less.
        used: numbers of the classes that occur. masks, no_masks: annotations with and without.
    """

    index: DetectionIndex
    remarks: tuple[str, ...] = ()
    used: frozenset[int] = field(default_factory=frozenset)
    masks: int = 0
    no_masks: int = 0


def read_coco_file(part: CocoPart) -> CocoFile:
    """Read a file, and see that each of its entries can be told from the others.

    Raises:
        InputError: naming the file, and all that it lacks or has twice.
    """
    place = shown_path(str(part.annotations))
    content = _content(part.annotations, place)
    found = Findings()
    images = _by_number(content["images"], "pictures", found)
    categories = _by_number(content["categories"], "categories", found)
    names = {number: each.get("name") for number, each in categories.items()}
    for number, name in names.items():
        if not isinstance(name, str) or not name.strip():
            found.add("categories without a name", as_written(number))
    _note_twice(names, "names of categories that stand there twice", found)
    files = {number: each.get("file_name") for number, each in images.items()}
    for number, file in files.items():
        if not isinstance(file, str) or not _is_below(file):
            kind = "pictures without the path of a file below their folder as file_name"
            found.add(kind, f"{as_written(number)}: {as_written(file)}")
    _note_twice(files, "pictures that stand there twice", found)
    for number, each in enumerate(content["annotations"]):
        if not isinstance(each, dict):
            found.add("annotations that are no mappings", str(number))
    found.refuse(place)
    if not categories:
        raise InputError.of("data.folder", f"{place} has no categories: there is no class to find")
    if not images:
        raise InputError.of("data.folder", f"{place} has no images")
    folder = part.folder_of([str(file) for file in files.values()])
    named = {number: str(name) for number, name in names.items()}
    return CocoFile(part.annotations, folder, named, images, content["annotations"])


def _content(path: Path, place: str) -> dict[str, list[Any]]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        message = f"{place} cannot be read: {error.strerror or error}"
        raise InputError.of("data.folder", message) from None
    except (ValueError, RecursionError) as error:
        raise InputError.of("data.folder", f"{place} is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise InputError.of("data.folder", f"{place} is no mapping with {', '.join(_LISTS)}")
    refuse(
        Problem("data.folder", f"{place} has no list of {name}")
        for name in _LISTS
        if not isinstance(content.get(name), list)
    )
    return content


def _by_number(entries: list[Any], things: str, found: Findings) -> dict[Key, Mapping[str, Any]]:
    known: dict[Key, Mapping[str, Any]] = {}
    for place, each in enumerate(entries):
        number = each.get("id") if isinstance(each, dict) else None
        if not _is_key(number):
            found.add(f"{things} without a number or text as id", f"entry {place}")
        elif number in known:
            found.add(f"{things} whose id stands there twice", as_written(number))
        else:
            known[number] = each
    return known


def _is_key(value: object) -> TypeGuard[Key]:
    return type(value) in (int, str)


def _note_twice(names: Mapping[Key, object], kind: str, found: Findings) -> None:
    seen: set[str] = set()
    for name in names.values():
        if isinstance(name, str) and name in seen:
            found.add(kind, name)
        seen.add(str(name))


def _is_below(file: str) -> bool:
    path = PurePosixPath(file)
    return bool(file) and not path.is_absolute() and ".." not in path.parts and "\0" not in file


def check_part(
    content: CocoFile,
    labels: Mapping[Key, int],
    *,
    check: Check,
    broken: Literal["refuse", "leave_out"],
    say: Say | None,
) -> CheckedPart:
    """Look at every picture and every annotation.

    Args:
        content: of the file. labels: numbers of the classes, from 1, by that of the category.
        check: how pictures are looked at. broken: what becomes of what is wrong.
        say: told how far it is.

    Raises:
        InputError: naming by kind and number all that is wrong, unless it is to be left out.
    """
    place = shown_path(str(content.path))
    faulty, passed = Findings(), Findings()
    pictures = _pictures(content, check, say, faulty)
    things = _annotations(content, labels, pictures, faulty, passed)
    if broken == "refuse":
        faulty.refuse(place)
    said = [f"{place}: left out as {each}" for each in (*faulty.sentences(), *passed.sentences())]
    every = [each for some in things.values() for each in some]
    if crowds := sum(each["iscrowd"] for each in every):
        said.append(f"{place}: {crowds:,} annotations are crowds, which only the evaluation sees")
    with_mask = sum(each["segmentation"] is not None for each in every)
    return CheckedPart(
        _indexed(content.folder, pictures, things),
        tuple(said),
        frozenset(each["label"] for each in every),
        with_mask,
        len(every) - with_mask,
    )


class _Picture(NamedTuple):
    file: str
    height: int
    width: int
    upright: bool
    digest: bytes


def _pictures(
    content: CocoFile, check: Check, say: Say | None, faulty: Findings
) -> dict[Key, _Picture]:
    """Those that can be read and are of the size that is said of them, in the order of names."""
    keys = sorted(content.images, key=lambda key: str(content.images[key]["file_name"]))
    files = [str(content.images[key]["file_name"]) for key in keys]
    seen = inspect_files(content.folder, files, check, say)
    frames = frames_of([content.folder / file for file in files])
    found: dict[Key, _Picture] = {}
    for number, (key, file, frame) in enumerate(zip(keys, files, frames, strict=True)):
        if number in seen.faults or isinstance(frame, str):
            fault = seen.faults.get(number, frame)
            faulty.add("pictures that cannot be read", f"{file}: {fault}")
        elif isinstance(size := _size(content.images[key], frame), str):
            faulty.add("pictures of another size than is said of them", f"{file}: {size}")
        else:
            found[key] = _Picture(file, *size, seen.digests[number])
    return found


def _indexed(
    folder: Path, pictures: Mapping[Key, _Picture], things: Mapping[Key, list[Annotation]]
) -> DetectionIndex:
    kept = [(each, things.get(key, [])) for key, each in pictures.items()]
    counts = [sum(not thing["iscrowd"] for thing in some) for _, some in kept]
    return DetectionIndex(
        folder=folder,
        files=tuple(each.file for each, _ in kept),
        sizes=np.array([(each.height, each.width) for each, _ in kept], np.int64).reshape(-1, 2),
        upright=np.array([each.upright for each, _ in kept], bool),
        annotations=PackedRecords(some for _, some in kept),
        counts=np.array(counts, np.int64),
        digests=tuple(each.digest for each, _ in kept),
    )


def _size(image: Mapping[str, Any], frame: Frame) -> tuple[int, int, bool] | str:
    """Height and width as annotations see it, and whether upright; or how they differ."""
    height, width = image.get("height"), image.get("width")
    if height is None and width is None:
        return (*frame.lying, False)
    if (height, width) == frame.lying:
        return (*frame.lying, False)
    if (height, width) == frame.upright:
        return (*frame.upright, True)
    said = f"{as_written(width)} × {as_written(height)}"
    return f"{said}, and the file has {frame.width} × {frame.height}"


def _annotations(
    content: CocoFile,
    labels: Mapping[Key, int],
    pictures: Mapping[Key, _Picture],
    faulty: Findings,
    passed: Findings,
) -> dict[Key, list[Annotation]]:
    """What is right of the annotations, by picture, in the order of the file."""
    found: dict[Key, list[Annotation]] = {}
    seen: set[Key] = set()
    for number, raw in enumerate(content.annotations):
        own = raw.get("id")
        name = f"annotation {as_written(own)}" if own is not None else f"entry {number}"
        if _is_key(own) and own in seen:
            faulty.add("annotations whose id stands there twice", name)
            continue
        if _is_key(own):
            seen.add(own)
        picture, category = raw.get("image_id"), raw.get("category_id")
        if not _is_key(picture) or picture not in content.images:
            faulty.add("annotations of pictures that are not listed", name)
        elif not _is_key(category) or category not in labels:
            faulty.add("annotations of categories that are not listed", name)
        elif picture in pictures:
            _, height, width, *_ = pictures[picture]
            each = read_annotation(raw, labels[category], height, width)
            if isinstance(each, str):
                (passed if each == NO_EXTENT else faulty).add(each, name)
            else:
                found.setdefault(picture, []).append(_with_area(each, height, width))
    return found


def _with_area(each: Annotation, height: int, width: int) -> Annotation:
    """With the area of its mask, or else of its box, where the file says none."""
    if not math.isnan(each["area"]):
        return each
    if each["segmentation"] is None:
        return {**each, "area": each["bbox"][2] * each["bbox"][3]}
    mask = run_lengths(each["segmentation"], height, width)
    return {**each, "area": float(coco_masks().area(mask))}
