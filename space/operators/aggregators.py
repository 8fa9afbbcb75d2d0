"""Aggregators: apply the free entries of W to a map. Locality × channels of the algebra."""

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from space.layout import Layout, Plan
from space.operator_choice import PathName
from space.operators.depthwise import depthwise_convolved, path_name
from space.operators.neighbourhood import neighbourhood_sum, path_of
from space.operators.per_image import convolved_each
from space.operators.tiles import Tiling

fx.wrap("depthwise_convolved")
fx.wrap("neighbourhood_sum")
fx.wrap("convolved_each")


class Convolution(nn.Module):
    """Weights shared across positions: a convolution, with kernels of its own for each image
    where the weights depend on it (paper, dynamic depth-wise convolution).

    It is the depth-wise convolution where `plan.groups` is the number of channels.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def path(self, x: Tensor) -> PathName | None:
        """How such maps are convolved depth-wise; None where channels are mixed: by PyTorch.

        Raises:
            InputError: it shall be fused, and there are no kernels.
        """
        plan = self.plan
        if plan.inputs > 1:
            return None
        return path_name(x, plan.kernel_size, own=plan.mixer.dynamics.source.dynamic)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """x (B, C, H, W), weights (O, I, k, k) or (B, O, I, k, k) to (B, C, H, W)."""
        plan, padding = self.plan, self.plan.kernel_size // 2
        repeats = plan.width // plan.outputs
        if repeats > 1:
            weights = weights.repeat_interleave(repeats, dim=-4)
        if plan.inputs == 1:
            return depthwise_convolved(x, weights)
        if plan.mixer.dynamics.source.dynamic:
            return convolved_each(x, weights, plan.groups)
        return F.conv2d(x, weights, padding=padding, groups=plan.groups)


class NeighbourhoodSum(nn.Module):
    """Weights of their own at every position, over a k×k neighbourhood."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan

    def path(self, x: Tensor) -> PathName | None:
        """How sums over such maps are computed; None for products, of which there is one way.

        Raises:
            InputError: they shall be fused, and there are no kernels.
        """
        return path_of(x).name if self.plan.separable else None

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """x (B, C, H, W), weights in the neighbourhood layout, to (B, C, H, W)."""
        if not self.plan.separable:
            return self._over_channels(x, weights)
        heads = x.unflatten(1, self.plan.heads)
        return neighbourhood_sum(weights, heads, self.plan.kernel_size).flatten(1, 2)

    def _over_channels(self, x: Tensor, weights: Tensor) -> Tensor:
        """A matrix product at every position, over its neighbours and their channels."""
        plan, positions = self.plan, self.plan.targets.positions
        k = plan.kernel_size
        neighbours = F.unfold(x, k, padding=k // 2)
        read = plan.inputs * k * k
        shape = x.shape[0], plan.groups, read, positions
        rows = neighbours.reshape(shape).permute(1, 3, 0, 2)
        matrices = weights.reshape(plan.groups, -1, read, positions).permute(0, 3, 2, 1)
        # (groups, positions, batch, outputs); matmul, which torch counts, where einsum may not.
        mixed = torch.matmul(rows, matrices)
        return mixed.permute(2, 0, 3, 1).reshape(x.shape)


class TileProduct(nn.Module):
    """Weights between all positions of a tile: a matrix product a tile (and channel group)."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        self.targets = Tiling.of_targets(plan)
        self.sources = Tiling.of_sources(plan)

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        """x (B, C, h, w) of sources, weights in the tile layout, to (B, C, H, W)."""
        tiles = self.sources.split(x)
        mix = self._over_positions if self.plan.separable else self._over_channels
        return self.targets.join(mix(tiles, weights))

    def _over_positions(self, tiles: Tensor, weights: Tensor) -> Tensor:
        heads = tiles.unflatten(1, self.plan.heads)
        taps = weights.transpose(2, 3)
        if self.plan.mixer.dynamics.source.dynamic:
            return torch.matmul(heads, taps).flatten(1, 2)
        # One matrix for all tiles: a product a head over the channels of all tiles.
        rows = heads.transpose(0, 1).flatten(1, 2)
        shape = tiles.shape[0], self.plan.heads[1]
        mixed = torch.unflatten(torch.bmm(rows, taps[0]), 1, shape)
        return mixed.transpose(0, 1).flatten(1, 2)

    def _over_channels(self, tiles: Tensor, weights: Tensor) -> Tensor:
        # (groups, outputs·P, inputs·Q) matrices: the layout makes them a view of the parameter.
        matrices = weights.reshape(self.plan.groups, -1, weights.shape[2])
        rows = tiles.flatten(1).unflatten(1, (self.plan.groups, matrices.shape[2])).transpose(0, 1)
        mixed = torch.bmm(rows, matrices.transpose(1, 2)).transpose(0, 1)
        return torch.unflatten(mixed.flatten(1), 1, (self.plan.width, -1))


AGGREGATORS: dict[Layout, type[Convolution] | type[NeighbourhoodSum] | type[TileProduct]] = {
    Layout.KERNEL: Convolution,
    Layout.NEIGHBOURHOOD: NeighbourhoodSum,
    Layout.TILE: TileProduct,
}
