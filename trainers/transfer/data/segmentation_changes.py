"""Random scale, crop, flip and colours of a picture and its mask, as UPerNet's recipes have them.

All that is random is drawn from torch's global generator.
"""

import torch
from torch import Tensor

from trainers.transfer.data.changes import SegmentationChanges
from trainers.transfer.data.segmentation_index import IGNORED
from trainers.transfer.data.tv_transforms import F, tv_tensors

_CROPS = 10
"""How often a crop of one class mostly is drawn again."""
_BRIGHTNESS, _HUE = 32 / 255, 0.1
"""The most that is added to all pixels, and to the angle of colours, of a whole turn."""
_CONTRAST = _SATURATION = (0.5, 1.5)


def change(
    image: Tensor, mask: tv_tensors.Mask, changes: SegmentationChanges
) -> tuple[Tensor, Tensor]:
    """A random square of a picture at a random scale.

    Args:
        image: (3, H, W) uint8. mask: (H, W) uint8.

    Returns:
        (3, crop, crop) float32, padded with a colour and normalised; (crop, crop) int64, padded
        with 255.
    """
    scale = _uniform(*changes.scale)
    image, mask = resized(image, scale, changes), resized(mask, scale, changes)
    image, mask = _cropped(image, mask, changes)
    if _uniform(0, 1) < changes.flip:
        image, mask = F.horizontal_flip(image), F.horizontal_flip(mask)
    pixels = F.to_dtype(image, torch.float32, scale=True)
    if changes.distort_colours:
        pixels = distorted(pixels)
    height, width = mask.shape[-2:]
    square = torch.tensor(changes.padding)[:, None, None].repeat(1, changes.crop, changes.crop)
    square[:, :height, :width] = pixels
    classes = torch.full((changes.crop, changes.crop), IGNORED)
    classes[:height, :width] = mask
    return normalised(square, changes), classes


def resized(image: Tensor, scale: float, changes: SegmentationChanges) -> Tensor:
    """A picture as large as fits into both edges times a scale; a `Mask` by its nearest pixels."""
    height, width = image.shape[-2:]
    factor = min(
        scale * changes.longest / max(height, width), scale * changes.shortest / min(height, width)
    )
    size = [max(1, int(edge * factor + 0.5)) for edge in (height, width)]
    found: Tensor = F.resize(image, size, antialias=True)
    return found


def normalised(image: Tensor, changes: SegmentationChanges) -> Tensor:
    """A picture by its mean and deviation: uint8, or float from 0 to 1."""
    pixels = F.to_dtype(image, torch.float32, scale=True).as_subclass(Tensor)
    found: Tensor = F.normalize(pixels, list(changes.mean), list(changes.std))
    return found


def _cropped(image: Tensor, mask: Tensor, changes: SegmentationChanges) -> tuple[Tensor, Tensor]:
    """A square by chance, another one as long as one class has too much of it."""
    height, width = (min(edge, changes.crop) for edge in mask.shape[-2:])
    for _ in range(_CROPS):
        top = _place(mask.shape[-2] - height)
        left = _place(mask.shape[-1] - width)
        part = mask[top : top + height, left : left + width]
        if _is_varied(part, changes.most_of_one_class):
            break
    return image[:, top : top + height, left : left + width], part


def _is_varied(mask: Tensor, most: float) -> bool:
    counted = torch.bincount(mask[mask != IGNORED].flatten().int(), minlength=2)
    total = int(counted.sum())
    return total > 0 and int((counted > 0).sum()) > 1 and int(counted.max()) < most * total


def distorted(pixels: Tensor) -> Tensor:
    """Brightness, contrast, saturation and hue, each in half of the pictures.

    Contrast comes before or after the colours, by chance. Contrast scales about black; saturation
    mixes with the grey picture, where the recipes scale in HSV.

    Args:
        pixels: (3, H, W) float, from 0 to 1.
    """
    if _coin():
        pixels = (pixels + _uniform(-_BRIGHTNESS, _BRIGHTNESS)).clamp(0, 1)
    first = _coin()
    if first:
        pixels = _contrast(pixels)
    if _coin():
        pixels = F.adjust_saturation(pixels, _uniform(*_SATURATION))
    if _coin():
        pixels = F.adjust_hue(pixels, _uniform(-_HUE, _HUE))
    return pixels if first else _contrast(pixels)


def _contrast(pixels: Tensor) -> Tensor:
    return (pixels * _uniform(*_CONTRAST)).clamp(0, 1) if _coin() else pixels


def _coin() -> bool:
    return _uniform(0, 1) < 0.5


def _uniform(low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand(()))


def _place(room: int) -> int:
    return int(torch.randint(room + 1, ()))
