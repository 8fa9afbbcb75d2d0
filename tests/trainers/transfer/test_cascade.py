"""The cascade: one stage of it is torchvision's heads, and a row is what is said by hand."""

import copy
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from trainers.transfer.torchvision_operators import prepare_detection

prepare_detection()

from torchvision.models.detection.roi_heads import RoIHeads, fastrcnn_loss  # noqa: E402
from torchvision.ops import MultiScaleRoIAlign, box_iou  # noqa: E402

from trainers.transfer.cascade import (  # noqa: E402
    CascadeRoIHeads,
    CascadeStage,
    ClassAgnosticPredictor,
    box_weights,
)

CLASSES = 4
SHAPES = [(40, 56), (48, 32)]
OPTIONS: dict[str, Any] = {"score_thresh": 0.0, "nms_thresh": 0.5, "detections_per_img": 20}


def pool(edge: int) -> MultiScaleRoIAlign:
    return MultiScaleRoIAlign(["0"], edge, sampling_ratio=2)


class Flat(nn.Module):
    """A box head of one layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4 * 9, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.flatten(1)).tanh()


def stage(number: int = 0, threshold: float = 0.5, weight: float = 1.0) -> CascadeStage:
    predictor = ClassAgnosticPredictor(8, CLASSES)
    mask_head, mask_predictor = nn.Conv2d(4, 5, 1), nn.Conv2d(5, CLASSES, 1)
    weights = box_weights(number)
    return CascadeStage(Flat(), predictor, threshold, weights, weight, mask_head, mask_predictor)


def cascade(stages: list[CascadeStage], **changes: Any) -> CascadeRoIHeads:
    options = {"batch_size_per_image": 16, "positive_fraction": 0.5, **OPTIONS} | changes
    return CascadeRoIHeads(pool(3), stages, mask_roi_pool=pool(6), **options)


def torchvisions(of: CascadeStage) -> RoIHeads:
    limits = of.iou_threshold, of.iou_threshold
    masks = pool(6), of.mask_head, of.mask_predictor
    sampled = 16, 0.5, of.box_weights
    return RoIHeads(
        pool(3), of.box_head, of.box_predictor, *limits, *sampled, *OPTIONS.values(), *masks
    )


def inputs(seed: int = 0) -> tuple[dict[str, Tensor], list[Tensor], list[dict[str, Tensor]]]:
    generator = torch.Generator().manual_seed(seed)
    features = {"0": torch.randn(2, 4, 12, 14, generator=generator)}
    targets, proposals = [], []
    for height, width in SHAPES:
        boxes = torch.tensor([[2.0, 3, 20, 24], [10, 12, 30, 36]])
        masks = torch.zeros(2, height, width, dtype=torch.uint8)
        masks[0, 3:24, 2:20] = masks[1, 12:36, 10:30] = 1
        targets.append({"boxes": boxes, "labels": torch.tensor([1, 3]), "masks": masks})
        near = boxes.repeat(6, 1) + torch.randn(12, 4, generator=generator) * 3
        corners = torch.rand(12, 2, generator=generator) * 20
        far = torch.cat([corners, corners + 4 + torch.rand(12, 2, generator=generator) * 8], 1)
        proposals.append(torch.cat([near.clamp(min=0), far]))
    return features, proposals, targets


def boxes_only(targets: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    return [{k: v for k, v in each.items() if k != "masks"} for each in targets]


@pytest.mark.parametrize("seed", range(3))
def test_one_stage_is_torchvisions_heads(seed: int) -> None:
    torch.manual_seed(seed)
    one = stage()
    features, proposals, targets = inputs(seed)
    losses = []
    for heads in (cascade([one]), torchvisions(one)):
        torch.manual_seed(9)  # of the sampling
        losses.append(heads.train()(features, list(proposals), SHAPES, targets)[1])
    assert losses[0].keys() == losses[1].keys()
    for name, value in losses[1].items():
        torch.testing.assert_close(losses[0][name], value)
    found = [
        heads.eval()(features, list(proposals), SHAPES)[0]
        for heads in (cascade([one]), torchvisions(one))
    ]
    for ours, theirs in zip(*found, strict=True):
        assert len(theirs["boxes"]) == 20
        for name, value in theirs.items():
            torch.testing.assert_close(ours[name], value, rtol=1e-4, atol=1e-5)


def test_stages_go_on_from_the_refined_boxes_by_thresholds_and_weights_of_their_own() -> None:
    """By hand, without sampling: as many are drawn as there are."""
    torch.manual_seed(0)
    stages = [stage(0, 0.5, 1.0), stage(1, 0.6, 0.5), stage(2, 0.7, 0.25)]
    features, proposals, targets = inputs()
    everything = {"batch_size_per_image": 10_000, "positive_fraction": 1.0}
    heads = cascade(stages, **everything).train()
    # All negatives come along: positives are no more than a half of so many.
    losses = heads(features, list(proposals), SHAPES, targets)[1]
    boxes = list(proposals)
    for number, each in enumerate(stages):
        name = "" if number == 0 else f"_{number + 1}"
        with_truth = [
            torch.cat(pair) for pair in zip(boxes, [t["boxes"] for t in targets], strict=True)
        ]
        labels, wanted, logits, deltas = [], [], [], []
        refined = []
        for image, (mine, target) in enumerate(zip(with_truth, targets, strict=True)):
            overlap = box_iou(target["boxes"], mine)
            best, which = overlap.max(0)
            labels.append(torch.where(best >= each.iou_threshold, target["labels"][which], 0))
            wanted.append(encoded(target["boxes"][which], mine, each.box_weights))
            pooled = pool(3)({"0": features["0"][image : image + 1]}, [mine], [(48, 56)])
            scores, moves = each.box_predictor(each.box_head(pooled))
            logits.append(scores)
            deltas.append(moves)
            new = decoded(moves[:, :4].detach(), mine, each.box_weights)
            refined.append(inside(new, SHAPES[image])[: len(boxes[image])])
        pair = fastrcnn_loss(torch.cat(logits), torch.cat(deltas), labels, wanted)
        for loss, value in zip(("loss_classifier", "loss_box_reg"), pair, strict=True):
            torch.testing.assert_close(losses[loss + name], each.loss_weight * value)
        boxes = refined


def encoded(true: Tensor, boxes: Tensor, weights: tuple[float, ...]) -> Tensor:
    size, wanted = boxes[:, 2:] - boxes[:, :2], true[:, 2:] - true[:, :2]
    middle, aim = boxes[:, :2] + size / 2, true[:, :2] + wanted / 2
    moves = torch.cat([(aim - middle) / size, (wanted / size).log()], 1)
    return moves * torch.tensor(weights)


def decoded(deltas: Tensor, boxes: Tensor, weights: tuple[float, ...]) -> Tensor:
    moves = deltas / torch.tensor(weights)
    size = boxes[:, 2:] - boxes[:, :2]
    middle = boxes[:, :2] + size / 2 + moves[:, :2] * size
    grown = size * moves[:, 2:].exp()
    return torch.cat([middle - grown / 2, middle + grown / 2], 1)


def inside(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    height, width = shape
    return torch.stack(
        [boxes[:, 0::2].clamp(0, width), boxes[:, 1::2].clamp(0, height)], 2
    ).flatten(1)


def test_scores_are_the_mean_of_the_stages_and_boxes_the_last_ones() -> None:
    torch.manual_seed(1)
    stages = [stage(0), stage(1, 0.6), stage(2, 0.7)]
    heads = cascade(stages, nms_thresh=1.0, detections_per_img=1000).eval()
    features, proposals, _ = inputs()
    found = heads(features, list(proposals), SHAPES)[0]
    boxes, scores = list(proposals), []
    for each in stages:
        pooled = pool(3)(features, boxes, SHAPES)
        logits, deltas = each.box_predictor(each.box_head(pooled))
        scores.append(logits.softmax(1))
        moved = decoded(deltas[:, :4], torch.cat(boxes), each.box_weights).split(
            [len(one) for one in boxes]
        )
        boxes = [
            torch.stack(
                [one[:, 0::2].clamp(0, shape[1]), one[:, 1::2].clamp(0, shape[0])], 2
            ).flatten(1)
            for one, shape in zip(moved, SHAPES, strict=True)
        ]
    mean = torch.stack(scores).mean(0).split([len(one) for one in boxes])
    for result, sure, where in zip(found, mean, boxes, strict=True):
        expected = sure[:, 1:].flatten().sort(descending=True).values
        torch.testing.assert_close(result["scores"], expected)
        best = int(sure[:, 1:].max(1).values.argmax())
        torch.testing.assert_close(result["boxes"][0], where[best], rtol=1e-4, atol=1e-4)


def test_masks_are_the_mean_of_all_mask_heads_on_the_final_boxes() -> None:
    torch.manual_seed(2)
    stages = [stage(0), stage(1, 0.6)]
    heads = cascade(stages).eval()
    features, proposals, _ = inputs()
    found = heads(features, list(proposals), SHAPES)[0]
    pooled = pool(6)(features, [each["boxes"] for each in found], SHAPES)
    labels = torch.cat([each["labels"] for each in found])
    every = []
    for each in stages:
        assert each.mask_head is not None
        assert each.mask_predictor is not None
        logits = each.mask_predictor(each.mask_head(pooled))
        every.append(logits.sigmoid()[torch.arange(len(labels)), labels])
    expected = torch.stack(every).mean(0)
    torch.testing.assert_close(torch.cat([each["masks"][:, 0] for each in found]), expected)


def test_without_a_mask_head_targets_need_no_masks() -> None:
    torch.manual_seed(3)
    plain = [CascadeStage(Flat(), ClassAgnosticPredictor(8, CLASSES), 0.5, box_weights(0), 1.0)]
    heads = CascadeRoIHeads(pool(3), plain)
    features, proposals, targets = inputs()
    losses = heads.train()(features, list(proposals), SHAPES, boxes_only(targets))[1]
    assert set(losses) == {"loss_classifier", "loss_box_reg"}
    assert "masks" not in heads.eval()(features, list(proposals), SHAPES)[0][0]
    with pytest.raises(ValueError, match="masks"):
        cascade([stage()]).train()(features, list(proposals), SHAPES, boxes_only(targets))


def test_an_image_with_nothing_on_it_trains_classes_alone() -> None:
    torch.manual_seed(4)
    features, proposals, targets = inputs()
    empty = copy.deepcopy(targets)
    for each in empty:
        each["boxes"], each["labels"] = torch.empty(0, 4), torch.empty(0, dtype=torch.int64)
        each["masks"] = each["masks"][:0]
    heads = cascade([stage(0), stage(1, 0.6)]).train()
    losses = heads(features, list(proposals), SHAPES, empty)[1]
    assert all(math.isfinite(float(each.detach())) for each in losses.values())
    assert float(losses["loss_box_reg"].detach()) == float(losses["loss_mask_2"].detach()) == 0


def test_the_weights_of_boxes_grow_from_stage_to_stage() -> None:
    assert [box_weights(place) for place in range(3)] == [
        (10, 10, 5, 5),
        (20, 20, 10, 10),
        (30, 30, 15, 15),
    ]
