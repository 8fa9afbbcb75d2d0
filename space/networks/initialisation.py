"""First weights: as the networks were published, or by fan-in."""

import math
from typing import Literal, get_args

import torch
from torch import nn

from space.errors import InputError
from space.operators import CustomTokenMixer
from space.operators.generated_weights import GeneratedWeights

WeightInit = Literal["published", "fan_in", "lecun"]


def initialise(network: nn.Module, weight_init: WeightInit) -> None:
    """Give a freshly built network the first weights that are asked for.

    Args:
        network: as its layers initialise themselves, which is `published`: a normal distribution
            of deviation 0.02 for linear layers (Swin, the paper), PyTorch's for convolutions. That
            is for hundreds of epochs: narrow layers start far below the scale of their input.
        weight_init: `lecun` draws the weights of linear layers and convolutions anew, of deviation
            1/√fan-in, cut off at two deviations, which keeps the scale (LeCun et al. 1998); their
            biases are 0. Mixing weights that a layer generates go by the number of inputs that
            they are summed over (Chang et al., "Principled weight initialization for
            hypernetworks", 2020). Norms, tables of position bias and the static weights of mixers,
            which go by their fan-in already, stay, and so do custom mixers. `fan_in` is the same of
            layers alone, so that mixers whose weights are generated begin larger: what studies of
            earlier have.

    Raises:
        InputError: for another word.
    """
    if weight_init not in get_args(WeightInit):
        allowed = ", ".join(get_args(WeightInit))
        raise InputError.of("weight_init", f"must be one of {allowed}; got {weight_init!r}")
    if weight_init == "published":
        return
    own = {
        part
        for mixer in network.modules()
        if isinstance(mixer, CustomTokenMixer)
        for part in mixer.modules()
    }
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear) and layer not in own:
            _by_fan_in(layer)
    for source in network.modules() if weight_init == "lecun" else ():
        if isinstance(source, GeneratedWeights):
            _generate_by_fan_in(source)


_CUT = 0.8796
"""Deviation of a standard normal distribution that is cut off at two."""


def _by_fan_in(layer: nn.Conv2d | nn.Linear) -> None:
    fan_in = layer.weight[0].numel()
    deviation = 1 / (_CUT * math.sqrt(fan_in))
    nn.init.trunc_normal_(layer.weight, std=deviation, a=-2 * deviation, b=2 * deviation)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def _generate_by_fan_in(source: GeneratedWeights) -> None:
    """Half the mean square of a normal distribution passes the ReLU before the last layer."""
    summed_over = source.plan.inputs * source.plan.taps
    with torch.no_grad():
        source.expand.weight.mul_(math.sqrt(2 / summed_over))
