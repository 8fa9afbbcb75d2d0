"""Cost of the mixing itself: making the weights and applying them (see `space.operators`)."""

import math

from space.axes import Channels, Dynamics, Locality
from space.cost.tally import Cost, linear, norm
from space.geometry import (
    MapSize,
    channel_groups,
    generator_width,
    inner_width,
    source_size,
    target_size,
    tile_counts,
    tile_edges,
    weight_sets,
)
from space.mixer import Mixer


def mixing_cost(mixer: Mixer, width: int, size: MapSize, shifted: bool) -> Cost:
    """Weights and sums of a mixer that has no joint factors, without its rank wrapper."""
    width = inner_width(mixer, width)
    targets, sources = target_size(mixer, size), source_size(mixer, size)
    pairs = _pairs(mixer, targets, sources, shifted)
    macs = pairs * width * (width // channel_groups(mixer, width))
    unseen = macs if _shifts_and_accumulates(mixer) else 0
    weights = _WEIGHTS[mixer.dynamics](mixer, width, targets, sources, pairs)
    return Cost(macs=macs, unseen_macs=unseen) + weights


def _tiled(mixer: Mixer) -> bool:
    return mixer.locality is not Locality.SLIDING


def _shifts_and_accumulates(mixer: Mixer) -> bool:
    separable = mixer.channels is Channels.SEPARABLE
    return not _tiled(mixer) and not mixer.position_shared and separable


def _taps(mixer: Mixer, sources: MapSize) -> int:
    """Sources in the reach of one target, padding included."""
    if _tiled(mixer):
        return math.prod(tile_edges(mixer, sources))
    return (mixer.kernel_size or 1) ** 2


def _pairs(mixer: Mixer, targets: MapSize, sources: MapSize, shifted: bool) -> int:
    """(target, source) pairs over the map, padding included."""
    taps = _taps(mixer, sources)
    if not _tiled(mixer):
        return targets.positions * taps
    tiles = math.prod(tile_counts(mixer, targets, shifted))
    return tiles * math.prod(tile_edges(mixer, targets)) * taps


def _static(mixer: Mixer, width: int, targets: MapSize, sources: MapSize, pairs: int) -> Cost:
    if _tiled(mixer):
        untied = math.prod(tile_edges(mixer, targets))
    else:
        untied = 1 if mixer.position_shared else targets.positions
    return Cost(params=weight_sets(mixer, width) * untied * _taps(mixer, sources))


def _homogeneous(mixer: Mixer, width: int, targets: MapSize, sources: MapSize, pairs: int) -> Cost:
    hidden = generator_width(mixer, width)
    weights = weight_sets(mixer, width) * _taps(mixer, sources)
    return linear(width, hidden, 1, bias=False) + norm(hidden) + linear(hidden, weights, 1)


def _inhomogeneous(
    mixer: Mixer, width: int, targets: MapSize, sources: MapSize, pairs: int
) -> Cost:
    hidden, positions = generator_width(mixer, width), targets.positions
    weights = weight_sets(mixer, width) * _taps(mixer, sources)
    return linear(width, hidden, positions) + norm(hidden) + linear(hidden, weights, positions)


def _attention(mixer: Mixer, width: int, targets: MapSize, sources: MapSize, pairs: int) -> Cost:
    biased = bool(mixer.query_key_bias)
    logits = pairs * width
    unseen = logits if _shifts_and_accumulates(mixer) else 0
    return (
        linear(width, width, targets.positions, biased)
        + linear(width, width, sources.positions, biased)
        + Cost(_position_bias(mixer, targets), logits, unseen)
    )


def _position_bias(mixer: Mixer, targets: MapSize) -> int:
    if not mixer.position_bias:
        return 0
    heads = mixer.heads or 1
    if not _tiled(mixer):
        return heads * (mixer.kernel_size or 1) ** 2
    height, width = tile_edges(mixer, targets)
    return heads * (2 * height - 1) * (2 * width - 1)


_WEIGHTS = {
    Dynamics.STATIC: _static,
    Dynamics.HOMOGENEOUS: _homogeneous,
    Dynamics.INHOMOGENEOUS: _inhomogeneous,
    Dynamics.ATTENTION: _attention,
}
