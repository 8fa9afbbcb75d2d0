"""Masks that a model is more or less sure of, as run lengths in the size of the file.

A picture has up to a hundred of them, each of which is small: only what is around its sure pixels
is resized, on the device where it is.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainers.transfer.libraries import coco_masks

_SURE = 0.5


def encoded(masks: Tensor, size: tuple[int, ...]) -> list[Any]:
    """pycocotools' run lengths of masks: where they come to half or more.

    What is resized is what `interpolate(…, mode="bilinear", align_corners=False)` gives.

    Args:
        masks: (N, 1, H, W) or (N, H, W), from 0 to 1 or bool.
        size: height and width that they are resized to.
    """
    masks = masks.reshape(-1, *masks.shape[-2:])
    sure = masks if masks.dtype == torch.bool else masks >= _SURE
    bytes_ = sure.view(torch.uint8)  # the largest byte is found faster than whether one is true
    rows, columns = (bytes_.amax(axis).cpu().numpy() > 0 for axis in (2, 1))
    found = []
    for mask, in_row, in_column in zip(masks, rows, columns, strict=True):
        binary: NDArray[np.uint8] = np.zeros(size, np.uint8, order="F")
        if in_row.any():
            down, across = _reach(in_row, size[0]), _reach(in_column, size[1])
            binary[down, across] = _resized(mask, size, down, across).cpu().numpy()
        found.append(coco_masks().encode(binary))
    return found


def _reach(sure: NDArray[np.bool_], size: int) -> slice:
    """The new pixels along an edge that can be sure: those between a sure one and its neighbours.

    Args:
        sure: whether there is a sure one, by the old pixel. size: new pixels of the edge.
    """
    places, scale = np.flatnonzero(sure), size / len(sure)
    first = int(np.floor((places[0] - 0.5) * scale - 0.5))
    last = int(np.ceil((places[-1] + 1.5) * scale - 0.5))
    return slice(max(first, 0), min(last + 1, size))


def _resized(mask: Tensor, size: tuple[int, ...], down: slice, across: slice) -> Tensor:
    """The sure ones of some of the new pixels, bool."""
    if tuple(mask.shape) == tuple(size):
        return mask[down, across] >= _SURE
    above, below, weight = _between(mask.shape[0], size[0], down, mask.device)
    left, right, share = _between(mask.shape[1], size[1], across, mask.device)
    low, high = int(left.min()), int(right.max()) + 1
    part = mask[:, low:high].float()
    part = torch.lerp(part[above], part[below], weight[:, None])
    found = torch.lerp(part[:, left - low], part[:, right - low], share[None])
    return found >= _SURE


def _between(
    before: int, after: int, chosen: slice, device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """For new pixels of an edge the two old ones that they lie between, and how near the second."""
    new = torch.arange(chosen.start, chosen.stop, device=device, dtype=torch.float32)
    place = ((new + 0.5) * (before / after) - 0.5).clamp(0, before - 1)
    first = place.floor()
    return first.long(), (first.long() + 1).clamp(max=before - 1), place - first
