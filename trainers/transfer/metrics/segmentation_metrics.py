"""Intersection over union of segmentations, over all pixels of all pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from trainers.transfer.data.segmentation_index import IGNORED
from trainers.transfer.libraries import confusion_matrix


class SegmentationMetrics:
    """The figures that papers print for ADE20K, of torchmetrics' confusion matrix.

    Over all pixels of the whole part, as mmsegmentation has it; not means over pictures.

    Args:
        classes: names, class 0 first.
    """

    def __init__(self, classes: Sequence[str]) -> None:
        self.classes = tuple(classes)
        # By itself it would ask every prediction for its values again.
        options = {"ignore_index": IGNORED, "validate_args": False}
        self._matrix = confusion_matrix()(num_classes=len(self.classes), **options)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        """Compare what a model says of a batch with what is so.

        Args:
            outputs: (B, classes, h, w) scores, resized to the masks bilinearly; or (B, H, W) class
                numbers, an integer type.
            targets: (B, H, W) int64 class numbers, 255 where none counts.
        """
        self._matrix.to(targets.device)
        if outputs.is_floating_point():
            outputs = _classes(outputs, (targets.shape[-2], targets.shape[-1]))
        self._matrix.update(outputs, targets)

    def compute(self) -> dict[str, float]:
        """The figures, 0 to 1.

        Returns:
            mean_iou over the classes that occur, in masks or predictions; mean_accuracy, the mean
            share of a class's pixels that are found, over those in masks; pixel_accuracy, of all
            pixels. iou/NAME of each class that occurs.

        Raises:
            ValueError: no pixel was seen that counts.
        """
        return figures_of(self.confusion(), self.classes)

    def confusion(self) -> Tensor:
        """(classes, classes) pixels: true class by predicted class, float64; of all processes."""
        found: Tensor = self._matrix.compute()
        return found.double().cpu()

    def reset(self) -> None:
        """Forget what was seen."""
        self._matrix.reset()


def figures_of(confusion: Tensor, classes: Sequence[str]) -> dict[str, float]:
    """The figures of a confusion matrix, as `SegmentationMetrics.compute` has them.

    Args:
        confusion: (classes, classes) true by predicted.
    """
    total = confusion.sum()
    if not total > 0:
        raise ValueError("no pixel was seen that counts")
    right, of_class = confusion.diag(), confusion.sum(1)
    union = of_class + confusion.sum(0) - right
    iou, accuracy = right / union, right / of_class
    found = {
        "mean_iou": float(iou[union > 0].mean()),
        "mean_accuracy": float(accuracy[of_class > 0].mean()),
        "pixel_accuracy": float(right.sum() / total),
    }
    shown = zip(classes, iou.tolist(), (union > 0).tolist(), strict=True)
    return found | {f"iou/{name}": value for name, value, occurs in shown if occurs}


def _classes(scores: Tensor, size: tuple[int, int]) -> Tensor:
    """The class of the highest score of each pixel, (B, H, W)."""
    if (scores.shape[-2], scores.shape[-1]) == size:
        return scores.argmax(1)
    found = [
        # One by one: at full size the scores of many classes take gigabytes.
        interpolate(each[None].float(), size, mode="bilinear", align_corners=False).argmax(1)
        for each in scores
    ]
    return torch.cat(found)
