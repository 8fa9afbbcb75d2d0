"""Memory of the weights of attention (mirrors `module`)."""

from space.cost.memory_plan import (
    MemoryPlan,
    batch_last,
    neighbourhood_dot,
    scattered,
    split,
    without,
)
from space.cost.tape import FLOAT, Tape, Tensor, linear, masked, product, softmax, then
from space.geometry import tile_edges


def make_weights(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    """Logits of queries and keys, and their softmax over the reach."""
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
        logits = then(t, without, logits, plan.mask)
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
