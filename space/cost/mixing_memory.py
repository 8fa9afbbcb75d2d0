"""Memory of the mixing itself: weights, as their source makes them, and the aggregators that apply
them to a map (mirrors `space.operators.aggregators`)."""

from collections.abc import Callable

from space.axes import Dynamics
from space.cost.memory_plan import (
    MemoryPlan,
    batch_last,
    channels_last,
    join,
    neighbourhood_sum,
    scattered,
    split,
)
from space.cost.tape import Tape, Tensor, product
from space.source_registry import of_source

_MAKE_WEIGHTS: dict[Dynamics, Callable[[Tape, MemoryPlan, Tensor, Tensor], Tensor]] = {
    dynamics: of_source(dynamics, "memory", "make_weights") for dynamics in Dynamics
}


def make_weights(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    """The weights of a mixer, as its aggregator takes them."""
    return _MAKE_WEIGHTS[plan.mixer.dynamics](t, plan, targets, sources)


def aggregate(t: Tape, plan: MemoryPlan, x: Tensor, weights: Tensor) -> Tensor:
    """The weighted sums, a (B, C, H, W) map."""
    if plan.tiled:
        return _tile_product(t, plan, x, weights)
    if plan.mixer.position_shared:
        return _convolution(t, plan, x, weights)
    if plan.separable:
        return _neighbourhood_sum(t, plan, x, weights)
    return _neighbourhood_matrices(t, plan, x, weights)


def _convolution(t: Tape, plan: MemoryPlan, x: Tensor, weights: Tensor) -> Tensor:
    repeats = plan.width // plan.outputs
    # Repeating copies an expanded view, and reads each of its elements.
    expanded = t.view(weights, weights.size * repeats)
    kernels = t.copy_if(repeats > 1, expanded)
    t.free(expanded)
    own = plan.mixer.dynamics.source.dynamic
    # Kernels of its own for each image: the maps of all images side by side, channels first.
    flat = t.copy_if(own and plan.channels_last, x)
    y = product(t, x.size, flat, kernels)
    t.free(kernels, flat)
    return y


def _neighbourhood_sum(t: Tape, plan: MemoryPlan, x: Tensor, weights: Tensor) -> Tensor:
    static = not plan.mixer.dynamics.source.dynamic
    ready = t.view(weights) if static else batch_last(t, weights, plan.weights_channels_last)
    values = batch_last(t, x, plan.channels_last)
    y = neighbourhood_sum(t, ready, values, plan)
    t.free(ready, values)
    return y


def _neighbourhood_matrices(t: Tape, plan: MemoryPlan, x: Tensor, weights: Tensor) -> Tensor:
    """A matrix product at every position, over its unfolded neighbours and their channels."""
    grouped = plan.groups > 1
    neighbours = t.run(x.size * plan.taps, x)
    rows, matrices = t.copy_if(grouped, neighbours), t.copy_if(grouped, weights)
    mixed = product(t, x.size, rows, matrices)
    t.free(rows, matrices)
    y = t.copy_if(grouped, mixed)
    t.free(neighbours, mixed)
    return y


def _tile_product(t: Tape, plan: MemoryPlan, x: Tensor, weights: Tensor) -> Tensor:
    tiles = split(t, x, plan.width, plan.source_tiles, plan.channels_last)
    mix = _over_positions if plan.separable else _over_channels
    mixed = mix(t, plan, tiles, weights)
    positions = plan.targets.positions
    y = join(t, mixed, plan.width, plan.target_tiles, positions, plan.mixes_by_channel)
    t.free(tiles, mixed)
    return y


def _mixed_size(t: Tape, plan: MemoryPlan) -> int:
    return t.map(plan.width, plan.target_tiles.count * plan.target_tiles.positions)


def _over_positions(t: Tape, plan: MemoryPlan, tiles: Tensor, weights: Tensor) -> Tensor:
    cut, heads = plan.source_tiles, plan.outputs
    static = not plan.mixer.dynamics.source.dynamic
    products = t.batch * cut.count
    if static and products > 1:
        # One matrix for all tiles: a product a head over the channels of all tiles.
        moved = not plan.mixes_by_channel and (heads > 1 or cut.across == 1)
        rows = t.copy_if(moved, tiles)
        mixed = product(t, _mixed_size(t, plan), rows, weights)
        y = t.copy_if(heads > 1 and not plan.mixes_by_channel, mixed)
        t.free(rows, mixed)
        return y
    values = t.copy_if(scattered(t, heads, cut, plan.channels_last), tiles)
    split_anew = plan.weights_as_cut and scattered(t, heads, cut, plan.weights_channels_last)
    taps = t.copy_if(split_anew, weights)
    y = product(t, _mixed_size(t, plan), values, taps)
    t.free(values, taps)
    return y


def _over_channels(t: Tape, plan: MemoryPlan, tiles: Tensor, weights: Tensor) -> Tensor:
    cut = plan.source_tiles
    rows = t.copy_if(cut.across == 1 and channels_last(plan.inputs, cut.positions), tiles)
    mixed = product(t, _mixed_size(t, plan), rows, weights)
    y = t.copy_if(plan.groups > 1 and t.batch * cut.count > 1, mixed)
    t.free(rows, mixed)
    return y
