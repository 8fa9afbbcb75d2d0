"""Convolutions whose kernels are an image's own (paper, dynamic depth-wise convolution)."""

from collections.abc import Callable
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from space.operators.neighbourhood import at_taps, summed_by_taps
from space.operators.recording import being_traced, recorded_for_any_batch


def convolved_each(x: Tensor, kernels: Tensor, groups: int) -> Tensor:
    """Every image convolved with its own kernels, zeros outside the map.

    Args:
        x: (B, C, H, W).
        kernels: (B, O, I, k, k), O = C and I = C/groups.
        groups: channel groups that do not read each other.

    Returns:
        (B, C, H, W).
    """
    if being_traced():
        return _scripted()(x, kernels, groups)
    if recorded_for_any_batch():
        # Groups are an attribute in exported graphs: a number, so that no batch can be in them.
        return _by_taps(x, kernels, groups)
    return _in_groups(x, kernels, groups)


def _in_groups(x: Tensor, kernels: Tensor, groups: int) -> Tensor:
    """One convolution with B times the groups serves the whole batch."""
    batch, channels, height, width = x.shape
    if batch == 0:
        return x + kernels.sum()  # of no images nothing, with a gradient of zeros
    # Flattened first, because a map of one position can carry strides that PyTorch takes for
    # another memory format.
    y = F.conv2d(
        x.flatten().view(1, batch * channels, height, width),
        kernels.flatten(0, 1),
        padding=kernels.shape[3] // 2,
        groups=batch * groups,
    )
    return y.reshape(x.shape)


@cache
def _scripted() -> Callable[[Tensor, Tensor, int], Tensor]:
    """The same in a trace, where it asks for the batch size whenever it is called."""
    script: Callable[[Tensor, Tensor, int], Tensor] = torch.jit.script(_in_groups)
    return script


def _by_taps(x: Tensor, kernels: Tensor, groups: int) -> Tensor:
    batch, channels, height, width = x.shape
    inputs, size = kernels.shape[2:4]
    taps = kernels.flatten(3)
    if inputs == 1:
        weights = taps.transpose(2, 3).unsqueeze(4)
        return summed_by_taps(weights, x.unsqueeze(2), size).flatten(1, 2)
    shape = batch, groups, inputs, height * width
    maps = (shifted.reshape(shape) for shifted in at_taps(x, size, rows=2))
    matrices = taps.unflatten(1, (groups, channels // groups)).unbind(4)
    y = sum(map(torch.matmul, matrices, maps), torch.zeros(()))
    return y.reshape(x.shape)
