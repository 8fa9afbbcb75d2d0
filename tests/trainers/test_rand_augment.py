"""RandAugment as timm has it, at every magnitude that a policy can come to."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from trainers import Augmentation
from trainers.data.augmentation import posterize, train_transform
from trainers.seeds import seeded


def picture(mode: str = "RGB") -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    return Image.fromarray(noise).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("bits", range(9))
def test_as_many_bits_are_kept_as_asked(bits: int, mode: str) -> None:
    image = picture(mode)
    kept = np.asarray(posterize(image, bits))
    assert np.array_equal(kept, np.asarray(image) & (0xFF << (8 - bits) & 0xFF))
    if 1 <= bits < 8:
        assert np.array_equal(kept, np.asarray(ImageOps.posterize(image, bits)))


@pytest.mark.parametrize("policy", ["rand-m10-inc1", "rand-m10", "rand-m9-mstd0.5-inc1", "rand-m0"])
def test_no_picture_breaks_a_training_at_the_strongest_magnitude(policy: str) -> None:
    transform = train_transform(Augmentation(image_size=32, rand_augment=policy))
    image = picture()
    for seed in range(150):
        with seeded(seed):
            assert transform(image).shape == (3, 32, 32)


def test_the_strongest_posterisation_is_met() -> None:
    from timm.data import auto_augment

    train_transform(Augmentation(image_size=32, rand_augment="rand-m9"))
    strongest = auto_augment.AugmentOp("PosterizeIncreasing", prob=1.0, magnitude=10)
    assert not np.asarray(strongest(picture())).any()
