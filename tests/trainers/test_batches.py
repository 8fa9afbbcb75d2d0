"""Batches of resident images: augmentation on the device, order, sizes, mixing."""

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.trainers.proofs import proves
from tests.trainers.tiny import short_protocol, small_data
from trainers.data.in_memory import InMemoryImages
from trainers.data.kinds.fashion_mnist import LabelledImages
from trainers.data.search_data import samples_of_epoch


def pixels(count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (count, 28, 28), dtype=np.uint8)


def resident(images: np.ndarray, padding: int) -> InMemoryImages:
    labelled = LabelledImages(images, np.zeros(6, np.uint8), mean=0.0, std=1 / 255)
    return InMemoryImages(labelled, "cpu", padding)


def test_crop_and_mirror_are_those_of_numpy() -> None:
    images = pixels()
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    order = torch.tensor([5, 0, 3])
    top, left = torch.tensor([0, 4, 2]), torch.tensor([1, 0, 2])
    mirror = torch.tensor([False, True, True])
    found = resident(images, padding=2).batch(order, top, left, mirror)
    for row, image in enumerate(order):
        crop = padded[image, top[row] : top[row] + 28, left[row] : left[row] + 28]
        expected = crop[:, ::-1] if mirror[row] else crop
        assert np.allclose(found[row, 0].numpy(), expected, atol=1e-4)


def test_whole_images_ignore_the_padding() -> None:
    images = pixels()
    whole = resident(images, padding=3).whole(0, 6)
    assert np.allclose(whole[:, 0].numpy(), images, atol=1e-4)


def test_batches_are_normalised_and_channels_last() -> None:
    data = small_data(short_protocol())
    images, labels = next(data.train_batches(1, 0))
    assert images.shape == (64, 1, 28, 28)
    assert images.dtype == torch.float32
    assert images.stride(1) == 1
    assert abs(float(images.mean())) < 0.3
    assert labels.dtype == torch.int64


def test_an_epoch_visits_every_image_once_and_drops_the_rest() -> None:
    data = small_data(short_protocol(augmentation={"flip": 0}), limit_train=150)
    assert (data.steps_per_epoch, data.train_images_per_epoch) == (2, 128)
    batches = [images for images, _ in data.train_batches(1, 0)]
    assert [len(images) for images in batches] == [64, 64]
    assert len({image.numpy().tobytes() for image in torch.cat(batches)}) == 128


def test_a_single_incomplete_batch_is_kept() -> None:
    data = small_data(short_protocol(), limit_train=5)
    assert [len(images) for images, _ in data.train_batches(1, 0)] == [5]


def test_epoch_and_seed_decide_the_batches_and_nothing_else_does() -> None:
    augmentation = {"crop_padding": 2, "mixup": 0.4, "cutmix": 1.0, "random_erasing": 0.5}
    data = small_data(short_protocol(augmentation=augmentation))

    def first(epoch: int, seed: int) -> torch.Tensor:
        torch.rand(epoch)  # a disturbance of the global generator
        return next(data.train_batches(epoch, seed))[0]

    assert torch.equal(first(2, 7), first(2, 7))
    assert not torch.equal(first(2, 7), first(3, 7))
    assert not torch.equal(first(2, 7), first(2, 8))


def test_batches_are_those_of_every_release() -> None:
    """A trial that is taken up again must go on with the batches that it would have seen."""
    mixing = {"crop_padding": 2, "mixup": 0.4, "random_erasing": 0.0}
    plain, mixed = (
        small_data(short_protocol(augmentation=chosen)) for chosen in ({"crop_padding": 2}, mixing)
    )
    images, labels = next(plain.train_batches(2, 7))
    levels = ((images * 0.3530 + 0.2860) * 255).round().to(torch.uint8)
    assert labels[:12].tolist() == [7, 1, 0, 8, 3, 1, 9, 1, 8, 2, 8, 7]
    assert hashlib.sha256(levels.contiguous().numpy().tobytes()).hexdigest()[:8] == "daa6800e"
    targets = next(mixed.train_batches(2, 7))[1]
    assert targets.amax(1)[:6].tolist() == pytest.approx([0.7993] * 6, abs=1e-4)
    assert samples_of_epoch(7, 5, 2, 3).tolist() == [6, 0, 1, 6, 2]


def test_batches_leave_the_global_generators_alone() -> None:
    data = small_data(short_protocol(augmentation={"mixup": 0.4}))
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    list(data.train_batches(1, 0))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("limit", [64, 5])
def test_mixed_targets_are_distributions(limit: int) -> None:
    data = small_data(short_protocol(augmentation={"mixup": 0.4}), limit_train=limit)
    _, targets = next(data.train_batches(1, 0))
    assert targets.shape == (limit, 10)
    assert torch.allclose(targets.sum(1), torch.ones(limit))
    assert float(targets.min()) >= 0.1 / 10 - 1e-6


def test_validation_is_always_the_same_and_whole() -> None:
    data = small_data(short_protocol(), limit_validation=100)
    once, twice = (list(data.validation_batches()) for _ in range(2))
    assert sum(len(labels) for _, labels in once) == 100
    assert all(torch.equal(a[0], b[0]) for a, b in zip(once, twice, strict=True))


@proves("samples_per_epoch")
@given(images=st.integers(1, 30), samples=st.integers(1, 70), epochs=st.integers(1, 9))
def test_every_image_is_seen_as_often_as_any_other(images: int, samples: int, epochs: int) -> None:
    rows = [samples_of_epoch(images, samples, epoch, 3) for epoch in range(1, epochs + 1)]
    assert all(len(row) == samples for row in rows)
    seen = torch.cat(rows)
    for start in range(0, len(seen), images):
        part = seen[start : start + images].tolist()
        assert len(set(part)) == len(part)
    assert set(seen.tolist()) <= set(range(images))


def test_passes_and_seeds_have_orders_of_their_own() -> None:
    rows = [samples_of_epoch(50, 50, epoch, seed) for epoch in (1, 2) for seed in (0, 1)]
    assert len({tuple(row.tolist()) for row in rows}) == 4
    assert torch.equal(rows[0], samples_of_epoch(50, 50, 1, 0))


def test_epochs_of_fewer_samples_go_on_where_the_last_ended() -> None:
    protocol = short_protocol(batch_size=25, samples_per_epoch=50, augmentation={"flip": 0})
    data = small_data(protocol, limit_train=100)
    assert (data.steps_per_epoch, data.train_images_per_epoch) == (2, 50)

    def epoch(number: int) -> set[bytes]:
        batches = [images for images, _ in data.train_batches(number, 0)]
        return {image.numpy().tobytes() for image in torch.cat(batches)}

    assert len(epoch(1) | epoch(2)) == 100
    assert len(epoch(3) - epoch(1)) > 5  # the second pass has an order of its own


def test_an_epoch_of_more_samples_repeats_images() -> None:
    data = small_data(short_protocol(batch_size=30, samples_per_epoch=90), limit_train=45)
    assert [len(images) for images, _ in data.train_batches(1, 0)] == [30, 30, 30]
