"""Static weights: parameters."""

import math

import torch
from torch import Tensor, nn

from space.layout import Plan
from space.operators.fixed_weights import FixedWeights


class StaticWeights(FixedWeights):
    """The weights are parameters, initialised as PyTorch initialises a convolution."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.weight = nn.Parameter(torch.empty(plan.static_shape))
        bound = 1 / math.sqrt(plan.inputs * plan.taps)
        nn.init.uniform_(self.weight, -bound, bound)

    def fixed(self) -> Tensor:
        return self.weight


Weights = StaticWeights
