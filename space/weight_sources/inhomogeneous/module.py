"""Inhomogeneous dynamic weights: generated at every position."""

import torch
from torch import Tensor, fx

from space.layout import Layout, Plan
from space.operators.computed_buffers import ComputedBuffers
from space.operators.generated_weights import GeneratedWeights
from space.operators.tiles import Tiling, masked

fx.wrap("masked")


class InhomogeneousWeights(GeneratedWeights, ComputedBuffers):
    """Generated at each position p from x[p] (paper, inhomogeneous dynamic depth-wise
    convolution; Involution): the weights of p's reach."""

    apart: Tensor | None

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, plan.outputs * plan.taps, bias=True)
        tiled = plan.layout is Layout.TILE
        self.tiling = Tiling.of_targets(plan) if tiled else None
        self.compute_buffers()

    def compute_buffers(self) -> None:
        """The mask of tiles."""
        square = self.plan.sources == self.plan.targets
        mask = self.tiling.apart() if self.tiling is not None and square else None
        self.register_buffer("apart", mask, persistent=False)

    def forward(self, targets: Tensor, sources: Tensor) -> Tensor:
        """targets (B, C, H, W) to (B, O, k·k, H, W), or to (B·T, O, P, Q) for tiles."""
        generated = self.generated(targets)
        if self.tiling is None:
            return torch.unflatten(generated, 1, (self.plan.outputs, self.plan.taps))
        tiles = self.tiling.split(generated)
        weights = torch.unflatten(tiles, 1, (self.plan.outputs, self.plan.taps)).transpose(2, 3)
        if self.apart is None:
            return weights
        return masked(weights, self.apart, 0.0)


Weights = InhomogeneousWeights
