"""What models get: sizes, boxes and masks after changes, and the same whoever reads them."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from space.errors import InputError
from tests.trainers.transfer.folders import TRAIN, ade20k, coco
from trainers.data.share import Share
from trainers.outcome import UnreadableData
from trainers.transfer.data import DetectionChanges, SegmentationChanges, open_data
from trainers.transfer.data.batches import (
    batches_of_equal_sizes,
    shared_batches,
    training_batches,
)
from trainers.transfer.data.segmentation_changes import change, distorted
from trainers.transfer.data.transfer_data import DetectionData, SegmentationData
from trainers.transfer.data.tv_transforms import tv_tensors

DETECTION = DetectionChanges(shortest=(40, 50, 70), longest=90, validation_shortest=120)
SEGMENTATION = SegmentationChanges(crop=48, shortest=60, longest=200)


@pytest.fixture(scope="module")
def boxed(tmp_path_factory: pytest.TempPathFactory) -> DetectionData:
    return open_data({"folder": coco(tmp_path_factory.mktemp("coco"))}, "detection")


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory) -> SegmentationData:
    return open_data({"folder": ade20k(tmp_path_factory.mktemp("ade"))}, "segmentation")


def flat(batches: Any) -> list[Tensor]:
    """All tensors of some batches, in their order."""
    if isinstance(batches, Tensor):
        return [batches]
    if isinstance(batches, dict):
        return flat([batches[name] for name in sorted(batches)])
    if isinstance(batches, int):
        return [torch.tensor(batches)]
    return [tensor for each in batches for tensor in flat(each)]


def same(one: Any, other: Any) -> bool:
    ours, theirs = flat(one), flat(other)
    return len(ours) == len(theirs) and all(map(torch.equal, ours, theirs))


# Detection


def test_an_edge_has_one_of_the_sizes(boxed: DetectionData) -> None:
    shortest = Counter[int]()
    for epoch in range(1, 6):
        for images, _ in boxed.train(DETECTION, batch_size=2, epoch=epoch, seed=0):
            for image in images:
                edges = sorted(image.shape[-2:])
                assert edges[1] <= 90
                shortest[edges[0]] += 1
    assert set(shortest) <= {40, 50, 67}, "67 where 70 would make the longer edge 93"
    assert len(shortest) == 3
    for images, _ in boxed.validation(DETECTION):
        assert sorted(images[0].shape[-2:]) == [67, 90], "at most 90"


def test_boxes_and_masks_follow_their_pictures(boxed: DetectionData) -> None:
    """Of whatever size and whether mirrored or not: a box lies around its mask."""
    mirrored = 0
    for images, targets in boxed.train(DETECTION, batch_size=3, epoch=2, seed=1):
        for image, target in zip(images, targets, strict=True):
            assert target["size"].tolist() == list(image.shape[-2:])
            assert target["masks"].shape[-2:] == image.shape[-2:]
            assert image.dtype == torch.float32
            assert 0 <= float(image.min()) < float(image.max()) <= 1
            scene = TRAIN[target["image_id"]]
            before = np.array([thing.box for thing in scene.things])
            centres = (target["boxes"][:, 0] + target["boxes"][:, 2]) / 2 / image.shape[-1]
            expected = (before[:, 0] + before[:, 2] / 2) / scene.picture.shape[1]
            is_mirrored = not np.allclose(centres, expected, atol=1e-5)
            mirrored += is_mirrored
            if is_mirrored:
                assert np.allclose(1 - centres, expected, atol=1e-5)
            for box, mask in zip(target["boxes"], target["masks"], strict=True):
                rows, columns = mask.nonzero(as_tuple=True)
                around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                assert box.tolist() == pytest.approx([float(edge) for edge in around], abs=1.5)
    assert 0 < mirrored < len(TRAIN)


def test_pictures_are_left_as_they_are_for_models_that_resize(boxed: DetectionData) -> None:
    changes = DetectionChanges(validation_shortest=None)
    for images, targets in boxed.validation(changes, batch_size=2):
        for image, target in zip(images, targets, strict=True):
            assert list(image.shape[-2:]) == target["size"].tolist()
            assert target["size"].tolist() == target["size_before"].tolist()


def test_batches_are_wide_or_high(boxed: DetectionData) -> None:
    """Four pictures are wide and two are high."""
    shapes = [
        {bool(image.shape[-1] > image.shape[-2]) for image in images}
        for images, _ in boxed.train(DETECTION, batch_size=2, epoch=1, seed=0)
    ]
    assert sorted(map(len, shapes)) == [1, 1, 1]


# Segmentation


def test_crops_are_squares_of_normalised_pixels(masked: SegmentationData) -> None:
    for images, masks in masked.train(SEGMENTATION, batch_size=3, epoch=1, seed=0):
        assert images.shape == (3, 3, 48, 48)
        assert masks.shape == (3, 48, 48)
        assert (images.dtype, masks.dtype) == (torch.float32, torch.int64)
        assert set(masks.unique().tolist()) <= {0, 1, 2, 3, 255}
        assert images.abs().max() < 5


def test_what_is_padded_is_the_mean_and_does_not_count() -> None:
    changes = SegmentationChanges(crop=64, shortest=16, longest=16, scale=(1.0, 1.0))
    image = torch.full((3, 20, 40), 200, dtype=torch.uint8)
    mask = tv_tensors.Mask(torch.ones(20, 40, dtype=torch.uint8))
    pixels, classes = change(image, mask, changes)
    assert (classes[:8, :16] == 1).all()
    assert (classes[8:] == 255).all()
    assert (classes[:, 16:] == 255).all()
    assert pixels[:, 8:].abs().max() < 1e-6
    raw = changes.model_copy(update={"mean": (0.0,) * 3, "std": (1.0,) * 3})
    pixels, _ = change(image, mask, raw)
    assert pixels[:, -1, -1].tolist() == pytest.approx([0.485, 0.456, 0.406])
    assert (pixels[:, :8, :16] != 0).all()


def test_masks_follow_their_pictures() -> None:
    """Two halves of two colours stay where their classes are, at any scale and place."""
    image = torch.zeros(3, 60, 90, dtype=torch.uint8)
    image[:, :, 45:] = 255
    mask = tv_tensors.Mask((image[0] > 0).to(torch.uint8))
    changes = SegmentationChanges(crop=32, shortest=60, longest=200, distort_colours=False)
    for seed in range(20):
        torch.manual_seed(seed)
        pixels, classes = change(image, mask, changes)
        inside = classes != 255
        agree = (pixels[0] > 0) == (classes == 1)
        assert agree[inside].float().mean() > 0.95, "all but the edge"


def test_a_crop_of_one_class_mostly_is_drawn_again() -> None:
    mask = torch.zeros(200, 200, dtype=torch.uint8)
    mask[80:120, 80:120] = 1
    image = torch.zeros(3, 200, 200, dtype=torch.uint8)
    varied = {0.75: 0, 1.0: 0}
    for most in varied:
        changes = SegmentationChanges(
            crop=50, shortest=200, longest=200, scale=(1.0, 1.0), most_of_one_class=most
        )
        for seed in range(40):
            torch.manual_seed(seed)
            _, classes = change(image, tv_tensors.Mask(mask), changes)
            share = (classes == 1).float().mean()
            varied[most] += bool(0.25 < share < 0.75)
    assert varied[0.75] > 2 * varied[1.0] > 0


def test_colours_stay_colours() -> None:
    pixels = torch.rand(3, 8, 8)
    seen = []
    for seed in range(30):
        torch.manual_seed(seed)
        found = distorted(pixels)
        assert 0 <= float(found.min()) <= float(found.max()) <= 1
        seen.append(found)
    unchanged = sum(torch.equal(each, pixels) for each in seen)
    assert 0 < unchanged < 10, "one of sixteen is not changed at all"


def test_validation_shows_the_whole_picture(masked: SegmentationData) -> None:
    changes = SegmentationChanges(shortest=30, longest=200)
    seen = 0
    for images, masks in masked.validation(changes, batch_size=3):
        assert len(images) == len(masks)
        assert sorted(images.shape[-2:]) == [30, 40]
        assert sorted(masks.shape[-2:]) == [60, 80]
        seen += len(images)
    assert seen == masked.validation_images


# The same for everyone


@pytest.mark.parametrize("task", ["boxed", "masked"])
def test_samples_do_not_depend_on_workers(task: str, request: pytest.FixtureRequest) -> None:
    data = request.getfixturevalue(task)
    changes = DETECTION if task == "boxed" else SEGMENTATION
    options = {"batch_size": 2, "epoch": 3, "seed": 7}
    alone, shown = list(data.train(changes, **options)), list(data.validation(changes))
    state = torch.get_rng_state()
    again = list(data.train(changes, **options))
    assert torch.equal(torch.get_rng_state(), state), "nothing is drawn from the caller's"
    data.workers = 2
    try:
        together = list(data.train(changes, **options))
        assert same(list(data.validation(changes)), shown)
    finally:
        data.workers = 0
    assert same(alone, again)
    assert same(alone, together)
    assert not same(alone, list(data.train(changes, **{**options, "epoch": 4})))
    assert not same(alone, list(data.train(changes, **{**options, "seed": 8})))


def test_order_and_changes_are_those_of_the_epoch(boxed: DetectionData) -> None:
    orders = [training_batches(20, 4, epoch=epoch, seed=0) for epoch in (1, 2)]
    assert orders[0] != orders[1]
    seen: list[dict[int, bytes]] = []
    for epoch in range(1, 5):
        batches = boxed.train(DETECTION, batch_size=1, epoch=epoch, seed=0)
        seen.append({ts[0]["image_id"]: images[0].numpy().tobytes() for images, ts in batches})
    assert all(len({shown[item] for shown in seen}) > 1 for item in range(len(TRAIN)))


def test_processes_share_every_batch(masked: SegmentationData) -> None:
    options = {"batch_size": 4, "epoch": 1, "seed": 0}
    (images, _), *_ = masked.train(SEGMENTATION, **options)
    shares = [
        next(iter(masked.train(SEGMENTATION, share=Share(rank, 2), **options)))[0]
        for rank in range(2)
    ]
    found = {each.numpy().tobytes() for share in shares for each in share}
    assert found == {each.numpy().tobytes() for each in images}
    every = [len(list(masked.validation(SEGMENTATION, share=Share(r, 2)))) for r in range(2)]
    assert sum(every) == masked.validation_images
    with pytest.raises(ValueError, match="3 images a batch cannot be shared by 2 processes"):
        next(iter(masked.train(SEGMENTATION, **{**options, "batch_size": 3}, share=Share(0, 2))))


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    data = open_data({"folder": coco(tmp_path)}, "detection")
    (tmp_path / "val2017" / "00002.png").unlink()
    with pytest.raises(UnreadableData, match=r"val2017/00002\.png is not a readable image"):
        list(data.validation(DETECTION))


# Batches


@given(
    st.integers(2, 60),
    st.integers(1, 9),
    st.integers(0, 99),
    st.lists(st.integers(0, 2), min_size=60),
)
def test_batches_are_full_and_have_each_picture_once(
    images: int, size: int, seed: int, groups: list[int]
) -> None:
    grouped = np.array(groups[:images])
    batches = training_batches(images, size, epoch=1, seed=seed, groups=grouped)
    size = min(size, images)
    assert [len(batch) for batch in batches] == [size] * (images // size)
    items = [item for batch in batches for item in batch]
    assert len(set(items)) == len(items)
    assert set(items) <= set(range(images))
    mixed = sum(len({groups[item] for item in batch}) > 1 for batch in batches)
    assert mixed <= 2, "no more than the groups have left over"


@given(
    st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=30),
    st.integers(1, 5),
)
def test_batches_of_validation_have_one_size(sizes: list[tuple[int, int]], most: int) -> None:
    batches = batches_of_equal_sizes(np.array(sizes), most)
    assert sorted(item for batch in batches for item in batch) == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) <= most
        assert len({sizes[item] for item in batch}) == 1
    fewest = sum(-(-count // most) for count in Counter(sizes).values())
    assert len(batches) == fewest


def test_shares_are_of_the_same_batches() -> None:
    batches = [[1, 2, 3, 4], [5, 6, 7, 8]]
    parts = [shared_batches(batches, Share(rank, 2)) for rank in range(2)]
    for batch, one, other in zip(batches, *parts, strict=True):
        assert sorted(one + other) == batch


# What is written


@pytest.mark.parametrize(
    ("changes", "values", "said"),
    [
        (DetectionChanges, {"shortest": ()}, "shortest must be sizes of at least 16 pixels"),
        (DetectionChanges, {"shortest": (8,)}, "shortest must be sizes of at least 16 pixels"),
        (DetectionChanges, {"flip": 2.0}, "less than or equal to 1"),
        (SegmentationChanges, {"scale": (2.0, 0.5)}, "scale must be two factors"),
        (SegmentationChanges, {"std": (0.1, 0.0, 0.1)}, "std must be more than 0"),
        (SegmentationChanges, {"crops": 5}, "Extra inputs"),
    ],
)
def test_changes_that_make_no_sense_are_refused(changes: Any, values: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        changes(**values)


def test_values_off_the_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        open_data({"folder": tmp_path, "broken": "ignore", "workers": 1.5, "fold": 1}, "detection")
    fields = [problem.where for problem in refused.value.problems]
    assert sorted(fields) == ["data.broken", "data.fold", "data.workers"]
