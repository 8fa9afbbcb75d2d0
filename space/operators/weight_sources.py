"""Weight sources: make the free entries of W. Dynamics × sharing of the algebra."""

import math

import torch
from torch import Tensor, nn

from space.axes import Dynamics
from space.geometry import generator_width
from space.layout import Layout, Plan
from space.operators.attention import AttentionWeights
from space.operators.layers import BatchNorm
from space.operators.tiles import Tiling


class StaticWeights(nn.Module):
    """The weights are parameters, initialised as PyTorch initialises a convolution."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.weight = nn.Parameter(torch.empty(plan.static_shape))
        bound = 1 / math.sqrt(plan.inputs * plan.taps)
        nn.init.uniform_(self.weight, -bound, bound)

    def forward(self, targets: Tensor, sources: Tensor) -> Tensor:
        """The weights as the aggregator of the layout takes them; the maps are not read."""
        plan = self.plan
        if not plan.separable or plan.layout is Layout.KERNEL:
            return self.weight
        if plan.layout is Layout.NEIGHBOURHOOD:
            return torch.unflatten(self.weight, 2, (plan.targets.height, -1)).unsqueeze(0)
        return self.weight.unsqueeze(0)


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
        self.reduce = nn.Conv2d(plan.width, hidden, 1, bias=bias)
        self.norm = BatchNorm(hidden)
        self.expand = nn.Conv2d(hidden, outputs, 1)

    def generated(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, outputs, H, W)."""
        weights: Tensor = self.expand(torch.relu(self.norm(self.reduce(x))))
        return weights


class HomogeneousWeights(GeneratedWeights):
    """Generated from the globally pooled map, the same at all positions (paper, Section 3:
    dynamic depth-wise convolution)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, math.prod(plan.static_shape), bias=False)

    def forward(self, targets: Tensor, sources: Tensor) -> Tensor:
        """targets (B, C, H, W) to kernels (B, O, I, k, k)."""
        kernels = self.generated(targets.mean((2, 3), keepdim=True))
        return kernels.reshape(-1, *self.plan.static_shape)


class InhomogeneousWeights(GeneratedWeights):
    """Generated at each position p from x[p] (paper, inhomogeneous dynamic depth-wise
    convolution; Involution): the weights of p's reach."""

    apart: Tensor | None

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, plan.outputs * plan.taps, bias=True)
        tiled = plan.layout is Layout.TILE
        self.tiling = Tiling.of_targets(plan) if tiled else None
        square = plan.sources == plan.targets
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
        apart = self.apart.repeat(targets.shape[0], 1, 1).unsqueeze(1)
        return weights.masked_fill(apart, 0.0)


WEIGHT_SOURCES: dict[
    Dynamics,
    type[StaticWeights]
    | type[HomogeneousWeights]
    | type[InhomogeneousWeights]
    | type[AttentionWeights],
] = {
    Dynamics.STATIC: StaticWeights,
    Dynamics.HOMOGENEOUS: HomogeneousWeights,
    Dynamics.INHOMOGENEOUS: InhomogeneousWeights,
    Dynamics.ATTENTION: AttentionWeights,
}
