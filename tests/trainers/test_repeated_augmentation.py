"""Repeated augmentation, with timm's sampler as the oracle."""

from itertools import chain
from pathlib import Path

import pytest
import torch
from torch import Tensor

from space.torchvision_support import prepare_torchvision
from tests.trainers.proofs import proves
from tests.trainers.tiny import image_folder, short_protocol, small_data
from trainers import SearchData, open_data
from trainers.data.share import Share

STILL = {"flip": 0.0}


def in_memory(**changes: object) -> SearchData:
    augmentation = changes.pop("augmentation", {})
    assert isinstance(augmentation, dict)
    protocol = short_protocol(augmentation=STILL | augmentation, **changes)
    return small_data(protocol, limit_train=80)


def of_folder(root: Path, **changes: object) -> SearchData:
    augmentation = {"image_size": 16, "repeats": 3}
    values = {"data": "image-folder", "batch_size": 6, "augmentation": augmentation} | changes
    return open_data({"name": "image-folder", "folder": str(root)}, short_protocol(**values))


def keys(batches: list[tuple[Tensor, Tensor]]) -> list[bytes]:
    """Of every image, one behind the other: its pixels."""
    return [image.contiguous().numpy().tobytes() for images, _ in batches for image in images]


@proves("augmentation.repeats")
@pytest.mark.parametrize(("repeats", "size"), [(3, 1), (3, 2), (2, 4)])
def test_the_order_is_that_of_timm(repeats: int, size: int) -> None:
    """Of an epoch of the same permutation, by process: each gets other copies of an image."""
    prepare_torchvision()
    from timm.data.distributed_sampler import RepeatAugSampler

    changes = {"batch_size": 20, "augmentation": {"repeats": repeats}}
    # The images of an epoch without repeats, in its order, are the data set of timm's sampler.
    known = keys(list(in_memory(batch_size=20).train_batches(1, 7)))
    assert len(set(known)) == 80  # the test tells every image from every other
    for rank in range(size):
        sampler = RepeatAugSampler(
            range(80), size, rank, shuffle=False, num_repeats=repeats, selected_round=0
        )
        expected = [known[item] for item in sampler]
        found = keys(list(in_memory(**changes).train_batches(1, 7, share=Strided(rank, size))))
        assert found == expected[: len(found)]
        assert len(found) == 80 // size


class Strided(Share):
    """Deals a batch out as timm does, one image after the other; ours deals pairs of both ends."""

    def places(self, batch: int, parts: int = 1) -> Tensor:
        return torch.arange(batch)[self.rank :: self.size]


@proves("augmentation.repeats")
def test_copies_are_changed_each_in_its_own_way() -> None:
    data = in_memory(batch_size=20, augmentation={"repeats": 3, "crop_padding": 4})
    (images, labels), *_ = data.train_batches(1, 7)
    assert labels[0] == labels[1] == labels[2]
    assert len({image.numpy().tobytes() for image in images}) > 15


@proves("augmentation.repeats")
def test_copies_of_a_folder_are_changed_each_in_its_own_way(tmp_path: Path) -> None:
    data = of_folder(image_folder(tmp_path))
    batches = list(data.train_batches(1, 7))
    for _, labels in batches:
        assert labels[0] == labels[1] == labels[2]
        assert labels[3] == labels[4] == labels[5]
    assert len(set(keys(batches))) == sum(len(images) for images, _ in batches)
    again = list(data.train_batches(1, 7))
    assert keys(again) == keys(batches)
    shares = [keys(list(data.train_batches(1, 7, share=Share(rank, 3)))) for rank in range(3)]
    assert sorted(chain.from_iterable(shares)) == sorted(keys(batches))


def test_with_samples_per_epoch_every_image_has_its_turn() -> None:
    """Two passes over 80 images in epochs of 40 samples, which have 20 images twice."""
    changes = {"batch_size": 20, "samples_per_epoch": 40, "epochs": 8}
    data = in_memory(**changes, augmentation={"repeats": 2})
    found = [keys(list(data.train_batches(epoch, 7))) for epoch in range(1, 9)]
    assert all(len(epoch) == 40 and len(set(epoch)) == 20 for epoch in found)
    for four in (found[:4], found[4:]):
        assert len(set(chain.from_iterable(four))) == 80
