"""Intersection over union, held to counting with NumPy."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor
from torch.nn.functional import interpolate, one_hot

from trainers.transfer.metrics.segmentation_metrics import SegmentationMetrics

CLASSES = ("a", "b", "c", "d")
SHAPE = (2, 5, 6)

predictions = hnp.arrays(np.int64, SHAPE, elements=st.integers(0, 3)).map(torch.from_numpy)
truths = hnp.arrays(np.int64, SHAPE, elements=st.sampled_from([0, 1, 2, 3, 255])).map(
    torch.from_numpy
)
truths = truths.filter(lambda mask: bool((mask != 255).any()))


def judged(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    metrics = SegmentationMetrics(CLASSES)
    for output, target in zip(outputs, targets, strict=True):  # one after the other
        metrics.update(output[None], target[None])
    return metrics.compute()


def counted(outputs: Tensor, targets: Tensor) -> dict[str, float]:
    """The same, class by class, as the papers define it."""
    seen = targets.numpy() != 255
    found, real = outputs.numpy()[seen], targets.numpy()[seen]
    iou, accuracy = {}, []
    for label, name in enumerate(CLASSES):
        is_found, is_real = found == label, real == label
        if union := (is_found | is_real).sum():
            iou[f"iou/{name}"] = float((is_found & is_real).sum() / union)
        if is_real.any():
            accuracy.append(float((is_found & is_real).sum() / is_real.sum()))
    return {
        "mean_iou": float(np.mean(list(iou.values()))),
        "mean_accuracy": float(np.mean(accuracy)),
        "pixel_accuracy": float((found == real).mean()),
        **iou,
    }


@given(predictions, truths)
def test_figures_are_those_of_counting(outputs: Tensor, targets: Tensor) -> None:
    found, expected = judged(outputs, targets), counted(outputs, targets)
    assert found.keys() == expected.keys()
    assert found == pytest.approx(expected, abs=1e-12)


@given(truths)
def test_what_is_right_everywhere_has_one(targets: Tensor) -> None:
    found = judged(targets.where(targets != 255, 0), targets)
    assert set(found.values()) == {1.0}


@given(predictions, truths, st.permutations(range(4)))
def test_classes_may_be_numbered_in_any_order(
    outputs: Tensor, targets: Tensor, order: list[int]
) -> None:
    table = torch.arange(256)
    table[:4] = torch.tensor(order)
    before, after = judged(outputs, targets), judged(table[outputs], table[targets])
    for name in ("mean_iou", "mean_accuracy", "pixel_accuracy"):
        assert after[name] == pytest.approx(before[name], abs=1e-12)


@given(predictions, truths)
def test_the_number_of_batches_does_not_count(outputs: Tensor, targets: Tensor) -> None:
    whole = SegmentationMetrics(CLASSES)
    whole.update(outputs, targets)
    assert whole.compute() == judged(outputs, targets)


def test_scores_are_resized_to_the_mask() -> None:
    targets = torch.zeros(2, 8, 12, dtype=torch.int64)
    targets[:, 4:, 6:] = 2
    scores = one_hot(targets[:, ::2, ::2], 4).permute(0, 3, 1, 2).float()
    metrics = SegmentationMetrics(CLASSES)
    metrics.update(scores, targets)
    resized = interpolate(scores, (8, 12), mode="bilinear", align_corners=False).argmax(1)
    assert metrics.compute() == pytest.approx(counted(resized, targets), abs=1e-12)
    metrics.reset()
    metrics.update(one_hot(targets, 4).permute(0, 3, 1, 2).half(), targets)
    assert metrics.compute()["mean_iou"] == 1.0


def test_nothing_that_counts_has_no_figures() -> None:
    metrics = SegmentationMetrics(CLASSES)
    metrics.update(torch.zeros(1, 2, 2, dtype=torch.int64), torch.full((1, 2, 2), 255))
    with pytest.raises(ValueError, match="no pixel was seen that counts"):
        metrics.compute()
