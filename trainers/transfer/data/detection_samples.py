"""What a detection model gets: a picture, and where which things are on it."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from trainers.seeds import derive, seeded
from trainers.transfer.data.changes import DetectionChanges
from trainers.transfer.data.detection_index import Annotation, DetectionIndex
from trainers.transfer.data.instance_masks import binary_masks
from trainers.transfer.data.pictures import read_picture
from trainers.transfer.data.tv_transforms import F, tv_tensors, v2

Target = dict[str, Any]
"""Of one picture, as torchvision's detection models take it:

- boxes (N, 4) float32 x1, y1, x2, y2 in pixels of the picture as it is given; labels (N,) int64,
  from 1; masks (N, H, W) uint8, unless the data have none
- image_id int; area (N,) float32, in pixels of the file; iscrowd (N,) int64, all 0
- size (2,) int64 height and width as given; size_before (2,) int64 those of the file
"""


class DetectionSamples(Dataset[tuple[Tensor, Target]]):
    """Pictures (3, H, W) float32 from 0 to 1, each under a seed of its own, with their targets.

    What stands for a crowd is left out of the targets: a model cannot learn it as one thing.
    The evaluation knows it (`trainers.transfer.metrics.detection_metrics`).

    Args:
        has_masks: whether targets have masks.
        seed: of the changes that training pictures undergo; None shows them as validation does.
    """

    def __init__(
        self,
        index: DetectionIndex,
        changes: DetectionChanges,
        *,
        has_masks: bool,
        seed: int | None = None,
    ) -> None:
        self.index, self.has_masks, self.seed = index, has_masks, seed or 0
        self.transform = _validation(changes) if seed is None else _training(changes)

    def __len__(self) -> int:
        return len(self.index.files)

    def __getitem__(self, item: int) -> tuple[Tensor, Target]:
        index = self.index
        picture = read_picture(index.folder / index.files[item], upright=bool(index.upright[item]))
        image = tv_tensors.Image(F.pil_to_tensor(picture))
        target = self._target(item, (picture.height, picture.width))
        with seeded(derive(self.seed, item)):
            image, target = self.transform(image, target)
        return _plain(image, target)

    def _target(self, item: int, size: tuple[int, int]) -> Target:
        things = [each for each in self.index.annotations[item] if not each["iscrowd"]]
        target: Target = {
            "boxes": _boxes(things, size),
            "labels": torch.tensor([each["label"] for each in things], dtype=torch.int64),
            "image_id": item,
            "area": torch.tensor([each["area"] for each in things], dtype=torch.float32),
            "iscrowd": torch.zeros(len(things), dtype=torch.int64),
            "size_before": torch.tensor(size),
        }
        if self.has_masks:
            masks = binary_masks([each["segmentation"] for each in things], *size)
            target["masks"] = tv_tensors.Mask(torch.from_numpy(masks))
        return target


def _boxes(things: list[Annotation], size: tuple[int, int]) -> tv_tensors.BoundingBoxes:
    """Boxes by their corners, cut off at the edge of the picture."""
    corners: NDArray[np.float64] = np.array([each["bbox"] for each in things]).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    height, width = size
    corners = corners.clip(0, [width, height, width, height])
    return tv_tensors.BoundingBoxes(
        torch.from_numpy(corners.astype(np.float32)), format="XYXY", canvas_size=size
    )


def _training(changes: DetectionChanges) -> v2.Transform:
    resize = v2.RandomShortestSize(list(changes.shortest), changes.longest)
    return v2.Compose([resize, v2.RandomHorizontalFlip(changes.flip)])


def _validation(changes: DetectionChanges) -> v2.Transform:
    if changes.validation_shortest is None:
        return v2.Identity()
    return v2.RandomShortestSize([changes.validation_shortest], changes.longest)


def _plain(image: Tensor, target: Target) -> tuple[Tensor, Target]:
    """The same as plain tensors."""
    pixels = F.to_dtype(image, torch.float32, scale=True).as_subclass(Tensor)
    found = {
        name: value.as_subclass(Tensor) if isinstance(value, tv_tensors.TVTensor) else value
        for name, value in target.items()
    }
    return pixels, {**found, "size": torch.tensor(pixels.shape[-2:])}


def collate(samples: list[tuple[Tensor, Target]]) -> tuple[list[Tensor], list[Target]]:
    """A batch: pictures of different sizes stay in a list, as torchvision's models take them."""
    images, targets = zip(*samples, strict=True)
    return list(images), list(targets)
