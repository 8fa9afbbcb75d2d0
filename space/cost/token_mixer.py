"""Cost of a token mixer: its rank wrapper, the mixing inside, and its bias."""

from typing import NamedTuple

from space.axes import Dynamics, Rank
from space.cost.mixing import mixing_sums
from space.geometry import MapSize, channel_groups, inner_width, joint_rank, source_size
from space.mixer import Mixer

_FULL, _CHANNEL, _JOINT = Rank.FULL, Rank.CHANNEL, Rank.JOINT


class MixerCost(NamedTuple):
    """Cost of `space.operators.TokenMixer`, in the most frequent of its uses, and what others add.

    Attributes:
        params: parameters.
        macs, unseen_macs: as of `space.cost.Cost`, with tiles that are not moved.
        moved_macs: what moved tiles add: they are more, where they are not rolled.
        context_macs: what is added if the scaffold makes dynamic weights from another map than
            the values, so that a rank wrapper has to reduce both.
    """

    params: int
    macs: int
    unseen_macs: int
    moved_macs: int
    context_macs: int


def token_mixer_cost(mixer: Mixer, width: int, size: MapSize) -> MixerCost:
    """Cost of `space.operators.TokenMixer`, which has the same arguments."""
    bias = width if mixer.bias else 0
    if mixer.rank is _JOINT:
        factors = 2 * size.positions * width * joint_rank(mixer, width, size)
        return MixerCost(factors + bias, factors, 0, 0, 0)
    params, macs, unseen, moved = mixing_sums(mixer, width, size)
    if mixer.rank is _FULL:
        return MixerCost(params + bias, macs, unseen, moved, 0)
    wrap = _bottleneck if mixer.rank is _CHANNEL else _reduction
    more_params, more_macs, context = wrap(mixer, width, size)
    return MixerCost(params + bias + more_params, macs + more_macs, unseen, moved, context)


def _bottleneck(mixer: Mixer, width: int, size: MapSize) -> tuple[int, int, int]:
    """Params, MACs, and MACs for a context of its own."""
    one_way = width * inner_width(mixer, width)
    down = one_way * size.positions
    return 2 * one_way, 2 * down, 0 if mixer.dynamics is Dynamics.STATIC else down


def _reduction(mixer: Mixer, width: int, size: MapSize) -> tuple[int, int, int]:
    """Params, MACs, and MACs for a context of its own."""
    normed = bool(mixer.reduction_norm)
    params, macs = 2 * width * normed, 0
    if mixer.reduction != "average":
        groups = 1 if mixer.reduction == "dense" else channel_groups(mixer, width)
        weights = width * (width // groups) * (mixer.ratio or 1) ** 2
        params += weights + width * normed
        macs = weights * source_size(mixer, size).positions
    return params, macs, macs if mixer.dynamics is Dynamics.ATTENTION else 0
