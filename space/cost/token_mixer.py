"""Cost of a token mixer: its rank wrapper, the mixing inside, and its bias."""

from space.axes import Dynamics, Rank
from space.cost.mixing import mixing_cost
from space.cost.tally import Cost, linear, norm
from space.geometry import MapSize, channel_groups, inner_width, joint_rank, source_size
from space.mixer import Mixer


def token_mixer_cost(
    mixer: Mixer, width: int, size: MapSize, shifted: bool, own_context: bool
) -> Cost:
    """Cost of `space.operators.TokenMixer`.

    Args:
        mixer, width, size, shifted: as for the operator.
        own_context: whether the scaffold makes dynamic weights from another map than the values,
            so that a rank wrapper has to reduce both.
    """
    bias = Cost(params=width if mixer.bias else 0)
    if mixer.rank is Rank.JOINT:
        entries, rank = size.positions * width, joint_rank(mixer, width, size)
        return linear(entries, rank, 1, bias=False) + linear(rank, entries, 1, bias=False) + bias
    return (
        _RANKS[mixer.rank](mixer, width, size, own_context)
        + bias
        + mixing_cost(mixer, width, size, shifted)
    )


def _full(mixer: Mixer, width: int, size: MapSize, own_context: bool) -> Cost:
    return Cost()


def _channel(mixer: Mixer, width: int, size: MapSize, own_context: bool) -> Cost:
    inner = inner_width(mixer, width)
    down = linear(width, inner, size.positions, bias=False)
    twice = own_context and mixer.dynamics is not Dynamics.STATIC
    return down + linear(inner, width, size.positions, bias=False) + _again(down, twice)


def _spatial(mixer: Mixer, width: int, size: MapSize, own_context: bool) -> Cost:
    normed = bool(mixer.reduction_norm)
    reduction = norm(width) if normed else Cost()
    if mixer.reduction != "average":
        groups = 1 if mixer.reduction == "dense" else channel_groups(mixer, width)
        weights = width * (width // groups) * (mixer.ratio or 1) ** 2
        bias = width if normed else 0
        reduction += Cost(weights + bias, weights * source_size(mixer, size).positions)
    twice = own_context and mixer.dynamics is Dynamics.ATTENTION
    return reduction + _again(reduction, twice)


def _again(part: Cost, twice: bool) -> Cost:
    """The same parameters applied once more."""
    return Cost(macs=part.macs) if twice else Cost()


_RANKS = {Rank.FULL: _full, Rank.CHANNEL: _channel, Rank.SPATIAL: _spatial}
