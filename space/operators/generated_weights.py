"""Weights that a small network makes of a map."""

import torch
from torch import Tensor, nn

from space.geometry import generator_width
from space.layout import Plan
from space.operators.layers import BatchNorm, PointwiseConvolution


class GeneratedWeights(nn.Module):
    """Made from x by 1×1 C→C/4 → BN → ReLU → 1×1 → weights.

    Args:
        plan: of the mixer.
        outputs: weights for each position that they are generated from.
        bias: of the first map.
    """

    def __init__(self, plan: Plan, outputs: int, bias: bool) -> None:
        super().__init__()
        self.plan = plan
        hidden = generator_width(plan.mixer, plan.width)
        self.reduce = PointwiseConvolution(plan.width, hidden, bias)
        self.norm = BatchNorm(hidden)
        self.expand = PointwiseConvolution(hidden, outputs)

    def generated(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, outputs, H, W)."""
        weights: Tensor = self.expand(torch.relu(self.norm(self.reduce(x))))
        return weights
