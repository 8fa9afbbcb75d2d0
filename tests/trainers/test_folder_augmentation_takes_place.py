"""What is done to the images of a folder, read off images whose pixels say where they were."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from space.torchvision_support import prepare_torchvision
from tests.trainers.proofs import proves
from trainers import Protocol, open_data
from trainers.data.augmentation import Transform, train_transform
from trainers.data.augmentation import test_transform as evaluation_transform
from trainers.protocol import Augmentation
from trainers.seeds import seeded

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]  # of ImageNet, red first
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
STILL: dict[str, Any] = {"flip": 0.0, "crop_scale": (1.0, 1.0), "image_size": 32}
"""The whole image, only scaled."""


def noise(edge: int = 48, seed: int = 0) -> Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (edge, edge, 3))
    return Image.fromarray(pixels.astype(np.uint8))


def drawn(transform: Transform, image: Image.Image, seed: int = 0) -> Tensor:
    """What the transform gives in 0 to 1, with the normalisation taken back by hand."""
    with seeded(seed):
        return transform(image.copy()) * STD + MEAN


def plain(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255


def of_training(**augmentation: Any) -> Transform:
    return train_transform(Augmentation(**STILL | augmentation))


def of_testing(**augmentation: Any) -> Transform:
    return evaluation_transform(Augmentation(**STILL | augmentation))


RESIZED = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@proves("augmentation.interpolation")
@pytest.mark.parametrize("interpolation", RESIZED)
@pytest.mark.parametrize("make", [of_training, of_testing])
def test_the_resize_is_the_one_of_its_name(
    make: Callable[..., Transform], interpolation: str
) -> None:
    image = noise()
    found = drawn(make(interpolation=interpolation, test_crop=1.0), image)
    for name, method in RESIZED.items():
        same = torch.allclose(found, plain(image.resize((32, 32), method)), atol=2e-3)
        assert same is (name == interpolation)


@proves("augmentation.interpolation")
def test_a_random_resize_is_one_or_the_other_in_training_and_bicubic_in_testing() -> None:
    image = noise()
    either = [plain(image.resize((32, 32), method)) for method in RESIZED.values()]
    transform = of_training(interpolation="random")
    found = [drawn(transform, image, seed) for seed in range(12)]
    kinds = [[torch.allclose(one, each, atol=2e-3) for each in either] for one in found]
    assert {tuple(kind) for kind in kinds} == {(True, False), (False, True)}
    tested = drawn(of_testing(interpolation="random", test_crop=1.0), image)
    assert torch.allclose(tested, either[0], atol=2e-3)


@proves("augmentation.image_size")
@pytest.mark.parametrize("size", [16, 40])
@pytest.mark.parametrize("make", [of_training, of_testing])
def test_the_network_gets_squares_of_that_size(make: Callable[..., Transform], size: int) -> None:
    assert drawn(make(image_size=size), noise()).shape == (3, size, size)


def ramp(width: int = 240, height: int = 160) -> Image.Image:
    """Red tells the column, green the row."""
    across = np.linspace(0, 255, width).astype(np.uint8)[None, :].repeat(height, 0)
    down = np.linspace(0, 255, height).astype(np.uint8)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([across, down, across * 0], 2))


def span(found: Tensor) -> tuple[float, float]:
    """The share of the width and of the height that a crop of the ramp has."""
    size = found.shape[-1]
    across, down = found[0].mean(0), found[1].mean(1)
    scale = size / (size - 1)  # from the middle of the first pixel to the middle of the last
    return (
        abs(float(across[-1] - across[0])) * scale,
        abs(float(down[-1] - down[0])) * scale,
    )


@proves("augmentation.crop_scale")
@pytest.mark.parametrize("scale", [(0.08, 1.0), (0.1, 0.15), (0.5, 0.6)])
def test_crops_have_a_share_of_the_area_within_the_scale(scale: tuple[float, float]) -> None:
    transform = of_training(crop_scale=scale)
    spans = [span(drawn(transform, ramp(), seed)) for seed in range(60)]
    areas = np.array([wide * high for wide, high in spans])
    low, high = scale
    assert low - 0.02 < areas.min() < low + 0.3 * (high - low)
    assert high - 0.5 * (high - low) < areas.max() < high + 0.02
    shapes = np.array([wide * 240 / (high * 160) for wide, high in spans])
    assert 0.7 < shapes.min() < 0.85 < 1.15 < shapes.max() < 1.42  # timm's 3:4 to 4:3


def test_crops_lie_at_rows_and_columns_of_their_own() -> None:
    transform = of_training(crop_scale=(0.2, 0.3))
    corners = [
        (float(one[0].min()), float(one[1].min()))
        for one in (drawn(transform, ramp(), seed) for seed in range(60))
    ]
    across, down = np.array(corners).T
    assert across.std() > 0.08
    assert down.std() > 0.08
    assert abs(np.corrcoef(across, down)[0, 1]) < 0.5


@proves("augmentation.test_crop")
@pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
def test_the_centre_of_the_resized_image_is_tested(share: float) -> None:
    """The shorter edge becomes image_size / share, and the middle of it is taken."""
    found = drawn(of_testing(test_crop=share), ramp())
    wide, high = span(found)
    assert high == pytest.approx(share, abs=0.03)
    assert wide == pytest.approx(share * 160 / 240, abs=0.03)
    assert float(found[0].mean()) == pytest.approx(0.5, abs=0.02)
    assert float(found[1].mean()) == pytest.approx(0.5, abs=0.02)


@proves("augmentation.flip")
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_images_of_a_folder_are_mirrored_too(share: float) -> None:
    transform = of_training(flip=share)
    found = [drawn(transform, ramp(64, 64), seed) for seed in range(60)]
    mirrored = [bool(one[0, 0, 0] > one[0, 0, -1]) for one in found]
    assert abs(np.mean(mirrored) - share) <= 4 * (share * (1 - share) / 60) ** 0.5
    assert all(one[1, 0, 0] < one[1, -1, 0] for one in found)  # never upside down


def by_timm(**options: Any) -> Transform:
    prepare_torchvision()
    from timm.data.transforms_factory import create_transform

    still = {"scale": (1.0, 1.0), "hflip": 0.0, "interpolation": "bicubic"}
    transform: Transform = create_transform(input_size=32, is_training=True, **still | options)
    return transform


@proves("augmentation.colour_jitter", "augmentation.rand_augment")
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"colour_jitter": 0.4}, {"color_jitter": 0.4}),
        ({"colour_jitter": 0.1}, {"color_jitter": 0.1}),
        ({}, {"color_jitter": 0.0}),
        ({"rand_augment": "rand-m9-mstd0.5-inc1"}, {"auto_augment": "rand-m9-mstd0.5-inc1"}),
        ({"rand_augment": "rand-m3-n1"}, {"auto_augment": "rand-m3-n1"}),
    ],
    ids=str,
)
def test_colours_are_changed_as_timm_does(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    transform, expected = of_training(**ours), by_timm(**theirs)
    still, image = of_training(), noise()
    changed = 0
    for seed in range(8):
        found = drawn(transform, image, seed)
        assert torch.equal(found, drawn(expected, image, seed))
        changed += not torch.equal(found, drawn(still, image, seed))
    assert changed >= (3 if ours else 0)
    assert changed == 0 or ours


@proves("augmentation.colour_jitter")
def test_colour_jitter_stays_within_its_strength() -> None:
    """Brightness, contrast and saturation of one grey are one factor of brightness."""
    grey = Image.new("RGB", (32, 32), (100, 100, 100))
    for strength in (0.1, 0.4):
        transform = of_training(colour_jitter=strength)
        factors = np.array(
            [float(drawn(transform, grey, seed).mean()) * 2.55 for seed in range(40)]
        )
        assert 1 - strength - 0.02 < factors.min() < 1 - strength / 2
        assert 1 + strength / 2 < factors.max() < 1 + strength + 0.02


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of twelve squares of noise, of the size that the network takes."""
    root = tmp_path_factory.mktemp("squares")
    for part in ("train", "val"):
        for number in range(24):
            folder = root / part / ("even", "odd")[number % 2]
            folder.mkdir(parents=True, exist_ok=True)
            noise(32, number).save(folder / f"{number:02}.png")
    return root


def folder_epoch(root: Path, epoch: int, **augmentation: Any) -> tuple[Tensor, Tensor]:
    """Images in 0 to 1 and labels of an epoch over 16 training images."""
    written = {
        "data": "image-folder",
        "batch_size": 4,
        "validation_fraction": 1 / 3,
        "augmentation": STILL | {"test_crop": 1.0} | augmentation,
    }
    data = open_data({"name": "image-folder", "folder": str(root)}, Protocol.from_dict(written))
    batches = list(data.train_batches(epoch, 5) if epoch else data.validation_batches())
    images, labels = map(torch.cat, zip(*batches, strict=True))
    return images * STD + MEAN, labels


def numbers_of(images: Tensor) -> list[tuple[int, bool]]:
    """Of every image its number, and whether it is mirrored."""
    straight = {(number, False): plain(noise(32, number)) for number in range(24)}
    known = straight | {(number, True): one.flip(-1) for (number, _), one in straight.items()}
    found = []
    for image in images:
        (which,) = [key for key, each in known.items() if torch.allclose(image, each, atol=2e-3)]
        found.append(which)
    return found


def test_the_images_of_a_folder_are_normalised_in_an_order_of_every_epoch(squares: Path) -> None:
    orders = []
    for epoch in (1, 2):
        images, labels = folder_epoch(squares, epoch)
        found = numbers_of(images)
        assert [number % 2 for number, _ in found] == labels.tolist()
        assert not any(mirrored for _, mirrored in found)
        orders.append([number for number, _ in found])
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1])
    validation, _ = folder_epoch(squares, 0)
    held_out = {number for number, _ in numbers_of(validation)}
    assert held_out == set(range(24)) - set(orders[0])


def test_every_image_of_a_folder_is_augmented_anew_in_every_epoch(squares: Path) -> None:
    mirrored = []
    for epoch in (1, 2):
        found = numbers_of(folder_epoch(squares, epoch, flip=0.5)[0])
        mirrored.append({number for number, flag in found if flag})
        assert 0 < len(mirrored[-1]) < 16
    assert mirrored[0] != mirrored[1]
    assert not any(flag for _, flag in numbers_of(folder_epoch(squares, 0, flip=1.0)[0]))
