"""Linear maps on the channels of a (B, C, H, W) map."""

from torch import nn


def linear(inputs: int, outputs: int, bias: bool = True) -> nn.Conv2d:
    """A linear map of the channels, initialised as the paper initialises linear layers."""
    layer = nn.Conv2d(inputs, outputs, 1, bias=bias)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """A 1×1 convolution without bias, initialised as PyTorch initialises convolutions."""
    return nn.Conv2d(inputs, outputs, 1, bias=False)
