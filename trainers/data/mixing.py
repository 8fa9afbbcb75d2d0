"""Random erasing, mixup and CutMix of a batch on its device, by timm."""

import torch
from torch import Tensor
from torch.nn import functional

from space.torchvision_support import prepare_torchvision
from trainers.protocol import Protocol


class BatchMixer:
    """Erases boxes, then mixes pairs. Draws from the global generators, as timm does."""

    def __init__(self, protocol: Protocol, classes: int, device: torch.device | str) -> None:
        prepare_torchvision()
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

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Change a batch.

        Args:
            images: (batch, channels, height, width), changed in place.
            labels: (batch,) int64.

        Returns:
            the images, and the labels or, when pairs are mixed, targets (batch, classes).
        """
        if self._erase is not None:
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
