"""What stands in for torchvision's operators computes what they are defined to."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from trainers.transfer import torchvision_operators
from trainers.transfer.torchvision_operators import nms, prepare_detection, roi_align


def iou(one: Tensor, other: Tensor) -> float:
    low, high = torch.maximum(one[:2], other[:2]), torch.minimum(one[2:], other[2:])
    common = float((high - low).clamp(min=0).prod())
    area = float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod())
    return common / (area - common)


def boxes_of(count: int, generator: torch.Generator) -> Tensor:
    corners = torch.rand(count, 2, generator=generator) * 20
    return torch.cat([corners, corners + 2 + torch.rand(count, 2, generator=generator) * 20], 1)


@pytest.mark.parametrize("seed", range(8))
def test_suppression_keeps_what_no_better_kept_box_covers(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    boxes, scores = boxes_of(30, generator), torch.rand(30, generator=generator)
    kept: list[int] = []
    for place in sorted(range(30), key=lambda each: -float(scores[each])):
        if all(iou(boxes[place], boxes[other]) <= 0.4 for other in kept):
            kept.append(place)
    assert nms(boxes, scores, 0.4).tolist() == kept
    assert 1 < len(kept) < 30


def test_suppression_goes_on_over_many_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = torch.Generator().manual_seed(0)
    boxes, scores = boxes_of(60, generator), torch.rand(60, generator=generator)
    expected = nms(boxes, scores, 0.4).tolist()
    monkeypatch.setattr(torchvision_operators, "_AT_ONCE", 7)
    assert nms(boxes, scores, 0.4).tolist() == expected


def test_suppression_of_equals_none_and_boxes_without_an_area() -> None:
    same = torch.tensor([[0.0, 0, 4, 4]] * 3)
    assert nms(same, torch.tensor([0.5, 0.5, 0.9]), 0.5).tolist() == [2]
    assert nms(same, torch.tensor([0.5, 0.5, 0.9]), 1.0).tolist() == [2, 0, 1]
    assert nms(torch.empty(0, 4), torch.empty(0), 0.5).tolist() == []
    flat = torch.tensor([[1.0, 1, 1, 5], [1, 1, 1, 5]])
    assert nms(flat, torch.tensor([0.9, 0.8]), 0.5).tolist() == [0, 1]


def bilinear(image: Tensor, y: float, x: float) -> Tensor:
    """(C,) as the definition has it: 0 from one position outside, the border up to there."""
    height, width = image.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return torch.zeros(len(image), dtype=image.dtype)
    y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
    top, left = int(y), int(x)
    found = torch.zeros(len(image), dtype=image.dtype)
    for row, column in itertools.product((top, top + 1), (left, left + 1)):
        share = (1 - abs(y - row)) * (1 - abs(x - column))
        if share > 0:
            found += share * image[:, row, column]
    return found


def pooled_slowly(
    maps: Tensor, rois: Tensor, scale: float, bins: int, ratio: int, aligned: bool
) -> Tensor:
    found = torch.zeros(len(rois), maps.shape[1], bins, bins, dtype=maps.dtype)
    for place, roi in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (each * scale - (0.5 if aligned else 0) for each in roi[1:])
        height, width = y2 - y1, x2 - x1
        if not aligned:
            height, width = max(height, 1), max(width, 1)
        down = ratio if ratio > 0 else math.ceil(height / bins)
        across = ratio if ratio > 0 else math.ceil(width / bins)
        for row, column in itertools.product(range(bins), repeat=2):
            points = [
                bilinear(
                    maps[int(roi[0])],
                    y1 + height / bins * (row + (i + 0.5) / down),
                    x1 + width / bins * (column + (j + 0.5) / across),
                )
                for i in range(down)
                for j in range(across)
            ]
            found[place, :, row, column] = torch.stack(points).mean(0)
    return found


@pytest.mark.parametrize("ratio", [2, -1])
@pytest.mark.parametrize("aligned", [False, True])
def test_pooling_is_the_mean_of_points_between_positions(ratio: int, aligned: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    maps = torch.randn(2, 3, 9, 11, dtype=torch.float64, generator=generator).requires_grad_()
    boxes = torch.tensor(
        [[2.0, 3, 17, 15], [0, 0, 22, 18], [-6, -5, 4, 30], [10, 10, 10.5, 10.2], [40, 40, 50, 50]]
    ).double()
    rois = torch.cat([torch.tensor([[0.0], [1], [0], [1], [1]]).double(), boxes], 1)
    found = roi_align(maps, rois, 0.5, 3, 3, ratio, aligned)
    expected = pooled_slowly(maps, rois, 0.5, 3, ratio, aligned)
    torch.testing.assert_close(found, expected)
    assert found[4].abs().sum() == 0  # wholly outside
    grown = torch.randn(found.shape, dtype=torch.float64, generator=generator)
    gradients = [torch.autograd.grad((each * grown).sum(), maps)[0] for each in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_places_are_not_in_half_precision() -> None:
    """A position of 300 has steps of 2 in bfloat16."""
    near = (torch.arange(400.0) - 302).clamp(-4, 4).expand(1, 1, 8, 400).bfloat16()
    rois = torch.tensor([[0.0, 301.25, 1, 303.25, 3]])
    found = roi_align(near, rois, 1.0, 1, 1, 2, False)
    assert found.dtype == torch.bfloat16
    assert float(found) == pytest.approx(0.25, abs=0.02)


def test_no_boxes_are_no_results() -> None:
    assert roi_align(torch.randn(1, 3, 4, 4), torch.empty(0, 5), 1.0, 2, 2, 2, False).shape == (
        0,
        3,
        2,
        2,
    )


def test_torchvision_runs_by_its_own_operators_or_by_these() -> None:
    exchanged = prepare_detection()
    from torchvision.ops import batched_nms, boxes
    from torchvision.ops import roi_align as theirs

    assert (boxes.nms is nms) == exchanged
    two = torch.tensor([[0.0, 0, 4, 4], [0, 0, 4, 4], [9, 9, 12, 12]])
    kept = batched_nms(two, torch.tensor([0.1, 0.9, 0.5]), torch.tensor([1, 1, 1]), 0.5)
    assert kept.tolist() == [1, 2]
    maps, rois = torch.randn(1, 2, 8, 8), torch.tensor([[0.0, 1, 2, 6, 7]])
    expected = roi_align(maps, rois, 1.0, 2, 2, 2, False)
    torch.testing.assert_close(theirs(maps, rois, (2, 2), 1.0, 2), expected)
