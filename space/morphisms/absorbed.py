"""Rank factors absorbed into the core: up · W · down, or W after a reduction, as one W."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from space.axes import Locality, Rank
from space.errors import InputError
from space.geometry import MapSize
from space.mixer import Mixer
from space.morphisms.core import Core
from space.morphisms.tensors import looked_up
from space.operators import TokenMixer
from space.operators.rank import ChannelRank, JointRank, SpatialRank
from space.structure.entries import ZERO, IntArray


def bottleneck(core: Core, rank: ChannelRank) -> Core:
    """up · W · down at every pair of positions, dense in the channels."""
    down, up = (part.weight.detach()[:, :, 0, 0] for part in (rank.down, rank.up))
    product = torch.einsum("cd,dkph,ke->ceph", up, core.dense_values(), down)
    width = up.shape[0]
    return replace(
        core,
        channels=np.arange(width * width).reshape(width, width),
        values=product.flatten(0, 1),
        reads=None if core.reads is None else core.reads @ down,
    )


def joint(operator: TokenMixer, rank: JointRank) -> Core:
    """The product of the two thin factors: a global, dense, unshared W."""
    positions, width = operator.size.positions, operator.width
    product = rank.up.weight.detach() @ rank.down.weight.detach()
    shape = (width, positions, width, positions)
    values = product.reshape(shape).transpose(1, 2).reshape(width * width, positions**2, 1)
    return Core(
        positions=lambda p, q: p * positions + q,
        targets=positions,
        sources=positions,
        channels=np.arange(width * width).reshape(width, width),
        values=values,
    )


@dataclass(frozen=True)
class Factor:
    """A reduction of ρ×ρ positions to one: (d, d) numbers and (entries, ρ·ρ) values."""

    channels: IntArray
    values: Tensor


def reduction(core: Core, operator: TokenMixer, finer: int = 1) -> Core:
    """W on a map reduced by the ratio `finer`: a source gives its weight to its ρ×ρ patch.

    Args:
        core: the core of the operator.
        operator: an operator of rank spatial.
        finer: a divisor of its ratio; 1 leaves no reduction.

    Raises:
        InputError: where the reduction is no product with a finer one.
    """
    rank = operator.rank
    assert isinstance(rank, SpatialRank)
    if operator.mixer.reduction_norm:
        raise InputError.of("reduction_norm", "a layer norm inside the reduction is not linear")
    if rank.ratio % finer:
        raise InputError.of("ratio", f"{finer} does not divide {rank.ratio}")
    if finer > 1 and not isinstance(rank.reduction, nn.AvgPool2d):
        raise InputError.of("ratio", "only an average is an average of finer averages")
    patch = rank.ratio // finer
    factor = _factor(rank, core.values, operator.width, patch)
    widened = _over_patches(core, operator, finer, patch)
    if (factor.channels[~np.eye(operator.width, dtype=bool)] == ZERO).all():
        return _times_diagonal(widened, factor)
    return _times_blocks(widened, factor)


def _factor(rank: SpatialRank, like: Tensor, width: int, patch: int) -> Factor:
    if isinstance(rank.reduction, nn.AvgPool2d):
        channels = np.where(np.eye(width, dtype=bool), 0, ZERO)
        return Factor(channels, like.new_full((1, patch**2), 1 / patch**2))
    assert isinstance(rank.reduction, nn.Conv2d)
    weight = rank.reduction.weight.detach()
    return Factor(group_entries(width, weight.shape[1]), weight.flatten(2).flatten(0, 1))


def group_entries(width: int, inputs: int) -> IntArray:
    """(C, C) numbers of a convolution's entries, `inputs` channels a group."""
    out, read = np.arange(width)[:, None], np.arange(width)[None, :]
    return np.where(out // inputs == read // inputs, out * inputs + read % inputs, ZERO)


def _coarse(size: MapSize, patch: int) -> Callable[[IntArray], IntArray]:
    """The reduced position of a position of the map, patch×patch to one."""
    across = size.reduced(patch).width
    return lambda at: at // size.width // patch * across + at % size.width // patch


def _over_patches(core: Core, operator: TokenMixer, finer: int, patch: int) -> Core:
    """Every entry stands for patch × patch sources: entry · patch² + place in the patch."""
    fine = operator.size.reduced(finer)
    coarse = _coarse(fine, patch)

    def positions(p: IntArray, q: IntArray) -> IntArray:
        entry = core.positions(p, coarse(q))
        place = q // fine.width % patch * patch + q % fine.width % patch
        return np.where(entry >= 0, entry * patch**2 + place, ZERO)

    values = core.values.repeat_interleave(patch**2, 1)
    return replace(core, positions=positions, sources=fine.positions, values=values)


def repeated_targets(core: Core, special: TokenMixer, general: TokenMixer) -> Core:
    """W at the general operator's targets, where the special one repeats its result.

    Raises:
        InputError: if the general operator has fewer targets.
    """
    before, after = target_ratio(special.mixer), target_ratio(general.mixer)
    if before % after:
        raise InputError.of("positions", "the general mixer repeats what the special one does not")
    fine = special.size.reduced(after)
    coarse = _coarse(fine, before // after)
    return replace(
        core, positions=lambda p, q: core.positions(coarse(p), q), targets=fine.positions
    )


def target_ratio(mixer: Mixer) -> int:
    """Positions of an edge that get one result: R for a sliding mixer of rank spatial, else 1."""
    repeats = mixer.rank is Rank.SPATIAL and mixer.locality is Locality.SLIDING
    return (mixer.ratio or 1) if repeats else 1


def _times_diagonal(core: Core, factor: Factor) -> Core:
    """Ties between channels stay where both factors have them."""
    many = len(factor.values)
    pairs = np.where(core.channels >= 0, core.channels * many + np.diag(factor.channels), ZERO)
    distinct = np.unique(pairs[pairs >= 0])
    channels = np.where(pairs >= 0, np.searchsorted(distinct, pairs), ZERO)
    scale = looked_up(factor.values, distinct % many)
    scale = scale.repeat(1, core.values.shape[1] // scale.shape[1])
    values = looked_up(core.values, distinct // many) * scale.unsqueeze(-1)
    return replace(core, channels=channels, values=values)


def _times_blocks(core: Core, factor: Factor) -> Core:
    """A sum over the channels between the two factors."""
    width, patch = len(core.channels), factor.values.shape[1]
    reached = (core.channels >= 0).astype(int) @ (factor.channels >= 0).astype(int) > 0
    blocks = looked_up(factor.values, factor.channels)
    entries = core.dense_values().unflatten(2, (-1, patch))
    product = torch.einsum("cdeoh,dko->ckeoh", entries, blocks).flatten(2, 3)
    channels = np.where(reached, np.arange(width * width).reshape(width, width), ZERO)
    return replace(core, channels=channels, values=product.flatten(0, 1))
