"""Average precision: cases that can be reckoned by hand, and a slow second implementation."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trainers.transfer.data.detection_index import Annotation, DetectionIndex
from trainers.transfer.data.packed_records import PackedRecords
from trainers.transfer.metrics.detection_metrics import DetectionMetrics

CLASSES = ("a", "b", "c")
SIZE = (400, 400)
Box = Sequence[float]
"""x, y, width and height."""
Thing = tuple[int, Box]
Found = tuple[int, Box, float]


def mask_of(box: Box) -> Tensor:
    mask = torch.zeros(SIZE, dtype=torch.uint8)
    left, top, across, down = map(int, box)
    mask[top : top + down, left : left + across] = 1
    return mask


def polygon(box: Box) -> list[list[float]]:
    left, top, across, down = box
    right, bottom = left + across, top + down
    return [[left, top, right, top, right, bottom, left, bottom]]


def index_of(pictures: Sequence[Sequence[Thing]], *, crowds: bool = False) -> DetectionIndex:
    def annotation(label: int, box: Box) -> Annotation:
        return Annotation(
            label=label,
            bbox=list(box),
            area=box[2] * box[3],
            iscrowd=int(crowds and label == 3),
            segmentation=polygon(box),
        )

    things = [[annotation(*thing) for thing in picture] for picture in pictures]
    count = len(pictures)
    return DetectionIndex(
        folder=Path(),
        files=tuple(map(str, range(count))),
        sizes=np.tile(SIZE, (count, 1)),
        upright=np.zeros(count, bool),
        annotations=PackedRecords(things),
        counts=np.array([len(picture) for picture in pictures]),
        digests=(b"",) * count,
    )


def output(found: Sequence[Found], scale: float = 1.0) -> dict[str, Tensor]:
    boxes = torch.tensor([box for _, box, _ in found], dtype=torch.float64).reshape(-1, 4)
    masks = [mask_of(box).float()[None] for _, box, _ in found]
    return {
        "boxes": torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1) * scale,
        "labels": torch.tensor([label for label, _, _ in found], dtype=torch.int64),
        "scores": torch.tensor([score for _, _, score in found], dtype=torch.float64),
        "masks": torch.stack(masks) if masks else torch.zeros(0, 1, *SIZE),
    }


def target(item: int, scale: float = 1.0) -> dict[str, Any]:
    given = torch.tensor([int(edge * scale) for edge in SIZE])
    return {"image_id": item, "size": given, "size_before": torch.tensor(SIZE)}


def judged(
    pictures: Sequence[Sequence[Thing]], found: Sequence[Sequence[Found]], **options: bool
) -> dict[str, float]:
    masks = options.pop("has_masks", True)
    metrics = DetectionMetrics(index_of(pictures, **options), CLASSES, has_masks=masks)
    for item, each in enumerate(found):
        metrics.update([output(each)], [target(item)])
    return metrics.compute()


# By hand

LARGE = (50, 50, 100, 100)
ONE = pytest.approx(1.0, abs=1e-12)


def both(found: dict[str, float], name: str) -> float:
    assert found[f"mask_{name}"] == pytest.approx(found[f"box_{name}"], abs=1e-12)
    return found[f"box_{name}"]


def test_what_is_found_exactly_has_one() -> None:
    found = judged(
        [[(1, LARGE), (2, (200, 200, 50, 50))]], [[(1, LARGE, 0.9), (2, (200, 200, 50, 50), 0.3)]]
    )
    assert list(found.values()) == pytest.approx([1.0] * len(found))
    assert "box_ap_small" not in found, "there is nothing small"


def test_an_overlap_counts_for_the_thresholds_below_it() -> None:
    found = judged([[(1, LARGE)]], [[(1, (50, 50, 62, 100), 0.9)]])
    assert both(found, "ap") == pytest.approx(3 / 10), "0.5, 0.55 and 0.6 of ten"
    assert (both(found, "ap50"), both(found, "ap75")) == (ONE, 0.0)


def test_half_the_things_found_fill_half_the_recalls() -> None:
    found = judged([[(1, LARGE)], [(1, LARGE)]], [[(1, LARGE, 0.9)], []])
    assert both(found, "ap") == pytest.approx(51 / 101), "0 to 0.5 of 101 recalls"


def test_something_wrong_costs_by_its_score() -> None:
    wrong = (250, 250, 100, 100)
    before = judged([[(1, LARGE)]], [[(1, wrong, 0.9), (1, LARGE, 0.5)]])
    assert both(before, "ap") == pytest.approx(0.5)
    behind = judged([[(1, LARGE)]], [[(1, wrong, 0.1), (1, LARGE, 0.5)]])
    assert both(behind, "ap") == ONE
    twice = judged(
        [[(1, LARGE)], [(1, LARGE)]], [[(1, LARGE, 0.9), (1, LARGE, 0.8)], [(1, LARGE, 0.7)]]
    )
    # Two of three are right when all is found, and one of one when half is.
    assert both(twice, "ap") == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_another_class_is_wrong() -> None:
    found = judged([[(1, LARGE), (2, LARGE)]], [[(2, LARGE, 0.9)]])
    assert both(found, "ap") == pytest.approx(0.5), "the mean of 0 and 1"


def test_nothing_found_has_zero() -> None:
    found = judged([[(1, LARGE)]], [[]])
    assert set(found.values()) == {0.0}


def test_what_lies_in_a_crowd_is_not_wrong() -> None:
    crowd = (200, 200, 150, 150)
    things = [[(1, LARGE), (3, (10, 10, 20, 20)), (3, crowd)]]
    inside = (220, 220, 40, 40)
    found = judged(things, [[(1, LARGE, 0.9), (3, inside, 0.8)]], crowds=True)
    assert both(found, "ap") == ONE, "and the crowds themselves need not be found"


@pytest.mark.parametrize(
    ("edge", "name"), [(31, "small"), (33, "medium"), (95, "medium"), (97, "large")]
)
def test_sizes_go_by_the_area(edge: int, name: str) -> None:
    box = (50, 50, edge, edge)
    found = judged([[(1, box)]], [[(1, box, 0.9)]])
    sizes = {"small", "medium", "large"}
    assert [size for size in sizes if f"box_ap_{size}" in found] == [name]
    assert both(found, f"ap_{name}") == ONE


def test_figures_are_in_the_sizes_of_the_files() -> None:
    """A model that was given a picture at half the size answers in its pixels."""
    metrics = DetectionMetrics(index_of([[(1, LARGE)]]), CLASSES)
    half = output([(1, LARGE, 0.9)], scale=0.5)
    half["masks"] = half["masks"][..., ::2, ::2]
    metrics.update([half], [target(0, scale=0.5)])
    found = metrics.compute()
    assert both(found, "ap") == ONE
    assert "box_ap_large" in found


def test_masks_are_judged_by_their_pixels() -> None:
    metrics = DetectionMetrics(index_of([[(1, LARGE)]]), CLASSES)
    found = output([(1, LARGE, 0.9)])
    found["masks"] = mask_of((50, 50, 62, 100)).float()[None, None] * 0.5 + 0.01
    metrics.update([found], [target(0)])
    figures = metrics.compute()
    assert figures["box_ap"] == ONE
    assert figures["mask_ap"] == pytest.approx(0.3)
    assert metrics.per_class() == {"a": ONE}
    assert metrics.per_class("mask") == pytest.approx({"a": 0.3})
    metrics.reset()
    with pytest.raises(ValueError, match="no picture was seen that has something on it"):
        metrics.compute()


def test_masks_are_large_or_small_by_their_own_area() -> None:
    """Of what is wrong only that counts for a size which is of it: by its box, or by its mask."""
    metrics = DetectionMetrics(index_of([[(1, LARGE)]]), CLASSES)
    found = output([(1, (200, 200, 150, 150), 0.9), (1, LARGE, 0.5)])
    found["masks"][0] = mask_of((210, 210, 10, 10)).float()
    metrics.update([found], [target(0)])
    figures = metrics.compute()
    assert figures["box_ap_large"] == pytest.approx(0.5)
    assert figures["mask_ap_large"] == ONE


def test_only_pictures_that_were_seen_count() -> None:
    metrics = DetectionMetrics(index_of([[(1, LARGE)], [(1, LARGE)]]), CLASSES)
    metrics.update([output([(1, LARGE, 0.9)])], [target(1)])
    assert metrics.compute()["box_ap"] == ONE


def test_nothing_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    judged([[(1, LARGE)]], [[(1, LARGE, 0.9)]])
    assert capsys.readouterr() == ("", "")


# The second implementation


def overlap(one: Box, other: Box) -> float:
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    both = max(across, 0) * max(down, 0)
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def precision_of(
    things: Sequence[Sequence[Box]], found: Sequence[Sequence[tuple[float, Box]]], least: float
) -> float:
    """Of one class at one overlap: each detection, best first, takes what it fits best."""
    right = []
    for boxes, detections in zip(things, found, strict=True):
        free = list(boxes)
        for score, box in sorted(detections, key=lambda each: -each[0]):
            best = max(free, key=lambda other: overlap(box, other), default=None)
            hit = best is not None and overlap(box, best) >= least
            if hit:
                free.remove(best)
            right.append((score, hit))
    hits = np.cumsum([hit for _, hit in sorted(right, key=lambda each: -each[0])])
    if not len(hits):
        return 0.0
    recalls = hits / sum(map(len, things))
    precisions = hits / np.arange(1, len(hits) + 1)
    at = [precisions[recalls >= recall - 1e-12].max(initial=0) for recall in np.linspace(0, 1, 101)]
    return float(np.mean(at))


def average_precision(
    things: Sequence[Sequence[Thing]], found: Sequence[Sequence[Found]], overlaps: Sequence[float]
) -> float:
    means = []
    for label in {label for picture in things for label, _ in picture}:
        boxes = [[box for own, box in picture if own == label] for picture in things]
        own = [[(score, box) for name, box, score in each if name == label] for each in found]
        means += [precision_of(boxes, own, least) for least in overlaps]
    return float(np.mean(means))


labels = st.integers(1, 3)
boxes = st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(2, 8)] * 2).map(
    lambda box: tuple(20 * edge for edge in box)
)
scenes = st.lists(st.lists(st.tuples(labels, boxes), max_size=4), min_size=1, max_size=3).filter(
    any
)


@st.composite
def judgements(draw: st.DrawFn) -> tuple[list[list[Thing]], list[list[Found]]]:
    """Things, and detections near some of them, all with scores of their own."""
    things = draw(scenes)
    found = [draw(st.lists(st.tuples(labels, boxes), max_size=5)) for _ in things]
    found = [
        [*each, *draw(st.lists(st.sampled_from(own), max_size=3))] if own else each
        for each, own in zip(found, things, strict=True)
    ]
    count = sum(map(len, found))
    scores = iter(draw(st.permutations([(i + 1) / (count + 1) for i in range(count)])))
    return things, [[(label, box, next(scores)) for label, box in each] for each in found]


@settings(max_examples=30)
@given(judgements())
def test_figures_are_those_of_the_definition(
    case: tuple[list[list[Thing]], list[list[Found]]],
) -> None:
    things, found = case
    figures = judged(things, found, has_masks=False)
    overlaps = np.linspace(0.5, 0.95, 10)
    assert figures["box_ap"] == pytest.approx(average_precision(things, found, overlaps), abs=1e-9)
    assert figures["box_ap50"] == pytest.approx(average_precision(things, found, [0.5]), abs=1e-9)
    assert figures["box_ap75"] == pytest.approx(average_precision(things, found, [0.75]), abs=1e-9)


@settings(max_examples=30)
@given(judgements(), st.permutations([1, 2, 3]))
def test_classes_may_be_numbered_in_any_order(
    case: tuple[list[list[Thing]], list[list[Found]]], order: list[int]
) -> None:
    things, found = case
    renamed = [[(order[label - 1], box) for label, box in each] for each in things]
    again = [[(order[label - 1], box, score) for label, box, score in each] for each in found]
    before, after = judged(things, found, has_masks=False), judged(renamed, again, has_masks=False)
    assert after == pytest.approx(before, abs=1e-12)
