"""Memory of blocks, stem, downsampling and head (mirrors `space.networks`).

Each takes its input from a caller who holds it until the part has returned, as modules do.
"""

from collections.abc import Callable

from space.architecture import BlockType, Downsample, Input, Stem
from space.cost.tape import (
    Tape,
    Tensor,
    batch_norm,
    convolution,
    gelu,
    layer_norm,
    linear,
    max_pool,
    relu,
    then,
)
from space.geometry import MapSize

Mix = Callable[[Tensor, Tensor], Tensor]
"""A token mixer, from values and context."""


def _mlp(t: Tape, x: Tensor, width: int, hidden: int) -> Tensor:
    expanded = linear(t, x, width, hidden)
    active = gelu(t, expanded)
    t.free(expanded)
    y = linear(t, active, hidden, width)
    t.free(active)
    return y


def _sum(t: Tape, x: Tensor, branch: Tensor) -> Tensor:
    return t.run(x.size, x, branch)


def _conv_block(t: Tape, mix: Mix, width: int, hidden: int, x: Tensor) -> Tensor:
    y = linear(t, x, width, width, bias=False)
    y = then(t, batch_norm, y, width)
    y = then(t, relu, y)
    y = then(t, lambda _, values: mix(values, values), y)
    y = then(t, batch_norm, y, width)
    y = then(t, relu, y)
    y = then(t, linear, y, width, width, False)
    y = then(t, batch_norm, y, width)
    between = _sum(t, x, y)
    t.free(y)
    normed = batch_norm(t, between, width)
    branch = then(t, _mlp, normed, width, hidden)
    total = _sum(t, between, branch)
    t.free(branch, between)
    return total


def _prenorm_block(t: Tape, mix: Mix, width: int, hidden: int, x: Tensor) -> Tensor:
    context = layer_norm(t, x, width)
    values = linear(t, context, width, width)
    y = then(t, lambda _, v: mix(v, context), values)
    mixed = then(t, linear, y, width, width)
    between = _sum(t, x, mixed)
    normed = layer_norm(t, between, width)
    branch = then(t, _mlp, normed, width, hidden)
    total = _sum(t, between, branch)
    t.free(branch, between, mixed, context)
    return total


def _convnext_block(t: Tape, mix: Mix, width: int, hidden: int, x: Tensor) -> Tensor:
    mixed = mix(x, x)
    normed = then(t, layer_norm, mixed, width)
    branch = then(t, _mlp, normed, width, hidden)
    t.save(branch)
    scaled = t.run(branch.size, branch, weights=width)
    t.free(branch)
    total = _sum(t, x, scaled)
    t.free(scaled)
    return total


BLOCKS: dict[BlockType, Callable[[Tape, Mix, int, int, Tensor], Tensor]] = {
    "conv": _conv_block,
    "prenorm": _prenorm_block,
    "convnext": _convnext_block,
}
"""A residual block of each type: (tape, token mixer, width, hidden channels, map) to map."""


def _padded(t: Tape, x: Tensor, size: int) -> Tensor:
    return t.run(size, x) if size > x.size else t.view(x)


def stem(t: Tape, images: Tensor, image: Input, width: int, patches: Stem) -> Tensor:
    """Pixels to tokens."""
    whole = MapSize(image.height, image.width)
    size = whole.reduced(patches.patch_size)
    pixels = image.channels * patches.kernel_size**2
    if patches.type != "patch":
        outputs = t.map(width, whole.reduced(patches.stride).positions)
        tokens = convolution(t, images, outputs, (pixels + 1) * width)
        if patches.type == "overlap":
            return then(t, layer_norm, tokens, width)
        pooled = then(t, max_pool, tokens, t.map(width, size.positions))
        normed = batch_norm(t, pooled, width)
        # A ReLU too, but what it saves is the map that the first block saves.
        y = t.run(normed.size, normed)
        t.free(pooled, normed)
        return y
    padded = _padded(t, images, t.map(pixels, size.positions))
    tokens = linear(t, padded, pixels, width)
    t.free(padded)
    return then(t, layer_norm, tokens, width)


def downsample(
    t: Tape, x: Tensor, before: int, after: int, size: MapSize, kind: Downsample
) -> Tensor:
    """From `before` to `after` channels; `size` is the smaller map."""
    covered = t.map(4 * before, size.positions)
    if kind == "conv":
        normed = layer_norm(t, x, before)
        padded = then(t, _padded, normed, covered)
        return then(t, linear, padded, 4 * before, after)
    padded = _padded(t, x, covered)
    neighbours = t.run(covered, padded)
    normed = then(t, layer_norm, neighbours, 4 * before)
    y = then(t, linear, normed, 4 * before, after, False)
    t.free(padded)
    return y


def head(t: Tape, x: Tensor, width: int, classes: int, norm: str) -> Tensor:
    """The last map to logits, or to what a classifier would read."""
    pooled_size = t.map(width, 1)
    if norm == "before":
        normed = layer_norm(t, x, width)
        pooled = then(t, lambda _, y: t.run(pooled_size, y), normed)
    else:
        pooled = then(t, layer_norm, t.run(pooled_size, x), width)
    return then(t, linear, pooled, width, classes) if classes else pooled
