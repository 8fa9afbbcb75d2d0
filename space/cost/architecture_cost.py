"""Cost of a whole network: stem, blocks, downsampling and head."""

import itertools

from space.architecture import Architecture, Downsample, Scaffold, Stage
from space.cost.tally import Cost, linear, norm
from space.cost.token_mixer import token_mixer_cost
from space.geometry import MapSize


def cost(architecture: Architecture) -> Cost:
    """Parameters and multiply-accumulates of the network, exact, for one image."""
    sizes = architecture.stage_sizes()
    stages = architecture.stages
    total = _stem(architecture, sizes[0]) + _head(architecture)
    for stage, size in zip(stages, sizes, strict=True):
        total += stage_cost(stage, size, architecture.scaffold)
    for (before, after), size in zip(itertools.pairwise(stages), sizes[1:], strict=True):
        total += downsample_cost(before.width, after.width, size, architecture.downsample)
    return total


def _stem(architecture: Architecture, size: MapSize) -> Cost:
    width = architecture.stages[0].width
    pixels = architecture.input.channels * architecture.stem.patch_size**2
    return linear(pixels, width, size.positions) + norm(width)


def _head(architecture: Architecture) -> Cost:
    width = architecture.stages[-1].width
    return norm(width) + linear(width, architecture.head.classes, 1)


def downsample_cost(before: int, after: int, size: MapSize, kind: Downsample) -> Cost:
    """From `before` to `after` channels while the map halves; `size` is the smaller map."""
    if kind == "conv":
        return norm(before) + linear(4 * before, after, size.positions)
    return norm(4 * before) + linear(4 * before, after, size.positions, bias=False)


def stage_cost(stage: Stage, size: MapSize, scaffold: Scaffold) -> Cost:
    """All blocks of a stage on a map of the given size."""
    around = _SCAFFOLDS[scaffold](stage, size)
    total = Cost()
    for block, mixer in enumerate(stage.block_mixers()):
        own_context = scaffold == "prenorm"
        total += around
        total += token_mixer_cost(mixer, stage.width, size, block % 2 == 1, own_context)
    return total


def _mlp(stage: Stage, size: MapSize) -> Cost:
    width, hidden, positions = stage.width, stage.hidden_width, size.positions
    return norm(width) + linear(width, hidden, positions) + linear(hidden, width, positions)


def _conv(stage: Stage, size: MapSize) -> Cost:
    width = stage.width
    pointwise = linear(width, width, size.positions, bias=False)
    norms = norm(width) + norm(width) + norm(width)
    return pointwise + pointwise + norms + _mlp(stage, size)


def _prenorm(stage: Stage, size: MapSize) -> Cost:
    projection = linear(stage.width, stage.width, size.positions)
    return norm(stage.width) + projection + projection + _mlp(stage, size)


def _convnext(stage: Stage, size: MapSize) -> Cost:
    layer_scale = Cost(params=stage.width)
    return _mlp(stage, size) + layer_scale


_SCAFFOLDS = {"conv": _conv, "prenorm": _prenorm, "convnext": _convnext}
