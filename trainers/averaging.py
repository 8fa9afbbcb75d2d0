"""The moving average of a network's weights, which is what is judged where a protocol wants it."""

import torch
from torch import nn

from space.torchvision_support import prepare_torchvision


class WeightAverage:
    """timm's exponential moving average of parameters and buffers.

    The decay rises with the steps to its value, so that the first weights are soon forgotten. It is
    a function of the step alone: nothing of it has to be kept.

    Args:
        model: placed on its device; the average begins as a copy of it.
        decay: what the average keeps of itself in a step, in the end.

    Attributes:
        module: the averaged network, in evaluation mode.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        prepare_torchvision()
        from timm.utils import ModelEmaV3

        self._average = ModelEmaV3(model, decay=decay, use_warmup=True)
        self.module: nn.Module = self._average.module

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights behind a step, counted from 1 over all epochs."""
        self._average.update(model, step)
