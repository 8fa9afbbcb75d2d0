"""Rank factors absorbed into the core: up · W · down, or W after a reduction, as one W."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from space.inclusion.numbers import Numbers, every_pair, of_reduction, over_patches, products
from space.morphisms.core import Core
from space.morphisms.placed import placed
from space.morphisms.tensors import looked_up
from space.operators import TokenMixer
from space.operators.rank import ChannelRank, JointRank, SpatialRank
from space.structure.entries import IntArray


def bottleneck(core: Core, rank: ChannelRank) -> Core:
    """up · W · down at every pair of positions, dense in the channels."""
    down, up = (part.weight.detach()[:, :, 0, 0] for part in (rank.down, rank.up))
    product = torch.einsum("cd,dkph,ke->ceph", up, core.dense_values(), down)
    return replace(
        core,
        channels=every_pair(up.shape[0]),
        values=product.flatten(0, 1),
        reads=None if core.reads is None else core.reads @ down,
    )


def joint(operator: TokenMixer, rank: JointRank) -> Core:
    """The product of the two thin factors: a global, dense, unshared W."""
    positions, width = operator.size.positions, operator.width
    product = rank.up.weight.detach() @ rank.down.weight.detach()
    shape = (width, positions, width, positions)
    values = product.reshape(shape).transpose(1, 2).reshape(width * width, positions**2, 1)
    return Core.at(Numbers.of(placed(operator)), values)


def reduction(core: Core, operator: TokenMixer, finer: int) -> Core:
    """W on a map reduced by the ratio `finer`: a source gives its weight to its ρ×ρ patch.

    Args:
        core: the core of the operator.
        operator: an operator of rank spatial.
        finer: a divisor of its ratio; 1 leaves no reduction, more are for averages.
    """
    rank = operator.rank
    assert isinstance(rank, SpatialRank)
    patch = rank.ratio // finer
    factor, entries = _factor(rank, core.values, patch), of_reduction(placed(operator))
    core = over_patches(core, operator.size, finer, patch)
    core = replace(core, values=core.values.repeat_interleave(patch**2, 1))
    channels, pairs = products(core.channels, entries)
    values = (
        _times_blocks(core, looked_up(factor, entries))
        if pairs is None
        else _times_diagonal(core.values, factor, pairs)
    )
    return replace(core, channels=channels, values=values)


def _factor(rank: SpatialRank, like: Tensor, patch: int) -> Tensor:
    """(entries, ρ·ρ): what the reduction gives each place of a patch."""
    if isinstance(rank.reduction, nn.AvgPool2d):
        return like.new_full((1, patch**2), 1 / patch**2)
    assert isinstance(rank.reduction, nn.Conv2d)
    return rank.reduction.weight.detach().flatten(2).flatten(0, 1)


def _times_diagonal(values: Tensor, factor: Tensor, pairs: IntArray) -> Tensor:
    """Products of two entries each."""
    many = len(factor)
    scale = looked_up(factor, pairs % many)
    scale = scale.repeat(1, values.shape[1] // scale.shape[1])
    return looked_up(values, pairs // many) * scale.unsqueeze(-1)


def _times_blocks(core: Core, blocks: Tensor) -> Tensor:
    """A sum over the channels between the two factors, blocks (d, d, ρ·ρ)."""
    entries = core.dense_values().unflatten(2, (-1, blocks.shape[2]))
    product = torch.einsum("cdeoh,dko->ckeoh", entries, blocks).flatten(2, 3)
    return product.flatten(0, 1)
