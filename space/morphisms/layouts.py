"""Static parameters of the three layouts as one table of free entries, and back."""

import torch
from torch import Tensor

from space.layout import Layout, Plan


def unpacked(plan: Plan, weight: Tensor) -> Tensor:
    """A static parameter as (channel entries, place · taps + tap)."""
    if plan.layout is Layout.NEIGHBOURHOOD:
        weight = torch.unflatten(weight, 1, (plan.inputs, -1)).transpose(2, 3)
    if plan.layout is Layout.TILE:
        weight = torch.unflatten(weight, 2, (plan.inputs, -1)).transpose(1, 2)
    return weight.flatten(2).flatten(0, 1)


def packed(plan: Plan, values: Tensor) -> Tensor:
    """The inverse of `unpacked`."""
    outputs, inputs = plan.outputs, plan.inputs
    if plan.layout is Layout.NEIGHBOURHOOD:
        values = values.reshape(outputs, inputs, plan.targets.positions, plan.taps)
        values = values.transpose(2, 3)
    if plan.layout is Layout.TILE:
        values = values.reshape(outputs, inputs, -1, plan.taps).transpose(1, 2)
    return values.reshape(plan.static_shape)
