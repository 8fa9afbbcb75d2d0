"""Opens a folder of pictures with boxes and masks."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from space.errors import InputError, Problem, all_of
from space.input.paths import shown_path
from space.wording import some
from trainers.transfer.data.coco_file import CheckedPart, CocoFile, Key, check_part, read_coco_file
from trainers.transfer.data.coco_layout import find_coco_parts
from trainers.transfer.data.data_config import TransferDataConfig
from trainers.transfer.data.detection_index import DetectionIndex
from trainers.transfer.data.parts import content_hash, divided, limited
from trainers.transfer.data.transfer_data import DetectionData
from trainers.transfer.libraries import require

Say = Callable[[str], None]


def open_detection(config: TransferDataConfig, say: Say | None = None) -> DetectionData:
    """The data of a folder with annotations in COCO's format.

    Raises:
        InputError: naming by kind and number all that is missing or wrong.
    """
    require("pycocotools")
    places = [place for place in find_coco_parts(config) if place is not None]
    files = all_of(partial(read_coco_file, place) for place in places)
    classes = tuple(files[0].categories[key] for key in _rising(files[0]))
    _refuse_foreign_classes(*files)
    parts = all_of(partial(_checked, file, classes, config, say) for file in files)
    has_masks = _has_masks(parts)
    indices = [part.index for part in parts]
    train_index, validation_index, said = divided(*indices, config=config)
    train_index, left_out = _with_things(train_index, config)
    train_index, validation_index, copies = limited(train_index, validation_index, config)
    if not validation_index.counts.any():
        raise InputError.of("data", "have nothing on the pictures to validate on")
    remarks = (
        *_overview(train_index, validation_index, classes),
        *(each for part in parts for each in part.remarks),
        *left_out,
        *said,
        *copies,
        *_unused(parts, classes),
    )
    return DetectionData(
        train_index,
        validation_index,
        classes,
        content_hash(train_index, validation_index, classes),
        has_masks=has_masks,
        remarks=remarks,
        workers=config.workers,
    )


def _rising(file: CocoFile) -> list[Key]:
    """The numbers of categories; of those that are texts by their letters."""
    return sorted(file.categories, key=lambda key: (isinstance(key, str), key))


def _refuse_foreign_classes(train: CocoFile, held_out: CocoFile | None = None) -> None:
    """The parts are matched by the names of classes, whatever their numbers are."""
    if held_out is None:
        return
    if foreign := sorted(set(held_out.categories.values()) - set(train.categories.values())):
        here, there = (shown_path(str(file.path)) for file in (held_out, train))
        names = some([shown_path(name) for name in foreign])
        message = f"{here} has categories that {there} has not: {names}"
        raise InputError.of("data.folder", message)


def _checked(
    file: CocoFile, classes: tuple[str, ...], config: TransferDataConfig, say: Say | None
) -> CheckedPart:
    number = {name: label for label, name in enumerate(classes, 1)}
    labels: Mapping[Key, int] = {key: number[name] for key, name in file.categories.items()}
    return check_part(file, labels, check=config.check, broken=config.broken, say=say)


def _has_masks(parts: list[CheckedPart]) -> bool:
    """Whether all annotations have masks; none may be without where others have some."""
    with_mask, without = sum(part.masks for part in parts), sum(part.no_masks for part in parts)
    if with_mask and without:
        message = f"{without:,} annotations have no segmentation, and {with_mask:,} have one"
        raise InputError([Problem("data.folder", message)])
    return with_mask > 0


def _with_things(
    index: DetectionIndex, config: TransferDataConfig
) -> tuple[DetectionIndex, tuple[str, ...]]:
    """Pictures with something on them that can be learnt, and a sentence on the others.

    Raises:
        InputError: fewer than two are left.
    """
    kept = np.flatnonzero(index.counts > 0)
    empty = len(index.files) - len(kept)
    if len(kept) < 2:
        message = f"have {len(kept)} pictures to train on that have something on them"
        raise InputError.of("data", f"{message}; at least 2 needed")
    if not empty:
        return index, ()
    if config.without_annotations == "keep":
        return index, (f"pictures to train on with nothing on them: {empty:,}",)
    said = f"left out as pictures to train on with nothing on them: {empty:,}"
    return index.only(kept), (said,)


def _overview(
    train: DetectionIndex, validation: DetectionIndex, classes: tuple[str, ...]
) -> tuple[str, ...]:
    shown = some([shown_path(name) for name in classes])
    return (
        f"{len(train.files):,} pictures to train on with {int(train.counts.sum()):,} things, "
        f"{len(validation.files):,} to validate on with {int(validation.counts.sum()):,}, of "
        f"{len(classes):,} classes ({shown})",
    )


def _unused(parts: list[CheckedPart], classes: tuple[str, ...]) -> tuple[str, ...]:
    used = frozenset[int]().union(*(part.used for part in parts))
    absent = [shown_path(name) for label, name in enumerate(classes, 1) if label not in used]
    return (f"classes of which there is nothing: {some(absent)}",) if absent else ()
