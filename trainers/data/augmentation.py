"""timm's augmentation: transforms of one image, and random erasing, mixup and CutMix of a batch."""

from collections.abc import Callable

import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional

from trainers.protocol import Augmentation, Protocol
from trainers.timm_support import prepare_timm

Transform = Callable[[Image.Image], Tensor]

_LONGEST_SHARE = 8
"""How many times as long as it is wide a picture may be before its ends are cut off for a test."""


def _middle(image: Image.Image) -> Image.Image:
    """What a centre crop can reach of a very long picture, so that resizing it costs little."""
    longest = _LONGEST_SHARE * min(image.size)
    left, top = ((edge - min(edge, longest)) // 2 for edge in image.size)
    if not left and not top:
        return image
    return image.crop((left, top, image.width - left, image.height - top))


def posterize(image: Image.Image, bits_to_keep: int, **_: object) -> Image.Image:
    """timm's operation, also for the strongest magnitude, which keeps no bit: a black picture.

    Pillow refuses 0 bits now; earlier releases gave that picture.
    """
    if bits_to_keep < 1:
        return image.point([0] * 256 * len(image.getbands()))
    return image if bits_to_keep >= 8 else ImageOps.posterize(image, bits_to_keep)


def train_transform(chosen: Augmentation) -> Transform:
    """timm's training transform: random resized crop, flip, RandAugment or colour jitter."""
    prepare_timm()
    from timm.data import auto_augment
    from timm.data.transforms_factory import create_transform

    auto_augment.NAME_TO_OP.update(
        {name: posterize for name in auto_augment.NAME_TO_OP if name.startswith("Posterize")}
    )

    transform: Transform = create_transform(
        input_size=chosen.image_size,
        is_training=True,
        scale=chosen.crop_scale,
        hflip=chosen.flip,
        color_jitter=chosen.colour_jitter,
        auto_augment=chosen.rand_augment,
        interpolation=chosen.interpolation,
        re_prob=0.0,  # erasing is done on the batch, by BatchMixer
    )
    return transform


def test_transform(chosen: Augmentation) -> Transform:
    """timm's evaluation transform: resize the shorter edge, then the centre crop."""
    prepare_timm()
    from timm.data.transforms_factory import create_transform

    fixed = "bicubic" if chosen.interpolation == "random" else chosen.interpolation
    transform: Transform = create_transform(
        input_size=chosen.image_size, interpolation=fixed, crop_pct=chosen.test_crop
    )
    return lambda image: transform(_middle(image))


class BatchMixer:
    """Erases boxes, then mixes pairs. Draws from the global generators, as timm does."""

    def __init__(self, protocol: Protocol, classes: int, device: torch.device | str) -> None:
        prepare_timm()
        from timm.data.mixup import Mixup
        from timm.data.random_erasing import RandomErasing

        chosen = protocol.augmentation
        self._classes = classes
        self._smoothing = protocol.label_smoothing
        self._erase = (
            RandomErasing(chosen.random_erasing, mode="pixel", device=str(device))
            if chosen.random_erasing
            else None
        )
        self._mix = (
            Mixup(
                mixup_alpha=chosen.mixup,
                cutmix_alpha=chosen.cutmix,
                switch_prob=chosen.mixup_switch,
                label_smoothing=self._smoothing,
                num_classes=classes,
            )
            if chosen.mixes
            else None
        )

    @classmethod
    def of(
        cls, protocol: Protocol, classes: int, device: torch.device | str
    ) -> "BatchMixer | None":
        """A mixer, or None if the protocol has nothing for it to do."""
        chosen = protocol.augmentation
        wanted = chosen.mixes or chosen.random_erasing > 0
        return cls(protocol, classes, device) if wanted else None

    def __call__(
        self, images: Tensor, labels: Tensor, places: Tensor | None = None, batch: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Change a batch, or a share of one, which then is changed as within the whole.

        Args:
            images: (batch, channels, height, width), changed in place.
            labels: (batch,) int64.
            places: (batch,) int64, where the images of a share are in the whole batch; both of a
                pair that is mixed are in it. batch: images of the whole batch.

        Returns:
            the images, and the labels or, when pairs are mixed, targets (batch, classes).
        """
        if self._erase is not None and places is not None and len(places) < batch:
            self._erase_share(images, places.tolist(), batch)
        elif self._erase is not None:
            images = self._erase(images)
        if self._mix is None:
            return images, labels
        if len(images) % 2:
            # timm mixes pairs; the only odd batch is the single one of a tiny data set.
            off = self._smoothing / self._classes
            on = 1.0 - self._smoothing + off
            targets = functional.one_hot(labels, self._classes).float()
            return images, targets * (on - off) + off
        mixed: tuple[Tensor, Tensor] = self._mix(images, labels)
        return mixed

    def _erase_share(self, images: Tensor, places: list[int], batch: int) -> None:
        """Draw for every image of the whole batch, one after the other, and change its own."""
        assert self._erase is not None
        another = torch.empty_like(images[0])
        held = dict(zip(places, images, strict=True))
        for place in range(batch):
            self._erase(held.get(place, another))
