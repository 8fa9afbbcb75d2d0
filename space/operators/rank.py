"""Rank wrappers: the factors around the mixing. Rank of the algebra.

A wrapper turns (values, context) into what the mixing reads, and the mixed map into the result.
`context` is the map that dynamic weights are made from; it is the values themselves unless the
block gives another.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from space.axes import Locality, Rank
from space.geometry import joint_rank
from space.layout import Plan
from space.mixer import Mixer
from space.operators.layers import LayerNorm, convolution, padded_to_multiple

fx.wrap("padded_to_multiple")


class Inputs(NamedTuple):
    """What the mixing reads: values at q, and the context at p and at q for dynamic weights."""

    values: Tensor
    targets: Tensor
    sources: Tensor


class FullRank(nn.Module):
    """No factor."""

    def __init__(self, mixer: Mixer, width: int, plan: Plan) -> None:
        super().__init__()

    def enter(self, values: Tensor, context: Tensor) -> Inputs:
        return Inputs(values, context, context)

    def leave(self, y: Tensor) -> Tensor:
        return y


class ChannelRank(nn.Module):
    """C → C/r, mix, C/r → C: the bottleneck (paper, Figure 1: Channel LR)."""

    def __init__(self, mixer: Mixer, width: int, plan: Plan) -> None:
        super().__init__()
        self.reads_context = mixer.dynamics.source.dynamic
        self.down = convolution(width, plan.width)
        self.up = convolution(plan.width, width)

    def enter(self, values: Tensor, context: Tensor) -> Inputs:
        reduced = self.down(values)
        if context is values or not self.reads_context:
            return Inputs(reduced, reduced, reduced)
        context = self.down(context)
        return Inputs(reduced, context, context)

    def leave(self, y: Tensor) -> Tensor:
        expanded: Tensor = self.up(y)
        return expanded


class SpatialRank(nn.Module):
    """The sources are reduced R×R first (paper, Figure 1: Spatial LR; PVT, pyramids).

    A sliding mixer works wholly on the reduced map, and its result is repeated R×R.
    """

    def __init__(self, mixer: Mixer, width: int, plan: Plan) -> None:
        super().__init__()
        self.ratio = mixer.ratio or 1
        self.reads_keys = mixer.dynamics.source.reads_sources
        self.repeats = mixer.locality is Locality.SLIDING
        normed = bool(mixer.reduction_norm)
        groups = 1 if mixer.reduction == "dense" else plan.groups
        average = mixer.reduction == "average"
        self.reduction: nn.Module = (
            nn.AvgPool2d(self.ratio)
            if average
            else nn.Conv2d(width, width, self.ratio, self.ratio, groups=groups, bias=normed)
        )
        self.norm: nn.Module = LayerNorm(width) if normed else nn.Identity()

    def _reduce(self, x: Tensor) -> Tensor:
        reduced: Tensor = self.norm(self.reduction(padded_to_multiple(x, self.ratio)))
        return reduced

    def enter(self, values: Tensor, context: Tensor) -> Inputs:
        reduced = self._reduce(values)
        shared = context is values or not self.reads_keys
        return Inputs(reduced, context, reduced if shared else self._reduce(context))

    def leave(self, y: Tensor) -> Tensor:
        if not self.repeats:
            return y
        return F.interpolate(y, scale_factor=self.ratio, mode="nearest")


class JointRank(nn.Module):
    """The whole N·C × N·C matrix as a product of two thin ones (paper, Figure 1: Dim. LR).

    The two factors are all there is: nothing is mixed between them.
    """

    def __init__(self, mixer: Mixer, width: int, plan: Plan) -> None:
        super().__init__()
        self.size, self.width = plan.targets, width
        entries = plan.targets.positions * width
        rank = joint_rank(mixer, width, plan.targets)
        self.down = nn.Linear(entries, rank, bias=False)
        self.up = nn.Linear(rank, entries, bias=False)

    def enter(self, values: Tensor, context: Tensor) -> Inputs:
        reduced = self.down(torch.flatten(values, 1))
        return Inputs(reduced, reduced, reduced)

    def leave(self, y: Tensor) -> Tensor:
        expanded: Tensor = self.up(y)
        return expanded.reshape(y.shape[0], self.width, self.size.height, self.size.width)


RANKS: dict[Rank, type[FullRank] | type[ChannelRank] | type[SpatialRank] | type[JointRank]] = {
    Rank.FULL: FullRank,
    Rank.CHANNEL: ChannelRank,
    Rank.SPATIAL: SpatialRank,
    Rank.JOINT: JointRank,
}
