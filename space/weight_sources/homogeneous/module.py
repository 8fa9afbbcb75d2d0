"""Homogeneous dynamic weights: generated once an image."""

import math

from torch import Tensor

from space.layout import Plan
from space.operators.generated_weights import GeneratedWeights


class HomogeneousWeights(GeneratedWeights):
    """Generated from the globally pooled map, the same at all positions (paper, Section 3:
    dynamic depth-wise convolution)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, math.prod(plan.static_shape), bias=False)

    def forward(self, targets: Tensor, sources: Tensor) -> Tensor:
        """targets (B, C, H, W) to kernels (B, O, I, k, k)."""
        kernels = self.generated(targets.mean((2, 3), keepdim=True))
        return kernels.reshape(kernels.shape[0], *self.plan.static_shape)


Weights = HomogeneousWeights
