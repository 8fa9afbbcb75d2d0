"""Stem, downsampling and head: what stands around the stages (paper's configuration, Swin's)."""

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from space.architecture import Stem
from space.operators.layers import BatchNorm, LayerNorm, linear, padded_to_multiple

fx.wrap("padded_to_multiple")


class PatchStem(nn.Module):
    """A convolution from pixels to tokens, then a norm; its types are told in `Stem`.

    (B, channels, height, width) to (B, C, ⌈height/p⌉, ⌈width/p⌉); borders are padded with zeros.
    """

    def __init__(self, channels: int, width: int, stem: Stem) -> None:
        super().__init__()
        self.stem = stem
        # With this margin as many rows come out as with whole patches: ⌈height/stride⌉.
        margin = {"patch": 0, "overlap": stem.patch_size - 1, "pool": stem.stride}[stem.type]
        self.project = nn.Conv2d(channels, width, stem.kernel_size, stem.stride, margin)
        self.norm = BatchNorm(width) if stem.type == "pool" else LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, height, width) to (B, C, ⌈height/p⌉, ⌈width/p⌉)."""
        if self.stem.type == "pool":
            # Before the norm, which then has a quarter of the positions to go over.
            pooled = F.max_pool2d(self.project(x), 2, ceil_mode=True)
            return F.relu(self.norm(pooled))
        y: Tensor = self.norm(self.project(self._with_whole_patches(x)))
        return y

    def _with_whole_patches(self, x: Tensor) -> Tensor:
        return x if self.stem.type != "patch" else padded_to_multiple(x, self.stem.patch_size)


class MergeDownsample(nn.Module):
    """2×2 neighbours side by side in the channels, layer norm, linear map to the next width.

    (B, C, H, W) to (B, outputs, ⌈H/2⌉, ⌈W/2⌉). The order of the neighbours is Swin's: even-even,
    odd row, odd column, both odd.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.norm = LayerNorm(4 * width)
        self.reduce = linear(4 * width, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, outputs, ⌈H/2⌉, ⌈W/2⌉)."""
        x = padded_to_multiple(x, 2)
        neighbours = [x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        y: Tensor = self.reduce(self.norm(torch.cat(neighbours, 1)))
        return y


class ConvDownsample(nn.Module):
    """Layer norm, then a 2×2 convolution with stride 2 (ConvNeXt).

    (B, C, H, W) to (B, outputs, ⌈H/2⌉, ⌈W/2⌉).
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.norm = LayerNorm(width)
        self.reduce = nn.Conv2d(width, outputs, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, outputs, ⌈H/2⌉, ⌈W/2⌉)."""
        y: Tensor = self.reduce(padded_to_multiple(self.norm(x), 2))
        return y


DOWNSAMPLES: dict[str, type[MergeDownsample] | type[ConvDownsample]] = {
    "merge": MergeDownsample,
    "conv": ConvDownsample,
}


def classifier(width: int, classes: int) -> nn.Module:
    """The last layer, initialised as the paper initialises linear layers; none for 0 classes."""
    if not classes:
        return nn.Identity()
    layer = nn.Linear(width, classes)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    nn.init.zeros_(layer.bias)
    return layer


class Head(nn.Module):
    """Layer norm, mean over the tokens (or these two the other way round), linear classifier.

    (B, C, H, W) to (B, classes); without classes to the pooled features, (B, C).
    """

    def __init__(self, width: int, classes: int, norm_first: bool) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.norm = LayerNorm(width)
        self.classify = classifier(width, classes)

    def pooled(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to what the classifier reads, (B, C)."""
        if self.norm_first:
            return torch.mean(self.norm(x), (2, 3))
        return torch.flatten(self.norm(x.mean((2, 3), keepdim=True)), 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, classes), or to the pooled features."""
        y: Tensor = self.classify(self.pooled(x))
        return y
