"""Augmentation of resident images and of batches: what was done is read off the images."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from tests.trainers.proofs import proves
from tests.trainers.tiny import short_protocol, small_data
from trainers import SearchData
from trainers.data.augmentation import BatchMixer
from trainers.data.data_config import DataConfig
from trainers.data.kinds.fashion_mnist import MEAN, STD, load_part
from trainers.seeds import seeded

IMAGES = 192
PLAIN: dict[str, Any] = {"flip": 0.0}


def data_with(**augmentation: Any) -> SearchData:
    return small_data(short_protocol(augmentation=PLAIN | augmentation))


def epoch_of(data: SearchData, epoch: int = 1, seed: int = 5) -> tuple[Tensor, Tensor]:
    """All images and labels of an epoch, one behind the other."""
    images, labels = zip(*data.train_batches(epoch, seed), strict=True)
    return torch.cat(images), torch.cat(labels)


def originals() -> Tensor:
    """The training images as they are, normalised by hand from the files."""
    part, split = load_part(DataConfig(), "train"), data_with()._train  # type: ignore[attr-defined]
    assert len(part.images) > len(split.images) == IMAGES
    pixels = torch.from_numpy(np.array(split.images)).float().reshape(-1, 1, 28, 28)
    return (pixels / 255 - 0.2860) / 0.3530


def versions(image: Tensor, padding: int) -> Tensor:
    """(2, 2·padding + 1, 2·padding + 1, …): mirrored or not, by rows and columns moved."""
    black = (0 - 0.2860) / 0.3530
    padded = functional.pad(image, (padding,) * 4, value=black)
    edge, height = 2 * padding + 1, image.shape[1]
    crops = [
        padded[:, top : top + height, left : left + height]
        for top in range(edge)
        for left in range(edge)
    ]
    straight = torch.stack(crops).unflatten(0, (edge, edge))
    return torch.stack([straight, straight.flip(-1)])


def what_was_done(found: Tensor, padding: int) -> list[tuple[int, int, int, int]]:
    """Of every image: which it is, whether mirrored, and the corner of its crop."""
    known = torch.stack([versions(image, padding) for image in originals()])
    places = known.shape[:4]
    flat = known.flatten(4).flatten(0, 3)
    exact = "donot_use_mm_for_euclid_dist"
    distances, nearest = torch.cdist(found.flatten(1), flat, compute_mode=exact).min(1)
    assert float(distances.max()) < 1e-3
    return [tuple(map(int, np.unravel_index(int(n), places))) for n in nearest]  # type: ignore[misc]


def test_the_images_are_normalised_by_their_own_mean_and_spread() -> None:
    pixels = load_part(DataConfig(), "train").images / 255.0
    assert pytest.approx(float(pixels.mean()), abs=0.005) == MEAN
    assert pytest.approx(float(pixels.std()), abs=0.005) == STD
    validation = torch.cat([images for images, _ in data_with().validation_batches()])
    assert float(validation.min()) == pytest.approx((0 - 0.2860) / 0.3530, abs=1e-3)
    assert float(validation.max()) == pytest.approx((1 - 0.2860) / 0.3530, abs=1e-3)


@proves("augmentation.crop_padding")
@pytest.mark.parametrize("padding", [0, 1])
def test_crops_lie_anywhere_within_the_padding(padding: int) -> None:
    """Rows and columns are drawn apart from each other, anew in every epoch."""
    data = data_with(crop_padding=padding)
    epochs = [what_was_done(epoch_of(data, epoch)[0], padding) for epoch in (1, 2)]
    for done in epochs:
        assert sorted(image for image, *_ in done) == list(range(IMAGES))
        assert not any(mirrored for _, mirrored, *_ in done)
        corners = {(top, left) for *_, top, left in done}
        edges = range(2 * padding + 1)
        assert corners == {(top, left) for top in edges for left in edges}
    moved = [{image: corner for image, _, *corner in done} for done in epochs]
    same = sum(moved[0][image] == moved[1][image] for image in range(IMAGES))
    assert (same == IMAGES) if padding == 0 else same < IMAGES / 4


@proves("augmentation.flip")
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_that_share_of_the_images_is_mirrored(share: float) -> None:
    data = data_with(flip=share)
    epochs = [what_was_done(epoch_of(data, epoch)[0], 0) for epoch in (1, 2)]
    mirrored = [{image for image, flag, *_ in done if flag} for done in epochs]
    spread = 4 * (share * (1 - share) / IMAGES) ** 0.5
    for each in mirrored:
        assert abs(len(each) / IMAGES - share) <= spread
    assert (mirrored[0] != mirrored[1]) is (0 < share < 1)


def test_every_epoch_has_an_order_of_its_own_and_the_labels_go_with_the_images() -> None:
    data = data_with()
    labels = torch.from_numpy(np.array(data._train.labels, np.int64))  # type: ignore[attr-defined]
    orders = []
    for epoch in (1, 2):
        images, given = epoch_of(data, epoch)
        order = [image for image, *_ in what_was_done(images, 0)]
        assert torch.equal(labels[order], given)
        orders.append(order)
    assert orders[0] != orders[1]
    assert list(range(IMAGES)) not in orders


# --- erasing -----------------------------------------------------------------------------------


@proves("augmentation.random_erasing")
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_a_box_of_that_share_of_the_images_is_noise(share: float) -> None:
    plain, _ = epoch_of(data_with())
    erased, _ = epoch_of(data_with(random_erasing=share))
    changed = (plain != erased).squeeze(1)
    touched = changed.flatten(1).any(1)
    spread = 4 * (share * (1 - share) / IMAGES) ** 0.5
    # A box that would not fit after ten draws is left out by timm: one in hundreds.
    assert share - spread - 0.02 <= float(touched.float().mean()) <= share + spread
    for mask, image in zip(changed[touched], erased[touched], strict=True):
        rows, columns = mask.any(1), mask.any(0)
        box = rows[:, None] & columns[None, :]
        assert float((mask == box).float().mean()) > 0.99  # noise may equal what was there
        assert 0.01 < float(box.float().mean()) < 0.36
        assert float(image[0][box].std()) > 0.5  # a colour of its own for every pixel


# --- mixing ------------------------------------------------------------------------------------


def mixed(seed: int, smoothing: float = 0.0, **augmentation: Any) -> tuple[Tensor, ...]:
    """A batch, what it was, and its targets: labels 0 to 9 again and again."""
    protocol = short_protocol(label_smoothing=smoothing, augmentation=PLAIN | augmentation)
    mixer = BatchMixer.of(protocol, 10, "cpu")
    assert mixer is not None
    with seeded(seed):
        before = torch.randn(40, 1, 12, 12)
        labels = torch.arange(40) % 10
        images, targets = mixer(before.clone(), labels)
    return before, images, labels, targets


def share_of_targets(labels: Tensor, targets: Tensor, smoothing: float) -> float:
    """The share of an image's own label; the other belongs to its partner."""

    def smooth(these: Tensor) -> Tensor:
        return functional.one_hot(these, 10) * (1 - smoothing) + smoothing / 10

    own, partner = smooth(labels), smooth(labels.flip(0))
    share = float(((targets - partner) * (own - partner)).sum() / ((own - partner) ** 2).sum())
    assert torch.allclose(targets, share * own + (1 - share) * partner, atol=1e-5)
    return share


def share_of_mixup(before: Tensor, images: Tensor) -> float | None:
    """λ where the images are λ times their own and 1−λ times their partner's."""
    own, partner = before, before.flip(0)
    share = float(((images - partner) * (own - partner)).sum() / ((own - partner) ** 2).sum())
    whole = share * own + (1 - share) * partner
    return share if torch.allclose(images, whole, atol=1e-4) else None


def share_of_cutmix(before: Tensor, images: Tensor) -> float | None:
    """The share of its own pixels, where the others are a box of its partner's."""
    foreign = (images != before).any(0).any(0)
    box = foreign.any(1)[:, None] & foreign.any(0)[None, :]
    if not torch.equal(images, torch.where(box, before.flip(0), before)):
        return None
    return 1 - float(box.float().mean())


SEEDS_OF_BATCHES = range(60)


@proves("augmentation.mixup")
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_mixup_adds_a_partner_and_its_label_by_the_same_share(smoothing: float) -> None:
    shares = {0.1: [], 8.0: []}  # type: dict[float, list[float]]
    for alpha, found in shares.items():
        for seed in SEEDS_OF_BATCHES:
            before, images, labels, targets = mixed(seed, smoothing, mixup=alpha)
            share = share_of_mixup(before, images)
            assert share == pytest.approx(share_of_targets(labels, targets, smoothing), abs=1e-4)
            found.append(share or 0.0)
    # The variance of Beta(α, α) is 1 / (4 (2α + 1)).
    assert np.var(shares[0.1]) == pytest.approx(1 / 4.8, rel=0.3)
    assert np.var(shares[8.0]) == pytest.approx(1 / 68, rel=0.5)


@proves("augmentation.cutmix")
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cutmix_pastes_a_box_of_a_partner_and_its_label_by_the_area(smoothing: float) -> None:
    shares = []
    for seed in SEEDS_OF_BATCHES:
        before, images, labels, targets = mixed(seed, smoothing, cutmix=1.0)
        share = share_of_cutmix(before, images)
        assert share == pytest.approx(share_of_targets(labels, targets, smoothing), abs=1e-5)
        shares.append(share)
    assert len(set(shares)) > 20


@proves("augmentation.mixup_switch", "augmentation.mixup", "augmentation.cutmix")
@pytest.mark.parametrize("switch", [0.0, 0.2, 1.0])
def test_that_share_of_the_batches_is_cut_where_both_are_on(switch: float) -> None:
    cut = 0
    for seed in SEEDS_OF_BATCHES:
        before, images, *_ = mixed(seed, mixup=0.8, cutmix=0.8, mixup_switch=switch)
        is_mixed = share_of_mixup(before, images) is not None
        is_cut = share_of_cutmix(before, images) is not None
        assert is_mixed or is_cut
        cut += not is_mixed
    count = len(SEEDS_OF_BATCHES)
    # A box may be empty, which is no cut to be seen.
    spread = 4 * (switch * (1 - switch) / count) ** 0.5 + 0.1
    assert abs(cut / count - switch) <= spread


@pytest.mark.parametrize("augmentation", [{"mixup": 0.8}, {"cutmix": 0.8}])
def test_every_batch_of_every_epoch_is_mixed_by_a_share_of_its_own(
    augmentation: dict[str, float],
) -> None:
    data = small_data(
        short_protocol(batch_size=16, label_smoothing=0.0, augmentation=PLAIN | augmentation)
    )
    shares = []
    for epoch in (1, 2):
        for _, targets in data.train_batches(epoch, 5):
            ones = targets.amax(1) < 0.999  # whose partner has another label
            shares.append(round(float(targets[ones].max()), 4) if ones.any() else 1.0)
    assert len(shares) == 24
    assert len(set(shares)) > 16  # few boxes have the same area, or are empty


def test_nothing_is_done_that_was_not_asked_for() -> None:
    assert BatchMixer.of(short_protocol(augmentation=PLAIN), 10, "cpu") is None
    images, labels = epoch_of(data_with())
    assert labels.dtype == torch.int64
    assert sorted(image for image, *_ in what_was_done(images, 0)) == list(range(IMAGES))
