"""Memory of the mixing itself: weight sources, and the aggregators that apply weights to a map
(mirrors `space.operators.weight_sources`, `attention` and `aggregators`)."""

from space.axes import Dynamics
from space.cost.memory_plan import (
    MemoryPlan,
    batch_last,
    channels_last,
    join,
    neighbourhood_dot,
    neighbourhood_sum,
    scattered,
    split,
)
from space.cost.tape import (
    FLOAT,
    Tape,
    Tensor,
    batch_norm,
    linear,
    masked,
    product,
    relu,
    softmax,
    then,
)
from space.geometry import generator_width, tile_edges, weight_sets


def make_weights(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    """The weights of a mixer, as its aggregator takes them."""
    return _SOURCES[plan.mixer.dynamics](t, plan, targets, sources)


def _static(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    untied = plan.target_tiles.positions if plan.tiled else 1
    if not plan.tiled and not plan.mixer.position_shared:
        untied = plan.targets.positions
    return t.parameter(weight_sets(plan.mixer, plan.width) * plan.taps * untied)


def _generated(t: Tape, plan: MemoryPlan, x: Tensor) -> Tensor:
    """1×1 C→C/4 → BN → ReLU → 1×1 → weights."""
    homogeneous = plan.mixer.dynamics is Dynamics.HOMOGENEOUS
    hidden = generator_width(plan.mixer, plan.width)
    y = linear(t, x, plan.width, hidden, bias=not homogeneous)
    y = then(t, batch_norm, y, hidden)
    y = then(t, relu, y)
    return then(t, linear, y, hidden, weight_sets(plan.mixer, plan.width) * plan.taps)


def _homogeneous(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    pooled = t.run(t.map(plan.width, 1), targets)
    kernels = _generated(t, plan, pooled)
    t.free(pooled)
    return kernels


def _inhomogeneous(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    generated = _generated(t, plan, targets)
    if not plan.tiled:
        return generated
    tiles = plan.target_tiles
    width = plan.outputs * plan.taps
    weights = split(t, generated, width, tiles, plan.weights_channels_last)
    if plan.mask:
        weights = then(t, _without, weights, plan.mask)
    t.free(generated)
    return weights


def _without(t: Tape, x: Tensor, apart: int) -> Tensor:
    """x with the entries filled that a mask of `apart` bytes, repeated for each image, names.

    The result lies in the order of its axes, whatever x does.
    """
    repeated = t.run(t.batch * apart, t.buffer(apart))
    y = masked(t, x, repeated)
    t.free(repeated)
    return y


def _attention(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    width, biased = plan.width, bool(plan.mixer.query_key_bias)
    # Scaling makes a map of its own.
    query = then(t, Tape.copy, linear(t, targets, width, width, biased))
    key = linear(t, sources, width, width, biased)
    logits = _tile_logits if plan.tiled else _neighbourhood_logits
    weights = logits(t, plan, query, key)
    t.free(query, key)
    return weights


def _neighbourhood_logits(t: Tape, plan: MemoryPlan, query: Tensor, key: Tensor) -> Tensor:
    targets = batch_last(t, query, plan.channels_last)
    sources = batch_last(t, key, plan.channels_last)
    logits = neighbourhood_dot(t, targets, sources, plan)
    t.free(targets, sources)
    if plan.mixer.position_bias:
        logits = then(t, Tape.copy, logits)
    outside = t.buffer(plan.taps * plan.targets.positions)
    logits = then(t, masked, logits, outside)
    return then(t, softmax, logits)


def _tile_logits(t: Tape, plan: MemoryPlan, query: Tensor, key: Tensor) -> Tensor:
    tiles, source_tiles = plan.target_tiles, plan.source_tiles
    last, heads = plan.channels_last, plan.outputs
    queries = split(t, query, plan.width, tiles, last)
    keys = split(t, key, plan.width, source_tiles, last)
    left = t.copy_if(scattered(t, heads, tiles, last), queries)
    right = t.copy_if(scattered(t, heads, source_tiles, last), keys)
    logits = product(t, t.map(plan.outputs, tiles.count * tiles.positions * plan.taps), left, right)
    t.free(left, right)
    if plan.mixer.position_bias:
        logits = _with_position_bias(t, plan, logits)
    if plan.mask:
        logits = then(t, _without, logits, plan.mask)
    weights = softmax(t, logits)
    t.free(queries, keys, logits)
    return weights


def _with_position_bias(t: Tape, plan: MemoryPlan, logits: Tensor) -> Tensor:
    """Adds the biases, looked up in their table by an index of 64-bit integers."""
    pairs = plan.target_tiles.positions * plan.taps
    height, width = tile_edges(plan.mixer, plan.targets)
    t.save_bytes(2 * FLOAT * pairs)
    table = (2 * height - 1) * (2 * width - 1) * plan.outputs
    bias = t.run(FLOAT * pairs * plan.outputs, weights=table + 2 * pairs)
    total = t.run(logits.size, logits, bias)
    t.free(bias, logits)
    return total


_SOURCES = {
    Dynamics.STATIC: _static,
    Dynamics.HOMOGENEOUS: _homogeneous,
    Dynamics.INHOMOGENEOUS: _inhomogeneous,
    Dynamics.ATTENTION: _attention,
}


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
    own = plan.mixer.dynamics is not Dynamics.STATIC
    # Kernels of its own for each image: the maps of all images side by side, channels first.
    flat = t.copy_if(own and plan.channels_last, x)
    y = product(t, x.size, flat, kernels)
    t.free(kernels, flat)
    return y


def _neighbourhood_sum(t: Tape, plan: MemoryPlan, x: Tensor, weights: Tensor) -> Tensor:
    static = plan.mixer.dynamics is Dynamics.STATIC
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
    static = plan.mixer.dynamics is Dynamics.STATIC
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
