"""Lifting the rank factors: bottlenecks, reductions of the sources, joint factors."""

import math

import numpy as np
import torch
from torch import Tensor, nn

from space.axes import Dynamics
from space.errors import InputError
from space.morphisms import absorbed
from space.morphisms.core import Core
from space.morphisms.correspondence import of_channels
from space.morphisms.tensors import looked_up, split_over_copies, to_device
from space.operators import TokenMixer
from space.operators.rank import ChannelRank, JointRank, SpatialRank
from space.structure.entries import IntArray


def places_of(special: TokenMixer, blocks: int, width: int) -> IntArray:
    """Where the special inner channels stand in `width`, each block in its own block."""
    inner = special.plan.width
    channel = np.arange(inner)
    each = inner // blocks
    return channel // each * (width // blocks) + channel % each


def lift_bottleneck(special: TokenMixer, general: TokenMixer, copies: int) -> IntArray:
    """The factors C → d → C; channels that only the general one has stay unread."""
    ours, theirs = special.rank, general.rank
    if not isinstance(ours, ChannelRank) or not isinstance(theirs, ChannelRank):
        raise InputError.of("rank", f"{special.mixer.rank} is not in {general.mixer.rank}")
    width = general.plan.width
    if width < special.plan.width:
        raise InputError.of("ratio", "the general bottleneck is narrower")
    ties = special.mixer.heads or general.mixer.groups or general.mixer.heads or 1
    blocks = math.gcd(special.plan.width, ties)
    places = places_of(special, blocks, width)
    rows = to_device(places, theirs.up.weight)
    theirs.down.weight[rows] = split_over_copies(ours.down.weight, copies)
    theirs.up.weight.zero_()
    theirs.up.weight[:, rows] = ours.up.weight.repeat_interleave(copies, 0)
    return places


def with_reduction(core: Core, special: TokenMixer, general: TokenMixer, copies: int) -> Core:
    """The core with as much of the reduction absorbed as the general operator does not do."""
    theirs = general.rank
    core = absorbed.repeated_targets(core, special, general)
    if not isinstance(theirs, SpatialRank):
        return absorbed.reduction(core, special)
    if special.mixer.ratio == general.mixer.ratio:
        lift_reduction(special, general, copies)
        return core
    core = absorbed.reduction(core, special, theirs.ratio)
    if general.mixer.reduction_norm:
        raise InputError.of("reduction_norm", "a layer norm inside the reduction is not linear")
    _set_average(theirs)
    return core


def _set_average(rank: SpatialRank) -> None:
    """Makes a reduction the average of its patches."""
    if isinstance(rank.reduction, nn.Conv2d):
        weight = rank.reduction.weight
        channel = torch.arange(weight.shape[0], device=weight.device)
        weight.zero_()
        weight[channel, channel % weight.shape[1]] = 1 / rank.ratio**2


def lift_reduction(special: TokenMixer, general: TokenMixer, copies: int) -> None:
    """The same reduction, its channels no sparser, with the same norm."""
    ours, theirs = special.rank, general.rank
    assert isinstance(ours, SpatialRank)
    assert isinstance(theirs, SpatialRank)
    if bool(special.mixer.reduction_norm) != bool(general.mixer.reduction_norm):
        raise InputError.of("reduction_norm", "only one of the two reductions has a layer norm")
    if isinstance(theirs.reduction, nn.Conv2d):
        _lift_kernels(ours.reduction, theirs, copies)
    elif not isinstance(ours.reduction, nn.AvgPool2d):
        raise InputError.of("reduction", f"{special.mixer.reduction} is no average")
    for name, value in ours.norm.named_parameters():
        theirs.norm.get_parameter(name).copy_(value.repeat_interleave(copies))


def _lift_kernels(ours: nn.Module, theirs: SpatialRank, copies: int) -> None:
    general = theirs.reduction
    assert isinstance(general, nn.Conv2d)
    if general.bias is not None:
        general.bias.zero_()
    if not isinstance(ours, nn.Conv2d):
        _set_average(theirs)
        return
    special = Core(
        positions=lambda p, q: q,
        targets=1,
        sources=theirs.ratio**2,
        channels=absorbed.group_entries(ours.weight.shape[0], ours.weight.shape[1]),
        values=ours.weight.flatten(2).flatten(0, 1).unsqueeze(-1),
    ).repeated(copies)
    entries = absorbed.group_entries(general.weight.shape[0], general.weight.shape[1])
    values = looked_up(special.values, of_channels(special.channels, entries))
    general.weight.copy_(values.reshape(general.weight.shape))
    if general.bias is not None and ours.bias is not None:
        general.bias.copy_(ours.bias.repeat_interleave(copies))


def lift_into_joint(special: TokenMixer, general: TokenMixer, copies: int) -> None:
    """Any fixed W of low rank: what enters the mixing, and what comes of it, as matrices."""
    rank = general.rank
    assert isinstance(rank, JointRank)
    if special.mixer.dynamics is not Dynamics.STATIC or special.mixer.reduction_norm:
        raise InputError.of("dynamics", "W depends on x, that of a joint low rank does not")
    down, up = _as_two_factors(special)
    if len(down) > len(rank.down.weight):
        raise InputError.of("ratio", f"rank {len(rank.down.weight)} is less than {len(down)}")
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
