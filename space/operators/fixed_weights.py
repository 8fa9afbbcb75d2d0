"""Weights that are the same for every image, whatever they are made of."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from space.layout import Layout, Plan


class FixedWeights(nn.Module, ABC):
    """Weights that read no map."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    @abstractmethod
    def fixed(self) -> Tensor:
        """The weights, in the shape of parameters of the layout: `plan.static_shape`."""

    def forward(self, targets: Tensor, sources: Tensor) -> Tensor:
        """The weights as the aggregator of the layout takes them; the maps are not read."""
        plan, weights = self.plan, self.fixed()
        if not plan.separable or plan.layout is Layout.KERNEL:
            return weights
        if plan.layout is Layout.NEIGHBOURHOOD:
            return torch.unflatten(weights, 2, (plan.targets.height, -1)).unsqueeze(0)
        return weights.unsqueeze(0)
