"""Weight sources (mirrors `space.operators.weight_sources` and `space.operators.attention`)."""

from space.axes import Dynamics
from space.cost.activations import layers
from space.cost.activations.neighbourhood import batch_last, neighbourhood_dot
from space.cost.activations.plan import Plan
from space.cost.activations.tape import FLOAT, Tape, Tensor
from space.cost.activations.tiles import scattered, split
from space.geometry import generator_width, tile_edges, weight_sets


def make_weights(t: Tape, plan: Plan, targets: Tensor, sources: Tensor) -> Tensor:
    """The weights of a mixer, as its aggregator takes them."""
    return _SOURCES[plan.mixer.dynamics](t, plan, targets, sources)


def _static(t: Tape, plan: Plan, targets: Tensor, sources: Tensor) -> Tensor:
    untied = plan.target_tiles.positions if plan.tiled else 1
    if not plan.tiled and not plan.mixer.position_shared:
        untied = plan.targets.positions
    return t.parameter(weight_sets(plan.mixer, plan.width) * plan.taps * untied)


def _generated(t: Tape, plan: Plan, x: Tensor) -> Tensor:
    """1×1 C→C/4 → BN → ReLU → 1×1 → weights."""
    homogeneous = plan.mixer.dynamics is Dynamics.HOMOGENEOUS
    hidden = generator_width(plan.mixer, plan.width)
    reduced = layers.linear(t, x, plan.width, hidden, bias=not homogeneous)
    normed = layers.batch_norm(t, reduced, hidden)
    t.free(reduced)
    active = layers.relu(t, normed)
    t.free(normed)
    made = layers.linear(t, active, hidden, weight_sets(plan.mixer, plan.width) * plan.taps)
    t.free(active)
    return made


def _homogeneous(t: Tape, plan: Plan, targets: Tensor, sources: Tensor) -> Tensor:
    pooled = t.run(t.map(plan.width, 1), targets)
    kernels = _generated(t, plan, pooled)
    t.free(pooled)
    return kernels


def _inhomogeneous(t: Tape, plan: Plan, targets: Tensor, sources: Tensor) -> Tensor:
    generated = _generated(t, plan, targets)
    if not plan.tiled:
        return generated
    tiles = plan.target_tiles
    width = plan.outputs * plan.taps
    weights = split(t, generated, width, tiles, plan.weights_channels_last)
    if plan.mask:
        whole, weights = weights, _without(t, weights, plan.mask)
        t.free(whole)
    t.free(generated)
    return weights


def _without(t: Tape, x: Tensor, apart: int) -> Tensor:
    """x with the entries filled that a mask of `apart` bytes, repeated for each image, names.

    The result lies in the order of its axes, whatever x does.
    """
    repeated = t.run(t.batch * apart, t.buffer(apart))
    y = layers.masked(t, x, repeated)
    t.free(repeated)
    return y


def _attention(t: Tape, plan: Plan, targets: Tensor, sources: Tensor) -> Tensor:
    width, biased = plan.width, bool(plan.mixer.query_key_bias)
    projected = layers.linear(t, targets, width, width, biased)
    query = t.run(projected.size, projected)
    t.free(projected)
    key = layers.linear(t, sources, width, width, biased)
    logits = _tile_logits if plan.tiled else _neighbourhood_logits
    weights = logits(t, plan, query, key)
    t.free(query, key)
    return weights


def _neighbourhood_logits(t: Tape, plan: Plan, query: Tensor, key: Tensor) -> Tensor:
    targets = batch_last(t, query, plan.channels_last)
    sources = batch_last(t, key, plan.channels_last)
    logits = neighbourhood_dot(t, targets, sources, plan)
    t.free(targets, sources)
    if plan.mixer.position_bias:
        logits = _replaced(t, logits, t.run(logits.size, logits))
    outside = t.buffer(plan.taps * plan.targets.positions)
    logits = _replaced(t, logits, layers.masked(t, logits, outside))
    return _replaced(t, logits, layers.softmax(t, logits))


def _tile_logits(t: Tape, plan: Plan, query: Tensor, key: Tensor) -> Tensor:
    tiles, source_tiles = plan.target_tiles, plan.source_tiles
    last, heads = plan.channels_last, plan.outputs
    queries = split(t, query, plan.width, tiles, last)
    keys = split(t, key, plan.width, source_tiles, last)
    left = t.copy_if(scattered(t, heads, tiles, last), queries)
    right = t.copy_if(scattered(t, heads, source_tiles, last), keys)
    logits = layers.product(
        t, t.map(plan.outputs, tiles.count * tiles.positions * plan.taps), left, right
    )
    t.free(left, right)
    if plan.mixer.position_bias:
        logits = _with_position_bias(t, plan, logits)
    if plan.mask:
        logits = _replaced(t, logits, _without(t, logits, plan.mask))
    weights = layers.softmax(t, logits)
    t.free(queries, keys, logits)
    return weights


def _with_position_bias(t: Tape, plan: Plan, logits: Tensor) -> Tensor:
    """Adds the biases, looked up in their table by an index of 64-bit integers."""
    pairs = plan.target_tiles.positions * plan.taps
    height, width = tile_edges(plan.mixer, plan.targets)
    t.save_bytes(2 * FLOAT * pairs)
    table = (2 * height - 1) * (2 * width - 1) * plan.outputs
    bias = t.run(FLOAT * pairs * plan.outputs, weights=table + 2 * pairs)
    total = t.run(logits.size, logits, bias)
    t.free(bias, logits)
    return total


def _replaced(t: Tape, old: Tensor, new: Tensor) -> Tensor:
    t.free(old)
    return new


_SOURCES = {
    Dynamics.STATIC: _static,
    Dynamics.HOMOGENEOUS: _homogeneous,
    Dynamics.INHOMOGENEOUS: _inhomogeneous,
    Dynamics.ATTENTION: _attention,
}
