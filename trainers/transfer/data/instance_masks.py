"""Masks out of polygons and run lengths."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainers.transfer.libraries import coco_masks


def run_lengths(segmentation: Any, height: int, width: int) -> Any:
    """pycocotools' compressed run lengths of a segmentation: {"size": [h, w], "counts": bytes}.

    Args:
        segmentation: checked polygons, or run lengths of either kind.
    """
    masks = coco_masks()
    if isinstance(segmentation, list):
        return masks.merge(masks.frPyObjects(segmentation, height, width))
    if isinstance(segmentation["counts"], list):
        return masks.frPyObjects(segmentation, height, width)
    return segmentation


def binary_masks(segmentations: Sequence[Any], height: int, width: int) -> NDArray[np.uint8]:
    """(N, H, W) ones and zeros."""
    found = np.zeros((len(segmentations), height, width), np.uint8)
    for number, segmentation in enumerate(segmentations):
        found[number] = coco_masks().decode(run_lengths(segmentation, height, width))
    return found
