"""UPerNet over any backbone, with the decoder of segmentation-models-pytorch.

T. Xiao and others, "Unified Perceptual Parsing for Scene Understanding", 2018.
"""

from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.errors import InputError
from space.operators.layers import padded_to_multiple
from space.torchvision_support import prepare_torchvision
from trainers.transfer.backbone import Backbone
from trainers.transfer.recipe import SegmentationRecipe

LEAST_STAGES = 2
"""Scales without which a pyramid is none."""
IGNORED = 255
"""What pixels are called that count for nothing."""


class Segmenter(nn.Module):
    """Images to a class for each pixel.

    Args:
        backbone: whose maps are read; without norms of its own, as the decoder has them.
        recipe: of the model.
        classes: number of them.
        mean, std: by which the backbone's pictures were normalised, three each, as shares of white.

    Raises:
        InputError: fewer than two stages, or the decoder's library is not installed.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: Backbone,
        recipe: SegmentationRecipe,
        classes: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
    ) -> None:
        super().__init__()
        refuse_segmentation(len(backbone.widths))
        self.backbone = backbone
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)
        # Of the first two maps, whole and halved, the decoder asks nothing.
        self.decoder: nn.Module = upernet_decoder()(
            encoder_channels=(0, 0, *backbone.widths),
            encoder_depth=len(backbone.widths) + 1,
            decoder_channels=recipe.decoder_channels,
        )
        self.classify = _classifier(recipe.decoder_channels, classes, recipe.dropout)
        self.auxiliary_weight = recipe.auxiliary_weight
        self.auxiliary = _auxiliary(backbone, recipe, classes)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, height, width), 0 to 1, to logits (B, classes, height, width) in float32."""
        return self._all_logits(images)[0]

    def losses(self, images: Tensor, masks: Tensor) -> dict[str, Tensor]:
        """Mean cross entropy over the pixels that count, of both heads.

        Args:
            images: (B, 3, height, width), 0 to 1. masks: (B, height, width) of classes, 255 where
                a pixel counts for nothing.
        """
        logits, auxiliary = self._all_logits(images, with_auxiliary=True)
        found = {"loss_segmentation": _cross_entropy(logits, masks)}
        if auxiliary is not None:
            found["loss_auxiliary"] = self.auxiliary_weight * _cross_entropy(auxiliary, masks)
        return found

    def _all_logits(
        self, images: Tensor, with_auxiliary: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        size = images.shape[2:]
        x = padded_to_multiple((images - self.mean) / self.std, self.backbone.strides[-1])
        maps = list(self.backbone(x).values())
        logits = self.classify(self.decoder([x, x, *maps]))
        auxiliary = None
        if with_auxiliary and self.auxiliary is not None:
            auxiliary = _enlarged(self.auxiliary(maps[-2]), x, size)
        return _enlarged(logits, x, size), auxiliary

    def no_weight_decay(self) -> set[str]:
        """What the backbone leaves out of weight decay, under the names here."""
        return {f"backbone.{name}" for name in self.backbone.no_weight_decay()}


def upernet_decoder() -> Any:
    """The library's `UPerNetDecoder`.

    Raises:
        InputError: it is not installed.
    """
    prepare_torchvision()  # the library imports timm, and timm torchvision
    place = "segmentation_models_pytorch.decoders.upernet.decoder"
    try:
        return import_module(place).UPerNetDecoder
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("segmentation_models_pytorch"):
            raise
        message = "segmentation-models-pytorch is not installed: pip install mixspace[transfer]"
        raise InputError.of("", message) from None


def refuse_segmentation(stages: int) -> None:
    """Refuse networks that UPerNet can do nothing with.

    Raises:
        InputError: with the reason.
    """
    if stages < LEAST_STAGES:
        message = f"{stages} is not enough: UPerNet joins maps of {LEAST_STAGES} scales or more"
        raise InputError.of("architecture.stages", message)


def _classifier(channels: int, classes: int, dropout: float) -> nn.Module:
    return nn.Sequential(nn.Dropout2d(dropout), nn.Conv2d(channels, classes, 1))


def _auxiliary(
    backbone: Backbone, recipe: SegmentationRecipe, classes: int
) -> nn.Sequential | None:
    """An FCN head on the stage before the last: convolution, norm, ReLU, classifier."""
    if not recipe.auxiliary_weight:
        return None
    channels = recipe.auxiliary_channels
    return nn.Sequential(
        nn.Conv2d(backbone.widths[-2], channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        _classifier(channels, classes, recipe.dropout),
    )


def _enlarged(logits: Tensor, x: Tensor, size: torch.Size) -> Tensor:
    """Logits at every pixel of the padded images, and of these what the images were."""
    whole = functional.interpolate(
        logits.float(), size=x.shape[2:], mode="bilinear", align_corners=False
    )
    return whole[:, :, : size[0], : size[1]]


def _cross_entropy(logits: Tensor, masks: Tensor) -> Tensor:
    """The mean over the pixels that count; 0 where none does, and not 0 / 0."""
    total = functional.cross_entropy(logits, masks, ignore_index=IGNORED, reduction="sum")
    return total / (masks != IGNORED).sum().clamp(min=1)
