"""Goes through the annotations of COCO's format, one by one: what each says, or what is wrong."""

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

from trainers.transfer.data.detection_index import Annotation
from trainers.transfer.data.run_lengths import fault_of_run_lengths

NO_EXTENT = "boxes of no width or height within their picture"
"""COCO itself has some: they are left out and counted, as torchvision's references do."""

_NUMBERS = frozenset({int, float})


def read_annotation(
    raw: Mapping[str, Any], label: int, height: int, width: int
) -> Annotation | str:
    """An annotation, or in the plural what is wrong with it.

    Args:
        raw: as it stands in the file. label: number of its class, from 1.
        height, width: of its picture in pixels.
    """
    box = raw.get("bbox")
    if not _is_numbers(box) or len(box) != 4:
        return "annotations without a box of four numbers"
    if not _has_extent(box, height, width):
        return NO_EXTENT
    crowd = raw.get("iscrowd", 0)
    if type(crowd) not in (int, bool) or crowd not in (0, 1):
        return "values of iscrowd that are neither 0 nor 1"
    segmentation = raw.get("segmentation") or None
    fault = None if segmentation is None else _fault_of_mask(segmentation, height, width)
    if fault is not None:
        return fault
    area = raw.get("area")
    return Annotation(
        label=label,
        bbox=[float(value) for value in box],
        area=float(area) if _is_number(area) and area >= 0 else math.nan,
        iscrowd=int(crowd),
        segmentation=segmentation,
    )


def _has_extent(box: list[float], height: int, width: int) -> bool:
    left, top, across, down = box
    right, bottom = min(left + across, width), min(top + down, height)
    return right > max(left, 0) and bottom > max(top, 0)


def _fault_of_mask(segmentation: object, height: int, width: int) -> str | None:
    if isinstance(segmentation, dict):
        return fault_of_run_lengths(segmentation, height, width)
    if not isinstance(segmentation, list):
        return "segmentations that are neither polygons nor run lengths"
    for polygon in segmentation:
        if not _is_numbers(polygon) or len(polygon) < 6 or len(polygon) % 2:
            return "polygons of fewer than three points, or of half points"
    return None


def _is_numbers(values: object) -> TypeGuard[list[float]]:
    """Whether it is a list of finite numbers. There are millions: none is asked one by one."""
    # What type() says, as true is an int too; infinities and nan come of JSON that Python reads.
    if not isinstance(values, list) or not _NUMBERS.issuperset(map(type, values)):
        return False
    try:
        return math.isfinite(math.fsum(values))
    except (OverflowError, ValueError):  # of an int beyond all floats, and of both infinities
        return False


def _is_number(value: object) -> TypeGuard[float]:
    return _is_numbers([value])
