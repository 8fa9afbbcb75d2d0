"""Batches of resident images: augmentation on the device, order, sizes, mixing."""

import numpy as np
import pytest
import torch

from tests.trainers.tiny import short_protocol, small_data
from trainers.data.resident import ResidentImages


def pixels(count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (count, 28, 28), dtype=np.uint8)


def test_crop_and_mirror_are_those_of_numpy() -> None:
    images = pixels()
    resident = ResidentImages(images, np.zeros(6, np.uint8), 0.0, 1 / 255, "cpu", padding=2)
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2)))
    order = torch.tensor([5, 0, 3])
    top, left = torch.tensor([0, 4, 2]), torch.tensor([1, 0, 2])
    mirror = torch.tensor([False, True, True])
    found = resident.batch(order, top, left, mirror)
    for row, image in enumerate(order):
        crop = padded[image, top[row] : top[row] + 28, left[row] : left[row] + 28]
        expected = crop[:, ::-1] if mirror[row] else crop
        assert np.allclose(found[row, 0].numpy(), expected, atol=1e-4)


def test_whole_images_ignore_the_padding() -> None:
    images = pixels()
    resident = ResidentImages(images, np.zeros(6, np.uint8), 0.0, 1 / 255, "cpu", padding=3)
    assert np.allclose(resident.whole(0, 6)[:, 0].numpy(), images, atol=1e-4)


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
