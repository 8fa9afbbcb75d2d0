"""COCO's average precision of boxes and masks, by pycocotools."""

import io
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from typing import Any

import numpy as np
from torch import Tensor

from trainers.transfer.data.detection_index import DetectionIndex
from trainers.transfer.data.instance_masks import run_lengths
from trainers.transfer.libraries import coco_api, coco_evaluation, coco_masks
from trainers.transfer.metrics.mask_encoding import encoded

_FIGURES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
"""What the first numbers of COCOeval's summary are."""
_MOST = 100
"""Detections of a picture that COCO counts."""


class DetectionMetrics:
    """The figures that papers print for COCO, in the sizes of the files.

    Args:
        index: what is so, of the pictures that are validated on.
        classes: names, class 1 first.
        has_masks: whether masks are judged too.
    """

    def __init__(
        self, index: DetectionIndex, classes: Sequence[str], *, has_masks: bool = True
    ) -> None:
        self.index, self.classes, self.has_masks = index, tuple(classes), has_masks
        self._found: dict[int, list[dict[str, Any]]] = {}

    def update(
        self, outputs: Sequence[Mapping[str, Tensor]], targets: Sequence[Mapping[str, Any]]
    ) -> None:
        """Take what a model says of some pictures.

        Args:
            outputs: of torchvision's models, a picture each: boxes (N, 4) x1, y1, x2, y2, labels
                (N,) from 1, scores (N,), and masks (N, 1, H, W) or (N, H, W) from 0 to 1 or bool;
                in pixels of the picture as it was given.
            targets: of the same pictures, with image_id, size and size_before.
        """
        for output, target in zip(outputs, targets, strict=True):
            best = output["scores"].argsort(descending=True, stable=True)[:_MOST]
            chosen = {name: output[name][best].detach() for name in self._needed()}
            given, before = (tuple(map(int, target[name])) for name in ("size", "size_before"))
            self._found[int(target["image_id"])] = _detections(chosen, given, before)

    def compute(self) -> dict[str, float]:
        """The figures, 0 to 1, over the pictures that were seen.

        Returns:
            box_ap (the mean over overlaps of 0.5 to 0.95), box_ap50, box_ap75, and by the area of
            things box_ap_small (below 32² pixels), box_ap_medium and box_ap_large (from 96²); the
            same of mask_ap. Without things of a size that figure is left out.

        Raises:
            ValueError: nothing was seen that has something on it.
        """
        found: dict[str, float] = {}
        for kind in ("box", "mask") if self.has_masks else ("box",):
            judged = self._evaluated(kind)
            stats = zip(_FIGURES, judged.stats.tolist(), strict=False)
            found |= {f"{kind}_{name}": value for name, value in stats if value >= 0}
        if "box_ap" not in found:
            raise ValueError("no picture was seen that has something on it")
        return found

    def per_class(self, kind: str = "box") -> dict[str, float]:
        """Average precision by class, of those that occur.

        Args:
            kind: "box" or "mask".
        """
        precision = self._evaluated(kind).eval["precision"][:, :, :, 0, -1]
        means = {
            name: each[each >= 0]
            for name, each in zip(self.classes, np.moveaxis(precision, 2, 0), strict=True)
        }
        return {name: float(each.mean()) for name, each in means.items() if each.size}

    def reset(self) -> None:
        """Forget what was seen."""
        self._found = {}

    def _needed(self) -> tuple[str, ...]:
        return ("boxes", "labels", "scores", *(["masks"] if self.has_masks else []))

    def _evaluated(self, kind: str) -> Any:
        """pycocotools' evaluation, done."""
        truth = [
            {**each, "image_id": item, "category_id": each["label"]}
            for item in self._found
            for each in self.index.annotations[item]
        ]
        if kind == "mask":
            truth = [self._with_run_lengths(each) for each in truth]
        found = [
            {
                "image_id": item,
                "category_id": each["label"],
                "score": each["score"],
                "iscrowd": 0,
                "area": each[f"{kind}_area"],
                "bbox": each["bbox"],
                "segmentation": each["segmentation"],
            }
            for item, detections in self._found.items()
            for each in detections
        ]
        # It prints its progress and its table, and standard output is for data.
        with redirect_stdout(io.StringIO()):
            iou_type = "bbox" if kind == "box" else "segm"
            judged = coco_evaluation()(self._indexed(truth), self._indexed(found), iou_type)
            judged.evaluate()
            judged.accumulate()
            judged.summarize()
        return judged

    def _with_run_lengths(self, truth: dict[str, Any]) -> dict[str, Any]:
        height, width = self.index.sizes[truth["image_id"]].tolist()
        return {**truth, "segmentation": run_lengths(truth["segmentation"], height, width)}

    def _indexed(self, annotations: list[dict[str, Any]]) -> Any:
        """pycocotools' index of annotations; their numbers begin at 1, as 0 means none to it."""
        sizes = self.index.sizes
        index = coco_api()()
        index.dataset = {
            "images": [
                {"id": item, "height": int(sizes[item, 0]), "width": int(sizes[item, 1])}
                for item in self._found
            ],
            "categories": [{"id": i, "name": name} for i, name in enumerate(self.classes, 1)],
            "annotations": [{**each, "id": i} for i, each in enumerate(annotations, 1)],
        }
        index.createIndex()
        return index


def _detections(
    output: Mapping[str, Tensor], given: tuple[int, ...], before: tuple[int, ...]
) -> list[dict[str, Any]]:
    """What a model found on one picture, in pixels of the file."""
    grown = np.array([before[1] / given[1], before[0] / given[0]])
    corners = output["boxes"].double().cpu().numpy().reshape(-1, 2, 2) * grown
    boxes = np.concatenate([corners[:, 0], corners[:, 1] - corners[:, 0]], 1)
    labels, scores = output["labels"].tolist(), output["scores"].tolist()
    masks = encoded(output["masks"], before) if "masks" in output else [None] * len(boxes)
    return [
        {
            "label": label,
            "score": score,
            "bbox": box.tolist(),
            "box_area": float(box[2] * box[3]),
            "segmentation": mask,
            "mask_area": 0.0 if mask is None else float(coco_masks().area(mask)),
        }
        for label, score, box, mask in zip(labels, scores, boxes, masks, strict=True)
    ]
