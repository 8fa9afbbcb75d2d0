"""Cost of a whole network: stem, blocks, downsampling and head."""

from space.architecture import Architecture, Downsample, Scaffold, Stage
from space.axes import Locality
from space.cost.remembering import LARGE, SMALL, remembered
from space.cost.tally import Cost, linear, norm
from space.cost.token_mixer import token_mixer_cost
from space.geometry import MapSize
from space.mixer import Mixer


def cost(architecture: Architecture) -> Cost:
    """Parameters and multiply-accumulates of the network, exact, for one image."""
    sizes, stages = architecture.stage_sizes(), architecture.stages
    scaffold, kind, patch = architecture.scaffold, architecture.downsample, architecture.stem
    width = stages[0].width
    parts = [
        stem_cost(architecture.input.channels, patch.patch_size, width, sizes[0].positions),
        head_cost(stages[-1].width, architecture.head.classes),
    ]
    for index, stage in enumerate(stages):
        size, mixers = sizes[index], stage.mixers
        if index:
            parts.append(_downsample(width, stage.width, size.positions, kind))
        width, hidden, step, depth = stage.width, stage.hidden_width, len(mixers), stage.depth
        height, across = size.height, size.width
        for place, mixer in enumerate(mixers):
            parts.append(_place(scaffold, mixer, place, step, depth, width, hidden, height, across))
    params = macs = unseen = 0
    for part in parts:
        params += part.params
        macs += part.macs
        unseen += part.unseen_macs
    return Cost(params, macs, unseen)


@remembered(SMALL)
def stem_cost(channels: int, patch_size: int, width: int, positions: int) -> Cost:
    """From images of `channels` channels to `positions` tokens of `width` channels."""
    return linear(channels * patch_size**2, width, positions) + norm(width)


@remembered(SMALL)
def head_cost(width: int, classes: int) -> Cost:
    """From the last map to logits."""
    return norm(width) + linear(width, classes, 1)


def downsample_cost(before: int, after: int, size: MapSize, kind: Downsample) -> Cost:
    """From `before` to `after` channels while the map halves; `size` is the smaller map."""
    return _downsample(before, after, size.positions, kind)


@remembered(SMALL)
def _downsample(before: int, after: int, positions: int, kind: Downsample) -> Cost:
    if kind == "conv":
        return norm(before) + linear(4 * before, after, positions)
    return norm(4 * before) + linear(4 * before, after, positions, bias=False)


def stage_cost(stage: Stage, size: MapSize, scaffold: Scaffold) -> Cost:
    """All blocks of a stage on a map of the given size."""
    step, depth, width, hidden = len(stage.mixers), stage.depth, stage.width, stage.hidden_width
    total = Cost()
    for place, mixer in enumerate(stage.mixers):
        total += place_cost(scaffold, mixer, place, step, depth, width, hidden, size)
    return total


def place_cost(
    scaffold: Scaffold,
    mixer: Mixer,
    place: int,
    step: int,
    depth: int,
    width: int,
    hidden: int,
    size: MapSize,
) -> Cost:
    """All blocks of a stage at one place of its pattern.

    Args:
        place, step, depth: the blocks are range(place, depth, step).
        scaffold, mixer, width, hidden, size: of these blocks; hidden channels of the MLP.
    """
    return _place(scaffold, mixer, place, step, depth, width, hidden, size.height, size.width)


@remembered(LARGE)
def _place(
    scaffold: Scaffold,
    mixer: Mixer,
    place: int,
    step: int,
    depth: int,
    width: int,
    hidden: int,
    map_height: int,
    map_width: int,
) -> Cost:
    size, own_context = MapSize(map_height, map_width), scaffold == "prenorm"
    around = _SCAFFOLDS[scaffold](width, hidden, size)
    moves = mixer.locality is Locality.WINDOW
    total = Cost()
    for block in range(place, depth, step):
        shifted = moves and block % 2 == 1
        total += around + _mixer(mixer, width, size, shifted, own_context)
    return total


_mixer = remembered(LARGE)(token_mixer_cost)


def _mlp(width: int, hidden: int, size: MapSize) -> Cost:
    expand, contract = linear(width, hidden, size.positions), linear(hidden, width, size.positions)
    return norm(width) + expand + contract


def _conv(width: int, hidden: int, size: MapSize) -> Cost:
    pointwise = linear(width, width, size.positions, bias=False)
    norms = norm(width) + norm(width) + norm(width)
    return pointwise + pointwise + norms + _mlp(width, hidden, size)


def _prenorm(width: int, hidden: int, size: MapSize) -> Cost:
    projection = linear(width, width, size.positions)
    return norm(width) + projection + projection + _mlp(width, hidden, size)


def _convnext(width: int, hidden: int, size: MapSize) -> Cost:
    layer_scale = Cost(params=width)
    return _mlp(width, hidden, size) + layer_scale


_SCAFFOLDS = {"conv": _conv, "prenorm": _prenorm, "convnext": _convnext}
