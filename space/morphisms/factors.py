"""Lifting the rank factors: bottlenecks, reductions of the sources, joint factors."""

import torch
from torch import Tensor, nn

from space.inclusion.mixers import absorbed_to, bottleneck_places, taken_kernels
from space.inclusion.numbers import repeated_targets
from space.morphisms import absorbed
from space.morphisms.core import Core
from space.morphisms.placed import placed
from space.morphisms.tensors import looked_up, split_over_copies, to_device
from space.operators import TokenMixer
from space.operators.rank import ChannelRank, JointRank, SpatialRank
from space.structure.entries import IntArray


def lift_bottleneck(special: TokenMixer, general: TokenMixer, copies: int) -> IntArray:
    """The factors C → d → C; channels that only the general one has stay unread."""
    ours, theirs = special.rank, general.rank
    assert isinstance(ours, ChannelRank)
    assert isinstance(theirs, ChannelRank)
    places = bottleneck_places(placed(special), placed(general))
    rows = to_device(places, theirs.up.weight)
    theirs.down.weight[rows] = split_over_copies(ours.down.weight, copies)
    theirs.up.weight.zero_()
    theirs.up.weight[:, rows] = ours.up.weight.repeat_interleave(copies, 0)
    return places


def with_reduction(core: Core, special: TokenMixer, general: TokenMixer, copies: int) -> Core:
    """The core with as much of the reduction absorbed as the general operator does not do."""
    core = repeated_targets(core, placed(special), placed(general))
    finer = absorbed_to(placed(special), placed(general))
    if finer is None:
        lift_reduction(special, general, copies)
        return core
    if isinstance(general.rank, SpatialRank):
        _set_average(general.rank)
    return absorbed.reduction(core, special, finer)


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
        taken = taken_kernels(placed(special), placed(general))
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
