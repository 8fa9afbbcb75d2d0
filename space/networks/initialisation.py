"""First weights: as the networks were published, or by fan-in."""

import math
from typing import Literal, get_args

from torch import nn

from space.errors import InputError

WeightInit = Literal["published", "fan_in"]


def initialise(network: nn.Module, weight_init: WeightInit) -> None:
    """Give a freshly built network the first weights that are asked for.

    Args:
        network: as its layers initialise themselves, which is `published`: a normal distribution
            of deviation 0.02 for linear layers (Swin, the paper), PyTorch's for convolutions. That
            is for hundreds of epochs: narrow layers start far below the scale of their input.
        weight_init: `fan_in` draws the weights of linear layers and convolutions anew, of deviation
            1/√fan-in, cut off at two deviations, which keeps the scale (LeCun et al. 1998); their
            biases are 0. Norms, tables of position bias and the static weights of mixers, which go
            by their fan-in already, stay. Mixing weights that a layer generates are of the scale of
            its outputs, not of how many inputs they are summed over: such mixers begin larger.

    Raises:
        InputError: for another word.
    """
    if weight_init not in get_args(WeightInit):
        allowed = " or ".join(get_args(WeightInit))
        raise InputError.of("weight_init", f"must be {allowed}; got {weight_init!r}")
    if weight_init == "published":
        return
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            _by_fan_in(layer)


_CUT = 0.8796
"""Deviation of a standard normal distribution that is cut off at two."""


def _by_fan_in(layer: nn.Conv2d | nn.Linear) -> None:
    fan_in = layer.weight[0].numel()
    deviation = 1 / (_CUT * math.sqrt(fan_in))
    nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
