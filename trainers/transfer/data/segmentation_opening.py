"""Opens a folder of pictures with masks of class numbers."""

from collections.abc import Callable, Sequence
from functools import partial

from space.errors import InputError, all_of
from space.input.paths import shown_path
from space.wording import some
from trainers.transfer.data.class_names import read_class_names
from trainers.transfer.data.data_config import TransferDataConfig
from trainers.transfer.data.mask_checks import CheckedMasks, check_masks, without_foreign_values
from trainers.transfer.data.parts import content_hash, divided, limited
from trainers.transfer.data.segmentation_index import ClassNumbers
from trainers.transfer.data.segmentation_layout import MaskLayout, find_masks
from trainers.transfer.data.transfer_data import SegmentationData
from trainers.transfer.libraries import require

Say = Callable[[str], None]

_MOST = 255
"""Classes that eight bits tell apart, beside those pixels that do not count."""


def open_segmentation(config: TransferDataConfig, say: Say | None = None) -> SegmentationData:
    """The data of a folder with masks of class numbers.

    Raises:
        InputError: naming by kind and number all that is missing or wrong.
    """
    require("torchmetrics")
    layout = find_masks(config)
    names = None if layout.names is None else read_class_names(layout.names)
    places = [part for part in (layout.train, layout.validation) if part is not None]
    parts = all_of(partial(check_masks, place, check=config.check, say=say) for place in places)
    numbers = _numbers(config, layout, parts, names)
    allowed = _allowed(numbers)
    left = all_of(partial(without_foreign_values, each, allowed, config.broken) for each in parts)
    train, validation, said = divided(*(part.index for part, _ in left), config=config)
    train, validation, copies = limited(train, validation, config)
    classes = names or tuple(map(str, range(numbers.first, numbers.first + numbers.classes)))
    overview = (
        f"{len(train.files):,} pictures to train on, {len(validation.files):,} to validate on, of "
        f"{len(classes):,} classes ({some([shown_path(name) for name in classes])})"
    )
    remarks = [each for _, sentences in left for each in sentences]
    absent = _absent([part for part, _ in left], numbers, classes)
    return SegmentationData(
        train,
        validation,
        numbers,
        classes,
        content_hash(train, validation, classes, numbers.first, numbers.ignored),
        remarks=(overview, *remarks, *said, *copies, *absent),
        workers=config.workers,
    )


def _numbers(
    config: TransferDataConfig,
    layout: MaskLayout,
    parts: Sequence[CheckedMasks],
    names: tuple[str, ...] | None,
) -> ClassNumbers:
    """What the numbers mean: as many classes as have names, or else as the largest one says.

    Raises:
        InputError: there are too few or too many classes.
    """
    reduce = layout.is_ade20k if config.reduce_zero_label is None else config.reduce_zero_label
    first = int(reduce)
    seen = {value for part in parts for values in part.values for value in values}
    counted = sorted(seen - {config.ignore_label} - ({0} if reduce else set()))
    if not counted and not any(part.findings for part in parts):
        raise InputError.of("data.folder", f"masks hold no class{_but(config, first)}")
    classes = len(names) if names is not None else (counted[-1] + 1 - first if counted else 0)
    if not any(part.findings for part in parts) or classes:
        _refuse_number(classes, len(counted), config, first)
    return ClassNumbers(classes, first, config.ignore_label)


def _refuse_number(classes: int, seen: int, config: TransferDataConfig, first: int) -> None:
    if classes < 2 or seen < 2:
        found = f"{min(classes, seen)} class{'' if min(classes, seen) == 1 else 'es'}"
        message = f"masks hold {found}{_but(config, first)}; at least 2 needed"
        raise InputError.of("data.folder", message)
    if classes > _MOST:
        message = f"masks hold numbers of {classes:,} classes; at most {_MOST} are told apart"
        raise InputError.of("data.folder", message)


def _but(config: TransferDataConfig, first: int) -> str:
    """Which numbers are no classes."""
    ignored = [*(["0 (data.reduce_zero_label)"] if first else [])]
    if config.ignore_label is not None:
        ignored.append(f"{config.ignore_label} (data.ignore_label)")
    return f" beside {' and '.join(ignored)}" if ignored else ""


def _allowed(numbers: ClassNumbers) -> frozenset[int]:
    return frozenset(
        {
            *range(numbers.first + numbers.classes),
            *([] if numbers.ignored is None else [numbers.ignored]),
        }
    )


def _absent(
    parts: Sequence[CheckedMasks], numbers: ClassNumbers, classes: Sequence[str]
) -> tuple[str, ...]:
    seen = {value for part in parts for values in part.values for value in values}
    counted = seen - {numbers.ignored}
    absent = [name for i, name in enumerate(classes, numbers.first) if i not in counted]
    return (f"classes of which there is nothing: {some(absent)}",) if absent else ()
