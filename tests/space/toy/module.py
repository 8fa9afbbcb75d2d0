"""softmax over the taps of parameters."""

import torch
from torch import Tensor, nn

from space.layout import Layout, Plan
from space.operators.fixed_weights import FixedWeights

_TAPS = {Layout.KERNEL: 2, Layout.NEIGHBOURHOOD: 1, Layout.TILE: 2}
"""The axis of the taps in each layout."""


class ToyWeights(FixedWeights):
    """The weights of a target are positive and sum to one, taps outside of the map included."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.logits = nn.Parameter(torch.empty(plan.static_shape))
        nn.init.normal_(self.logits)

    def fixed(self) -> Tensor:
        flat = self.logits.flatten(2) if self.plan.layout is Layout.KERNEL else self.logits
        return flat.softmax(_TAPS[self.plan.layout]).reshape(self.plan.static_shape)


Weights = ToyWeights
