"""Memory of a token mixer: rank wrapper, weights, sums, bias (mirrors `space.operators.token_mixer`
and `space.operators.rank`)."""

from typing import NamedTuple

from space.axes import Dynamics, Locality, Rank
from space.cost.memory_plan import MemoryPlan, channels_last
from space.cost.mixing_memory import aggregate, make_weights
from space.cost.tape import FLOAT, Tape, Tensor, convolution, layer_norm, linear
from space.geometry import MapSize, channel_groups, joint_rank, source_size
from space.mixer import Mixer


class Inputs(NamedTuple):
    """What the mixing reads: values at q, and the context at p and at q."""

    values: Tensor
    targets: Tensor
    sources: Tensor


def token_mixer(
    t: Tape,
    mixer: Mixer,
    width: int,
    size: MapSize,
    shifted: bool,
    values: Tensor,
    context: Tensor | None = None,
) -> Tensor:
    """The mixed map.

    Args:
        t: the tape.
        mixer, width, size, shifted: as for `space.operators.TokenMixer`.
        values, context: what is summed, and what dynamic weights are made from (the values).
    """
    plan = MemoryPlan.of(mixer, width, size, shifted)
    inputs = _ENTER[mixer.rank](t, plan, width, size, values, context or values)
    mixed = inputs.values if mixer.rank is Rank.JOINT else _weighted_sum(t, plan, inputs)
    y = _LEAVE[mixer.rank](t, plan, width, size, mixed)
    if mixer.bias:
        whole, y = y, t.run(values.size, y, weights=width)
        t.free(whole)
    t.free(*inputs)
    if mixer.rank is not Rank.JOINT:
        t.free(mixed)
    return y


def _weighted_sum(t: Tape, plan: MemoryPlan, inputs: Inputs) -> Tensor:
    weights = make_weights(t, plan, inputs.targets, inputs.sources)
    mixed = aggregate(t, plan, inputs.values, weights)
    t.free(weights)
    return mixed


def _enter_full(
    t: Tape, plan: MemoryPlan, width: int, size: MapSize, values: Tensor, context: Tensor
) -> Inputs:
    return Inputs(t.view(values), t.view(context), t.view(context))


def _leave_full(t: Tape, plan: MemoryPlan, width: int, size: MapSize, y: Tensor) -> Tensor:
    return t.view(y)


def _enter_channel(
    t: Tape, plan: MemoryPlan, width: int, size: MapSize, values: Tensor, context: Tensor
) -> Inputs:
    reduced = linear(t, values, width, plan.width, bias=False)
    if context is values or plan.mixer.dynamics is Dynamics.STATIC:
        return Inputs(reduced, t.view(reduced), t.view(reduced))
    context = linear(t, context, width, plan.width, bias=False)
    return Inputs(reduced, context, t.view(context))


def _leave_channel(t: Tape, plan: MemoryPlan, width: int, size: MapSize, y: Tensor) -> Tensor:
    return linear(t, y, plan.width, width, bias=False)


def _enter_spatial(
    t: Tape, plan: MemoryPlan, width: int, size: MapSize, values: Tensor, context: Tensor
) -> Inputs:
    reduced = _reduced(t, plan.mixer, width, size, values)
    shared = context is values or plan.mixer.dynamics is not Dynamics.ATTENTION
    sources = t.view(reduced) if shared else _reduced(t, plan.mixer, width, size, context)
    return Inputs(reduced, t.view(context), sources)


def _reduced(t: Tape, mixer: Mixer, width: int, size: MapSize, x: Tensor) -> Tensor:
    ratio, reduced = mixer.ratio or 1, source_size(mixer, size)
    covered = t.map(width, reduced.positions * ratio**2)
    padded = t.run(covered, x) if covered > x.size else t.view(x)
    y = convolution(t, padded, t.map(width, reduced.positions), _reduction_weights(mixer, width))
    if mixer.reduction_norm:
        y, plain = layer_norm(t, y, width), y
        t.free(plain)
    t.free(padded)
    return y


def _reduction_weights(mixer: Mixer, width: int) -> int:
    if mixer.reduction == "average":
        return 0
    groups = 1 if mixer.reduction == "dense" else channel_groups(mixer, width)
    return width * (width // groups) * (mixer.ratio or 1) ** 2 + width * bool(mixer.reduction_norm)


def _leave_spatial(t: Tape, plan: MemoryPlan, width: int, size: MapSize, y: Tensor) -> Tensor:
    if plan.mixer.locality is not Locality.SLIDING:
        return t.view(y)
    repeated = t.run(y.size * (plan.mixer.ratio or 1) ** 2, y)
    cropped = t.view(repeated, t.map(width, size.positions))
    t.free(repeated)
    return cropped


def _enter_joint(
    t: Tape, plan: MemoryPlan, width: int, size: MapSize, values: Tensor, context: Tensor
) -> Inputs:
    flat = t.copy_if(channels_last(width, size.positions), values)
    rank = joint_rank(plan.mixer, width, size)
    reduced = convolution(t, flat, FLOAT * t.batch * rank, _thin(plan.mixer, width, size))
    t.free(flat)
    return Inputs(reduced, t.view(reduced), t.view(reduced))


def _leave_joint(t: Tape, plan: MemoryPlan, width: int, size: MapSize, y: Tensor) -> Tensor:
    return convolution(t, y, t.map(width, size.positions), _thin(plan.mixer, width, size))


def _thin(mixer: Mixer, width: int, size: MapSize) -> int:
    """Entries of one of the two thin factors."""
    return size.positions * width * joint_rank(mixer, width, size)


_ENTER = {
    Rank.FULL: _enter_full,
    Rank.CHANNEL: _enter_channel,
    Rank.SPATIAL: _enter_spatial,
    Rank.JOINT: _enter_joint,
}
_LEAVE = {
    Rank.FULL: _leave_full,
    Rank.CHANNEL: _leave_channel,
    Rank.SPATIAL: _leave_spatial,
    Rank.JOINT: _leave_joint,
}
