"""The two operators that torchvision's detection needs, where its binary part does not load.

On some machines there is no build of torchvision for this torch (`space.torchvision_support`). Then
`nms` and `roi_align` of its Python code are exchanged for those here, which compute the same by
torch and NumPy, slower. Where the operators load, nothing is exchanged.
"""

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from space.torchvision_support import prepare_torchvision


@cache
def prepare_detection() -> bool:
    """Make torchvision's detection models run; call it before they are imported.

    Returns:
        True if the operators had to be exchanged.
    """
    prepare_torchvision()
    # By their names: `torchvision.ops` has functions that are called like its modules.
    if import_module("torchvision.extension")._has_ops():
        return False
    boxes: Any = import_module("torchvision.ops.boxes")
    pooling: Any = import_module("torchvision.ops.roi_align")
    boxes.nms, pooling._roi_align = nms, roi_align
    return True


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float) -> Tensor:
    """Non-maximum suppression: the places of the boxes that no better one covers.

    Args:
        boxes: (N, 4) x1, y1, x2, y2. scores: (N,). iou_threshold: overlap that suppresses.

    Returns:
        int64 places, the best first.
    """
    order = scores.argsort(descending=True, stable=True)
    corners = boxes.detach()[order].float().cpu().numpy()
    kept = torch.from_numpy(_not_suppressed(corners, iou_threshold)).to(order.device)
    return order[kept]


def _not_suppressed(corners: NDArray[np.float32], limit: float) -> NDArray[np.int64]:
    """Of boxes, the best first, the places of those that stay."""
    gone = np.zeros(len(corners), dtype=bool)
    kept = []
    for start in range(0, len(corners), _AT_ONCE):
        covered = _covered(corners[start : start + _AT_ONCE], corners[start:], limit)
        for place, others in enumerate(covered, start):
            if not gone[place]:
                kept.append(place)
                gone[start:] |= others
    return np.array(kept, dtype=np.int64)


_AT_ONCE = 512
"""Boxes that are compared with all others at once, which takes some megabytes."""


def _covered(
    boxes: NDArray[np.float32], others: NDArray[np.float32], limit: float
) -> NDArray[np.bool_]:
    """(N, M) whether a box and another overlap by more than the limit."""
    areas, of_others = ((b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b in (boxes, others))
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    edges = (high - low).clip(0)
    common = edges[..., 0] * edges[..., 1]
    with np.errstate(invalid="ignore", divide="ignore"):  # of boxes without an area
        found: NDArray[np.bool_] = common / (areas[:, None] + of_others - common) > limit
    return found


def roi_align(
    input: Tensor,  # noqa: A002 - as torchvision calls it
    rois: Tensor,
    spatial_scale: float,
    pooled_height: int,
    pooled_width: int,
    sampling_ratio: int,
    aligned: bool,
) -> Tensor:
    """Means of points in the bins of boxes, read between positions bilinearly.

    Args:
        input: (B, C, H, W).
        rois: (K, 5) image, x1, y1, x2, y2. spatial_scale: from these to positions.
        pooled_height, pooled_width: bins. sampling_ratio: points of a bin down and across; 0 and
            less takes as many as a bin has positions, rounded up.
        aligned: whether positions are their middles, moved by a half.

    Returns:
        (K, C, pooled_height, pooled_width).
    """
    if input.dtype in (torch.float16, torch.bfloat16):  # too coarse for places
        options = spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned
        return roi_align(input.float(), rois.float(), *options).to(input.dtype)
    bins = (pooled_height, pooled_width)
    corners = rois[:, 1:].to(input.dtype) * spatial_scale - (0.5 if aligned else 0.0)
    starts, sizes = corners[:, [1, 0]], corners[:, [3, 2]] - corners[:, [1, 0]]
    if not aligned:
        sizes = sizes.clamp(min=1.0)
    images = rois[:, 0].long()
    points = _points(sizes, bins, sampling_ratio)
    pooled = input.new_zeros(len(rois), input.shape[1], *bins)
    # Boxes of an image that have as many points are read together.
    kinds, kind = torch.cat([images[:, None], points], 1).unique(dim=0, return_inverse=True)
    for number, (image, down, across) in enumerate(kinds.tolist()):
        chosen = torch.where(kind == number)[0]
        rows = _places(starts[chosen, 0], sizes[chosen, 0], bins[0], down)
        columns = _places(starts[chosen, 1], sizes[chosen, 1], bins[1], across)
        read = _read(input[image], rows, columns)
        shape = (len(chosen), input.shape[1], bins[0], down, bins[1], across)
        pooled = pooled.index_copy(0, chosen, read.reshape(shape).mean((3, 5)))
    return pooled


def _points(sizes: Tensor, bins: tuple[int, int], sampling_ratio: int) -> Tensor:
    """(K, 2) points of a bin of each box, down and across."""
    if sampling_ratio > 0:
        return torch.full(sizes.shape, sampling_ratio, dtype=torch.long, device=sizes.device)
    # A box without a size, which `aligned` leaves, has no points and is 0: one is as good.
    return (sizes / sizes.new_tensor(bins)).ceil().long().clamp(min=1)


def _places(start: Tensor, size: Tensor, bins: int, points: int) -> Tensor:
    """(K, bins·points) places on an axis, in positions."""
    steps = (torch.arange(bins * points, device=start.device, dtype=start.dtype) + 0.5) / points
    return start[:, None] + steps * (size / bins)[:, None]


def _read(image: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """(C, H, W) at (K, R) rows and (K, S) columns, (K, C, R, S); 0 from one position outside."""
    height, width = image.shape[1:]
    inside = _inside(rows, height)[:, :, None] & _inside(columns, width)[:, None, :]
    down = (2 * rows / max(1, height - 1) - 1)[:, :, None].expand(-1, -1, columns.shape[1])
    right = (2 * columns / max(1, width - 1) - 1)[:, None, :].expand(-1, rows.shape[1], -1)
    grid = torch.stack([right, down], -1).flatten(0, 1)[None]
    read = functional.grid_sample(image[None], grid, padding_mode="border", align_corners=True)
    found = read[0].reshape(len(image), *inside.shape[:2], -1).transpose(0, 1)
    return found * inside[:, None]


def _inside(places: Tensor, length: int) -> Tensor:
    return (places >= -1) & (places <= length)
