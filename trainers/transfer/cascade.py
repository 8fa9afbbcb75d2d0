"""Cascade R-CNN over torchvision's `RoIHeads`: box heads in a row, each on what the last refined.

Z. Cai, N. Vasconcelos, "Cascade R-CNN: High Quality Object Detection and Instance Segmentation",
2019. Matching, sampling, losses and suppression are torchvision's; what is here is the row.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchvision.models.detection._utils import BoxCoder, Matcher
from torchvision.models.detection.roi_heads import (
    RoIHeads,
    fastrcnn_loss,
    maskrcnn_inference,
    maskrcnn_loss,
)
from torchvision.ops import boxes as box_ops

_BASE_WEIGHTS = (10.0, 10.0, 5.0, 5.0)
_SMALLEST = 1e-3
"""Pixels of the edge of a refined box that is trained on, as the proposals' own in torchvision."""


class ClassAgnosticPredictor(nn.Module):
    """Class logits, and one box for all classes.

    torchvision's losses and decoding want deltas for each class: they get the same ones.

    Args:
        channels: of the box head's output.
        classes: of the logits, the background among them.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.cls_score = nn.Linear(channels, classes)
        self.bbox_pred = nn.Linear(channels, 4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(N, C) to logits (N, classes) and deltas (N, 4·classes), in float32."""
        x = x.flatten(start_dim=1)
        logits, deltas = self.cls_score(x).float(), self.bbox_pred(x).float()
        return logits, deltas.repeat(1, self.classes)


@dataclass(frozen=True, slots=True)
class CascadeStage:
    """A box head of the row, and how it is trained.

    Attributes:
        box_head: pooled maps (N, C, h, w) to (N, features).
        box_predictor: see `ClassAgnosticPredictor`.
        iou_threshold: least overlap of a positive proposal.
        box_weights: of the deltas, see torchvision's `BoxCoder`.
        loss_weight: of the losses of this stage.
        mask_head, mask_predictor: None where the stage has no masks.
    """

    box_head: nn.Module
    box_predictor: nn.Module
    iou_threshold: float
    box_weights: tuple[float, float, float, float]
    loss_weight: float
    mask_head: nn.Module | None = None
    mask_predictor: nn.Module | None = None


def box_weights(stage: int) -> tuple[float, float, float, float]:
    """Those of a stage, counted from 0: the finer the boxes, the larger a small delta counts.

    Deviations of the deltas are 0.1 and 0.2 in the first stage, a half of that in the second and
    a third in the third (Cascade R-CNN's own code).
    """
    x, y, width, height = (weight * (stage + 1) for weight in _BASE_WEIGHTS)
    return x, y, width, height


class CascadeRoIHeads(RoIHeads):  # type: ignore[misc]
    """Box heads in a row, and a mask head for each.

    In training each stage samples among the boxes that the one before refined, with the true boxes,
    by its own threshold; a stage's losses are multiplied by its weight. In inference scores are
    the mean of the stages' probabilities, boxes those of the last, masks the mean of all mask heads
    on the final boxes.

    Args:
        box_roi_pool, mask_roi_pool: torchvision's `MultiScaleRoIAlign`; no masks without the last.
        stages: in their order.
        batch_size_per_image, positive_fraction: of what a stage is trained on.
        score_thresh, nms_thresh, detections_per_img: of what is found.
    """

    def __init__(
        self,
        box_roi_pool: nn.Module,
        stages: Sequence[CascadeStage],
        *,
        batch_size_per_image: int = 512,
        positive_fraction: float = 0.25,
        score_thresh: float = 0.05,
        nms_thresh: float = 0.5,
        detections_per_img: int = 100,
        mask_roi_pool: nn.Module | None = None,
    ) -> None:
        first = stages[0]
        super().__init__(
            box_roi_pool,
            None,
            None,
            first.iou_threshold,
            first.iou_threshold,
            batch_size_per_image,
            positive_fraction,
            first.box_weights,
            score_thresh,
            nms_thresh,
            detections_per_img,
            mask_roi_pool,
        )
        self.box_heads = nn.ModuleList(stage.box_head for stage in stages)
        self.box_predictors = nn.ModuleList(stage.box_predictor for stage in stages)
        mask_heads = (stage.mask_head for stage in stages)
        self.mask_heads = nn.ModuleList(head for head in mask_heads if head is not None)
        predictors = (stage.mask_predictor for stage in stages)
        self.mask_predictors = nn.ModuleList(each for each in predictors if each is not None)
        self.loss_weights = tuple(stage.loss_weight for stage in stages)
        self.matchers = [
            Matcher(stage.iou_threshold, stage.iou_threshold, allow_low_quality_matches=False)
            for stage in stages
        ]
        self.coders = [BoxCoder(stage.box_weights) for stage in stages]

    def has_mask(self) -> bool:
        """Whether masks are predicted, and so needed in the targets."""
        return self.mask_roi_pool is not None and len(self.mask_heads) > 0

    def forward(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]] | None = None,
    ) -> tuple[list[dict[str, Tensor]], dict[str, Tensor]]:
        """As of torchvision's `RoIHeads`.

        Args:
            features: maps of the pyramid by name.
            proposals: (N, 4) boxes of each image, in pixels of the batch.
            image_shapes: (height, width) of each.
            targets: of each, in training.

        Returns:
            What was found, empty in training; the losses, empty in evaluation.
        """
        if self.training:
            self.check_targets(targets)
            return [], self._losses(features, proposals, image_shapes, targets or [])
        return self._found(features, proposals, image_shapes), {}

    # --- training ---------------------------------------------------------------------------------

    def _losses(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]],
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        for stage, weight in enumerate(self.loss_weights):
            # What torchvision's sampling goes by.
            self.proposal_matcher, self.box_coder = self.matchers[stage], self.coders[stage]
            sampled, matched, labels, wanted = self.select_training_samples(proposals, targets)
            logits, deltas = self._boxes(stage, features, sampled, image_shapes)
            of_classes, of_boxes = fastrcnn_loss(logits, deltas, labels, wanted)
            losses[_named("loss_classifier", stage)] = weight * of_classes
            losses[_named("loss_box_reg", stage)] = weight * of_boxes
            if self.has_mask():
                chosen = sampled, matched, labels
                loss = self._mask_loss(stage, features, chosen, image_shapes, targets)
                losses[_named("loss_mask", stage)] = weight * loss
            if stage + 1 < len(self.loss_weights):
                refined = self._refined(stage, deltas, sampled, image_shapes)
                proposals = _without_true_boxes(refined, sampled, targets)
        return losses

    def _mask_loss(
        self,
        stage: int,
        features: dict[str, Tensor],
        chosen: tuple[list[Tensor], list[Tensor], list[Tensor]],
        image_shapes: list[tuple[int, int]],
        targets: list[dict[str, Tensor]],
    ) -> Tensor:
        sampled, matched, labels = chosen
        positive = [torch.where(each > 0)[0] for each in labels]
        boxes = [each[places] for each, places in zip(sampled, positive, strict=True)]
        truth = [each[places] for each, places in zip(matched, positive, strict=True)]
        logits = self._masks(stage, features, boxes, image_shapes)
        masks, classes = [t["masks"] for t in targets], [t["labels"] for t in targets]
        loss: Tensor = maskrcnn_loss(logits, boxes, masks, classes, truth)
        return loss

    # --- what is found ----------------------------------------------------------------------------

    def _found(
        self,
        features: dict[str, Tensor],
        proposals: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> list[dict[str, Tensor]]:
        scores: list[Tensor] = []
        last = len(self.loss_weights) - 1
        for stage in range(last + 1):
            logits, deltas = self._boxes(stage, features, proposals, image_shapes)
            scores.append(logits.log_softmax(-1))
            if stage < last:
                proposals = self._refined(stage, deltas, proposals, image_shapes)
        # Of the mean of probabilities the logarithm, of which torchvision takes the softmax.
        mean = torch.logsumexp(torch.stack(scores), 0) - math.log(len(scores))
        self.box_coder = self.coders[last]
        found = self.postprocess_detections(mean, deltas, proposals, image_shapes)
        results: list[dict[str, Tensor]] = [
            {"boxes": boxes, "labels": labels, "scores": sure}
            for boxes, sure, labels in zip(*found, strict=True)
        ]
        if self.has_mask():
            self._add_masks(results, features, image_shapes)
        return results

    def _add_masks(
        self,
        results: list[dict[str, Tensor]],
        features: dict[str, Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> None:
        boxes = [each["boxes"] for each in results]
        labels = [each["labels"] for each in results]
        every = [
            maskrcnn_inference(self._masks(stage, features, boxes, image_shapes), labels)
            for stage in range(len(self.mask_heads))
        ]
        for result, masks in zip(results, zip(*every, strict=True), strict=True):
            result["masks"] = torch.stack(masks).mean(0)

    # --- parts of both ----------------------------------------------------------------------------

    def _boxes(
        self,
        stage: int,
        features: dict[str, Tensor],
        boxes: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> tuple[Tensor, Tensor]:
        pooled = self.box_roi_pool(features, boxes, image_shapes)
        logits, deltas = self.box_predictors[stage](self.box_heads[stage](pooled))
        return logits, deltas

    def _masks(
        self,
        stage: int,
        features: dict[str, Tensor],
        boxes: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> Tensor:
        pooled = self.mask_roi_pool(features, boxes, image_shapes)
        logits: Tensor = self.mask_predictors[stage](self.mask_heads[stage](pooled))
        return logits.float()

    @torch.no_grad()
    def _refined(
        self,
        stage: int,
        deltas: Tensor,
        boxes: list[Tensor],
        image_shapes: list[tuple[int, int]],
    ) -> list[Tensor]:
        """The boxes moved by the deltas of all classes, which are one, inside their images."""
        moved = self.coders[stage].decode(deltas[:, :4].detach(), boxes).reshape(-1, 4)
        each = moved.split([len(one) for one in boxes])
        return [
            box_ops.clip_boxes_to_image(one, shape)
            for one, shape in zip(each, image_shapes, strict=True)
        ]


def _named(loss: str, stage: int) -> str:
    return loss if stage == 0 else f"{loss}_{stage + 1}"


def _without_true_boxes(
    refined: list[Tensor], sampled: list[Tensor], targets: Sequence[Mapping[str, Any]]
) -> list[Tensor]:
    """What came of true boxes goes, as the next stage gets these anew; so does what is no box."""
    kept = []
    for boxes, before, target in zip(refined, sampled, targets, strict=True):
        true = target["boxes"].to(before)
        was_true = (before[:, None] == true[None]).all(-1).any(1)
        large = (boxes[:, 2:] - boxes[:, :2]).min(1).values >= _SMALLEST
        kept.append(boxes[~was_true & large])
    return kept
