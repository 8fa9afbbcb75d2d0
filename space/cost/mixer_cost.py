"""Cost of a token mixer: its rank wrapper, its bias, and the mixing inside: making the weights and
applying them (see `space.operators`).

Plain numbers, not `space.Cost`: in a space of many mixers, most of what an architecture's cost
takes is this.
"""

from collections.abc import Callable
from typing import NamedTuple

from space.axes import Channels, Dynamics, Locality, Rank
from space.cost.custom_cost import custom_cost
from space.custom import CustomMixer
from space.geometry import (
    MapSize,
    channel_groups,
    inner_width,
    joint_rank,
    rolls_tiles,
    source_size,
    target_size,
    tile_counts,
    tile_edges,
)
from space.mixer import Mixer
from space.source_registry import of_source

_FULL, _CHANNEL, _JOINT = Rank.FULL, Rank.CHANNEL, Rank.JOINT


class MixerCost(NamedTuple):
    """Cost of `space.operators.TokenMixer`, in the most frequent of its uses, and what others add.

    Attributes:
        params: parameters.
        macs, unseen_macs: as of `space.cost.Cost`, with tiles that are not moved.
        moved_macs: what moved tiles add: they are more, where they are not rolled.
        context_macs: what is added if the block type makes dynamic weights from another map than
            the values, so that a rank wrapper has to reduce both.
    """

    params: int
    macs: int
    unseen_macs: int
    moved_macs: int
    context_macs: int


def token_mixer_cost(mixer: Mixer, width: int, size: MapSize) -> MixerCost:
    """Cost of `space.operators.TokenMixer`, which has the same arguments.

    Raises:
        InputError: for a custom mixer that is not registered or cannot be traced.
    """
    if isinstance(mixer, CustomMixer):
        return MixerCost(*custom_cost(mixer, width, size), 0, 0)
    bias = width if mixer.bias else 0
    if mixer.rank is _JOINT:
        factors = 2 * size.positions * width * joint_rank(mixer, width, size)
        return MixerCost(factors + bias, factors, 0, 0, 0)
    params, macs, unseen, moved = mixing_cost(mixer, width, size)
    if mixer.rank is _FULL:
        return MixerCost(params + bias, macs, unseen, moved, 0)
    wrap = _bottleneck if mixer.rank is _CHANNEL else _reduction
    more_params, more_macs, context = wrap(mixer, width, size)
    return MixerCost(params + bias + more_params, macs + more_macs, unseen, moved, context)


def _bottleneck(mixer: Mixer, width: int, size: MapSize) -> tuple[int, int, int]:
    """Params, MACs, and MACs for a context of its own."""
    one_way = width * inner_width(mixer, width)
    down = one_way * size.positions
    return 2 * one_way, 2 * down, down if mixer.dynamics.source.dynamic else 0


def _reduction(mixer: Mixer, width: int, size: MapSize) -> tuple[int, int, int]:
    """Params, MACs, and MACs for a context of its own."""
    normed = bool(mixer.reduction_norm)
    params, macs = 2 * width * normed, 0
    if mixer.reduction != "average":
        groups = 1 if mixer.reduction == "dense" else channel_groups(mixer, width)
        weights = width * (width // groups) * (mixer.ratio or 1) ** 2
        params += weights + width * normed
        macs = weights * source_size(mixer, size).positions
    return params, macs, macs if mixer.dynamics.source.reads_sources else 0


Mixing = tuple[int, int, int, int]
"""Params, MACs, the unseen among them, and the MACs that moved tiles add."""

_WEIGHTS: dict[Dynamics, Callable[[Mixer, int, MapSize, MapSize, int, int], tuple[int, int]]] = {
    dynamics: of_source(dynamics, "costs", "weights") for dynamics in Dynamics
}
"""Params and MACs of making weights, without what `pair_macs` of their source says.

Of a mixer, at a width, from targets to sources; of so many taps, for so many targets whose weights
are not tied.
"""

_SLIDING, _WINDOW, _SEPARABLE = Locality.SLIDING, Locality.WINDOW, Channels.SEPARABLE


def mixing_cost(mixer: Mixer, width: int, size: MapSize) -> Mixing:
    """Weights and sums of a mixer that has no joint factors, without its rank wrapper."""
    width = inner_width(mixer, width)
    targets, sources = target_size(mixer, size), source_size(mixer, size)
    # Multiply-accumulates for one (target, source) pair.
    each = width * (width // channel_groups(mixer, width) + mixer.dynamics.source.pair_macs)
    if mixer.locality is _SLIDING:
        return _sliding(mixer, width, targets, sources, each)
    return _tiled(mixer, width, targets, sources, each)


def _sliding(mixer: Mixer, width: int, targets: MapSize, sources: MapSize, each: int) -> Mixing:
    taps, shared = (mixer.kernel_size or 1) ** 2, mixer.position_shared
    sums = targets.positions * taps * each
    # These sums are made by shifting and accumulating.
    unseen = sums if mixer.channels is _SEPARABLE and not shared else 0
    untied = 1 if shared else targets.positions
    params, macs = _WEIGHTS[mixer.dynamics](mixer, width, targets, sources, taps, untied)
    return params, macs + sums, unseen, 0


def _tiled(mixer: Mixer, width: int, targets: MapSize, sources: MapSize, each: int) -> Mixing:
    height, across = tile_edges(mixer, targets)
    source_edges = (height, across) if sources is targets else tile_edges(mixer, sources)
    tile, taps = height * across, source_edges[0] * source_edges[1]
    in_tile = tile * taps * each
    down, right = tile_counts(mixer, targets, False)
    sums, moved = down * right * in_tile, 0
    if mixer.locality is _WINDOW and mixer.shift and not rolls_tiles(mixer):
        down, right = tile_counts(mixer, targets, True)
        moved = down * right * in_tile - sums
    params, macs = _WEIGHTS[mixer.dynamics](mixer, width, targets, sources, taps, tile)
    return params, macs + sums, 0, moved
