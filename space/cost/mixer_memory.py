"""Memory of a token mixer: rank wrapper, weights, sums, bias (mirrors `space.operators.token_mixer`
and `space.operators.rank`)."""

from typing import NamedTuple

from space.axes import Locality, Rank
from space.cost.custom_cost import custom_memory
from space.cost.memory_plan import MemoryPlan, channels_last
from space.cost.mixing_memory import aggregate, make_weights
from space.cost.tape import FLOAT, Tape, Tensor, convolution, layer_norm, linear, then
from space.custom import CustomMixer
from space.geometry import MapSize, channel_groups, joint_rank
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
    if isinstance(mixer, CustomMixer):
        return _custom_mixer(t, mixer, width, size, values, context or values)
    plan = MemoryPlan.of(mixer, width, size, shifted)
    inputs = _enter(t, plan, width, values, context or values)
    mixed = inputs.values if mixer.rank is Rank.JOINT else _weighted_sum(t, plan, inputs)
    y = _leave(t, plan, width, size, mixed)
    if mixer.bias:
        whole, y = y, t.run(values.size, y, weights=width)
        t.free(whole)
    t.free(*inputs)
    if mixer.rank is not Rank.JOINT:
        t.free(mixed)
    return y


def _custom_mixer(
    t: Tape, mixer: CustomMixer, width: int, size: MapSize, values: Tensor, context: Tensor
) -> Tensor:
    """A module that nobody mirrors here: as it was traced, from the outside."""
    traced = custom_memory(mixer, width, size, t.batch)
    if traced.saves_values:
        t.save(values)
    if traced.saves_context:
        t.save(context)
    t.save_bytes(traced.saved)
    t.moved += traced.moved
    t.peak = max(t.peak, t.live + traced.peak)
    y = t.make(t.map(width, size.positions))
    if traced.saves_result:
        t.save(y)
    return y


def _weighted_sum(t: Tape, plan: MemoryPlan, inputs: Inputs) -> Tensor:
    weights = make_weights(t, plan, inputs.targets, inputs.sources)
    mixed = aggregate(t, plan, inputs.values, weights)
    t.free(weights)
    return mixed


def _enter(t: Tape, plan: MemoryPlan, width: int, values: Tensor, context: Tensor) -> Inputs:
    """What the mixing reads, as `space.operators.rank` makes it of the maps outside."""
    rank, source, same = plan.mixer.rank, plan.mixer.dynamics.source, context is values
    if rank is Rank.FULL:
        return Inputs(t.view(values), t.view(context), t.view(context))
    if rank is Rank.SPATIAL:
        reduced = _reduced(t, plan, values)
        shared = same or not source.reads_sources
        sources = t.view(reduced) if shared else _reduced(t, plan, context)
        return Inputs(reduced, t.view(context), sources)
    if rank is Rank.JOINT:
        flat = t.copy_if(channels_last(width, plan.targets.positions), values)
        entries = joint_rank(plan.mixer, width, plan.targets)
        reduced = convolution(t, flat, FLOAT * t.batch * entries, _thin(plan))
        t.free(flat)
        return Inputs(reduced, t.view(reduced), t.view(reduced))
    reduced = linear(t, values, width, plan.width, bias=False)
    if same or not source.dynamic:
        return Inputs(reduced, t.view(reduced), t.view(reduced))
    context = linear(t, context, width, plan.width, bias=False)
    return Inputs(reduced, context, t.view(context))


def _leave(t: Tape, plan: MemoryPlan, width: int, size: MapSize, y: Tensor) -> Tensor:
    """The map that the mixed one becomes."""
    rank = plan.mixer.rank
    if rank is Rank.CHANNEL:
        return linear(t, y, plan.width, width, bias=False)
    if rank is Rank.JOINT:
        return convolution(t, y, t.map(width, size.positions), _thin(plan))
    if rank is Rank.FULL or plan.mixer.locality is not Locality.SLIDING:
        return t.view(y)
    repeated = t.run(y.size * (plan.mixer.ratio or 1) ** 2, y)
    return then(t, Tape.view, repeated, t.map(width, size.positions))


def _reduced(t: Tape, plan: MemoryPlan, x: Tensor) -> Tensor:
    mixer, width, positions = plan.mixer, plan.width, plan.sources.positions
    covered = t.map(width, positions * (mixer.ratio or 1) ** 2)
    padded = t.run(covered, x) if covered > x.size else t.view(x)
    y = convolution(t, padded, t.map(width, positions), _reduction_weights(mixer, width))
    if mixer.reduction_norm:
        y = then(t, layer_norm, y, width)
    t.free(padded)
    return y


def _reduction_weights(mixer: Mixer, width: int) -> int:
    if mixer.reduction == "average":
        return 0
    groups = 1 if mixer.reduction == "dense" else channel_groups(mixer, width)
    return width * (width // groups) * (mixer.ratio or 1) ** 2 + width * bool(mixer.reduction_norm)


def _thin(plan: MemoryPlan) -> int:
    """Entries of one of the two thin factors of rank joint."""
    entries = plan.targets.positions * plan.width
    return entries * joint_rank(plan.mixer, plan.width, plan.targets)
