"""Lifting the rank factors: bottlenecks, reductions of the sources, joint factors.

What only the special mixer has of them is absorbed into its core: up · W · down, or W after a
reduction, as one W.
"""

from dataclasses import replace

import torch
from torch import Tensor, nn

from space.inclusion.entry_numbers import (
    EntryNumbers,
    every_pair,
    of_reduction,
    over_patches,
    products,
    repeated_targets,
)
from space.inclusion.mixer_inclusion import bottleneck_places, remaining_reduction, taken_kernels
from space.morphisms.core import Core, looked_up, on_map, split_over_copies, to_device
from space.operators import TokenMixer
from space.operators.rank import ChannelRank, JointRank, SpatialRank
from space.structure.entries import IntArray


def lift_bottleneck(special: TokenMixer, general: TokenMixer, copies: int) -> IntArray:
    """The factors C → d → C; channels that only the general one has stay unread."""
    ours, theirs = special.rank, general.rank
    assert isinstance(ours, ChannelRank)
    assert isinstance(theirs, ChannelRank)
    places = bottleneck_places(on_map(special), on_map(general))
    rows = to_device(places, theirs.up.weight)
    theirs.down.weight[rows] = split_over_copies(ours.down.weight, copies)
    theirs.up.weight.zero_()
    theirs.up.weight[:, rows] = ours.up.weight.repeat_interleave(copies, 0)
    return places


def with_reduction(core: Core, special: TokenMixer, general: TokenMixer, copies: int) -> Core:
    """The core with as much of the reduction absorbed as the general operator does not do."""
    core = repeated_targets(core, on_map(special), on_map(general))
    finer = remaining_reduction(on_map(special), on_map(general))
    if finer is None:
        lift_reduction(special, general, copies)
        return core
    if isinstance(general.rank, SpatialRank):
        _set_average(general.rank)
    return absorb_reduction(core, special, finer)


def _set_average(rank: SpatialRank) -> None:
    """Makes a reduction the average of its patches."""
    if isinstance(rank.reduction, nn.Conv2d):
        weight = rank.reduction.weight
        channel = torch.arange(weight.shape[0], device=weight.device)
        weight.zero_()
        weight[channel, channel % weight.shape[1]] = 1 / rank.ratio**2
        if rank.reduction.bias is not None:
            rank.reduction.bias.zero_()


def lift_reduction(special: TokenMixer, general: TokenMixer, copies: int) -> None:
    """The same reduction, its channels no sparser, with the same norm.

    Raises:
        InputError: if the special reduction connects more channels.
    """
    ours, theirs = special.rank, general.rank
    assert isinstance(ours, SpatialRank)
    assert isinstance(theirs, SpatialRank)
    if isinstance(theirs.reduction, nn.Conv2d) and isinstance(ours.reduction, nn.Conv2d):
        taken = taken_kernels(on_map(special), on_map(general))
        _lift_kernels(ours.reduction, theirs.reduction, taken, copies)
    else:
        _set_average(theirs)
    for name, value in ours.norm.named_parameters():
        theirs.norm.get_parameter(name).copy_(value.repeat_interleave(copies))


def _lift_kernels(special: nn.Conv2d, general: nn.Conv2d, taken: IntArray, copies: int) -> None:
    values = looked_up(special.weight.flatten(2).flatten(0, 1), taken)
    general.weight.copy_(values.reshape(general.weight.shape))
    if general.bias is not None and special.bias is not None:
        general.bias.copy_(special.bias.repeat_interleave(copies))


def lift_into_joint(special: TokenMixer, general: TokenMixer, copies: int) -> None:
    """Any fixed W of low rank: what enters the mixing, and what comes of it, as matrices."""
    rank = general.rank
    assert isinstance(rank, JointRank)
    down, up = _as_two_factors(special)
    shape = (-1, special.width, special.size.positions)
    down = split_over_copies(down.reshape(shape), copies).flatten(1)
    up = up.T.reshape(shape).repeat_interleave(copies, 1).flatten(1).T
    rank.up.weight.zero_()
    rank.down.weight[: len(down)] = down
    rank.up.weight[:, : len(down)] = up


def _as_two_factors(special: TokenMixer) -> tuple[Tensor, Tensor]:
    """(inner, C·N) and (C·N, inner): the operator's parts applied to every unit map."""
    size, entries = special.size, special.width * special.size.positions
    any_parameter = next(special.parameters())
    units = torch.eye(entries, dtype=any_parameter.dtype, device=any_parameter.device)
    maps = units.reshape(entries, special.width, size.height, size.width)
    entered = special.rank.enter(maps, maps).values
    inner = entered[0].numel()
    units = torch.eye(inner, dtype=any_parameter.dtype, device=any_parameter.device)
    maps = units.reshape(inner, *entered.shape[1:])
    mixed = maps if special.mixing is None else special.mixing(maps, maps, maps)
    left = special.rank.leave(mixed)[:, :, : size.height, : size.width]
    return entered.flatten(1).T, left.flatten(1).T


def absorb_bottleneck(core: Core, rank: ChannelRank) -> Core:
    """up · W · down at every pair of positions, dense in the channels."""
    down, up = (part.weight.detach()[:, :, 0, 0] for part in (rank.down, rank.up))
    product = torch.einsum("cd,dkph,ke->ceph", up, core.dense_values(), down)
    return replace(
        core,
        channels=every_pair(up.shape[0]),
        values=product.flatten(0, 1),
        reads=None if core.reads is None else core.reads @ down,
    )


def absorb_joint(operator: TokenMixer, rank: JointRank) -> Core:
    """The product of the two thin factors: a global, dense, unshared W."""
    positions, width = operator.size.positions, operator.width
    product = rank.up.weight.detach() @ rank.down.weight.detach()
    shape = (width, positions, width, positions)
    values = product.reshape(shape).transpose(1, 2).reshape(width * width, positions**2, 1)
    return Core.at(EntryNumbers.of(on_map(operator)), values)


def absorb_reduction(core: Core, operator: TokenMixer, finer: int) -> Core:
    """W on a map reduced by the ratio `finer`: a source gives its weight to its ρ×ρ patch.

    Args:
        core: the core of the operator.
        operator: an operator of rank spatial.
        finer: a divisor of its ratio; 1 leaves no reduction, more are for averages.
    """
    rank = operator.rank
    assert isinstance(rank, SpatialRank)
    patch = rank.ratio // finer
    factor, entries = _factor(rank, core.values, patch), of_reduction(on_map(operator))
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
