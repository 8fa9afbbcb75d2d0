"""Layers on (B, C, H, W) maps of which networks are made: norms, linear maps, stochastic depth."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from space.errors import Problem
from space.operator_choice import chosen
from space.operators.recording import as_one_node, being_traced, being_transformed, is_symbolic


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that also trains where a channel has a single value, or none.

    One image whose map is 1×1, as a pooled map is, has no variance, and no images have no mean:
    then the running statistics serve and are left as they are.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if is_symbolic(x):
            return as_one_node(self, x)
        if self.training and x.numel() <= x.shape[1]:
            mean, variance = self.running_mean, self.running_var
            return F.batch_norm(x, mean, variance, self.weight, self.bias, False, 0.0, self.eps)
        y: Tensor = super().forward(x)
        return y


class LayerNorm(nn.LayerNorm):
    """Layer norm over the channels of a (B, C, H, W) map."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        y: Tensor = super().forward(x.permute(0, 2, 3, 1))
        return y.permute(0, 3, 1, 2)


class PointwiseConvolution(nn.Conv2d):
    """A 1×1 convolution: a linear map of the channels at every position.

    Where PyTorch would unfold the map for it, forward and gradients take a fifth longer than a
    product of matrices; it is computed as one there.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True) -> None:
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H, W)."""
        if is_symbolic(x):
            return as_one_node(self, x)
        if _would_be_unfolded(x):
            # Back through the permutation, the gradient lies as weights that are channels last.
            weight = self.weight.permute(0, 2, 3, 1).flatten(1)
            return F.linear(x.permute(0, 2, 3, 1), weight, self.bias).permute(0, 3, 1, 2)
        convolved: Tensor = super().forward(x)
        return convolved


_FEW = 2**16
"""Numbers of maps that are unfolded as quickly as they are multiplied."""


def _would_be_unfolded(x: Tensor) -> bool:
    """Whether PyTorch leaves oneDNN, and loses by it: few images, one thread of a CPU.

    Only of what is trained and runs as it stands: compilers and traces choose for themselves,
    `torch.func` cannot tell how its tensors lie, and without gradients there is nothing to gain.
    """
    return (
        x.device.type == "cpu"
        and x.dtype is torch.float32
        and torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and not being_traced()
        and not being_transformed()
        and not torch.is_autocast_enabled("cpu")
        and x.dim() == 4
        and x.shape[0] < 16
        and x.numel() >= _FEW
        and x.is_contiguous(memory_format=torch.channels_last)  # or it would be copied
        and torch.get_num_threads() == 1
        and chosen() != "plain"
    )


def padded_to_multiple(x: Tensor, edge: int) -> Tensor:
    """(B, C, H, W) with zeros below and to the right, so that the edge divides both sides."""
    down, right = (-x.shape[2] % edge, -x.shape[3] % edge)
    if being_traced():  # a trace holds the padding, whatever the size of its example
        return F.pad(x, (0, right, 0, down))
    return F.pad(x, (0, right, 0, down)) if down or right else x


def linear(inputs: int, outputs: int, bias: bool = True) -> PointwiseConvolution:
    """A linear map of the channels, initialised as the paper initialises linear layers."""
    layer = PointwiseConvolution(inputs, outputs, bias)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def convolution(inputs: int, outputs: int) -> PointwiseConvolution:
    """A 1×1 convolution without bias, initialised as PyTorch initialises convolutions."""
    return PointwiseConvolution(inputs, outputs, bias=False)


def rate_problems(name: str, rate: object) -> list[Problem]:
    """What is wrong with the rate of a dropout, if anything; at 1 nothing would be left."""
    if type(rate) in (int, float) and 0 <= rate < 1:  # type: ignore[operator]
        return []
    return [Problem(name, f"{rate!r} is not a rate; must be at least 0 and less than 1")]


class DropPath(nn.Module):
    """Zeroes the branch of an image with probability `rate`, and scales the others by 1/(1−rate).

    The same as timm's; written out so that building a network does not import timm.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if is_symbolic(x):
            return as_one_node(self, x)
        if not self.training or self.rate == 0:
            return x
        kept = x.new_empty(x.shape[0], 1, 1, 1).bernoulli_(1 - self.rate)
        return x * kept.div_(1 - self.rate)

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"
