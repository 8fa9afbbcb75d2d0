"""Cost of a whole network: stem, blocks, downsampling and head.

Totals are made of plain numbers, and there is one `Cost` at the end: a search asks for thousands of
architectures, and nearly every one has pieces that no other one has had.
"""

from dataclasses import dataclass
from functools import lru_cache

from space.architecture import (
    Architecture,
    BlockType,
    Downsample,
    Input,
    Stage,
    Stem,
    refuse_other_than_architecture,
)
from space.cost.mixer_cost import MixerCost, token_mixer_cost
from space.geometry import MapSize, map_sizes
from space.mixer import Mixer

LARGE = 1 << 17
"""Blocks with a mixer whose cost is kept, a few hundred bytes each: the architectures of a space
share most of them."""
SMALL = 1 << 14
"""Stems, heads and downsampling layers that are kept."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Cost of a network or of a part of it, for one image.

    Attributes:
        params: trainable parameters.
        macs: multiply-accumulates of convolutions, linear maps and mixing sums, counted as torch
            counts them (padding included, norms and activations not). Papers print these as FLOPs.
        unseen_macs: the share of `macs` that torch's `FlopCounterMode` cannot see, because
            the sums over neighbourhoods are made by shifting and accumulating.
    """

    params: int = 0
    macs: int = 0
    unseen_macs: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            self.params + other.params,
            self.macs + other.macs,
            self.unseen_macs + other.unseen_macs,
        )

    @property
    def flops(self) -> int:
        """What papers call FLOPs: the multiply-accumulates."""
        return self.macs


def linear(inputs: int, outputs: int, positions: int, bias: bool = True) -> Cost:
    """A linear map of the channels at a number of positions."""
    return Cost(inputs * outputs + bias * outputs, inputs * outputs * positions)


def norm(width: int) -> Cost:
    """Batch or layer norm: a scale and an offset a channel; its arithmetic is not counted."""
    return Cost(params=2 * width)


Totals = tuple[int, int, int]
"""The fields of `Cost`."""


def cost(architecture: Architecture) -> Cost:
    """Parameters and multiply-accumulates of the network, exact, for one image.

    Raises:
        InputError: for what is no architecture.
    """
    refuse_other_than_architecture(architecture)
    image, patches, stages = architecture.input, architecture.stem, architecture.stages
    sizes = _stage_sizes(image.height, image.width, patches.patch_size, len(stages))
    block_type, kind, width = architecture.block_type, architecture.downsample, stages[0].width
    stem = stem_cost(image, patches, width)
    head = head_cost(stages[-1].width, architecture.head.classes)
    params, macs, unseen = stem.params + head.params, stem.macs + head.macs, 0
    for index, stage in enumerate(stages):
        size = sizes[index]
        if index:
            down = downsample_cost(width, stage.width, size.positions, kind)
            params += down.params
            macs += down.macs
            width = stage.width
        more_params, more_macs, more_unseen = _stage(stage, size, block_type)
        params += more_params
        macs += more_macs
        unseen += more_unseen
    return Cost(params, macs, unseen)


def part_costs(architecture: Architecture) -> dict[str, Cost]:
    """The cost of each part by its name, in the order of the network; together its own cost."""
    stages, sizes = architecture.stages, architecture.stage_sizes()
    parts = {"stem": stem_cost(architecture.input, architecture.stem, stages[0].width)}
    for index, (stage, size) in enumerate(zip(stages, sizes, strict=True)):
        if index:
            parts[f"downsampling to stage {index + 1}"] = downsample_cost(
                stages[index - 1].width, stage.width, size.positions, architecture.downsample
            )
        parts[f"stage {index + 1}"] = Cost(*_stage(stage, size, architecture.block_type))
    return parts | {"head": head_cost(stages[-1].width, architecture.head.classes)}


@lru_cache(SMALL)
def _stage_sizes(height: int, width: int, patch_size: int, stages: int) -> tuple[MapSize, ...]:
    """As `Architecture.stage_sizes`, for all images of one size at once."""
    return map_sizes(MapSize(height, width), patch_size, stages)


@lru_cache(SMALL)
def stem_cost(image: Input, stem: Stem, width: int) -> Cost:
    """From images to tokens of `width` channels."""
    outputs = MapSize(image.height, image.width).reduced(stem.stride)
    return linear(image.channels * stem.kernel_size**2, width, outputs.positions) + norm(width)


@lru_cache(SMALL)
def head_cost(width: int, classes: int) -> Cost:
    """From the last map to logits."""
    return norm(width) + linear(width, classes, 1)


@lru_cache(SMALL)
def downsample_cost(before: int, after: int, positions: int, kind: Downsample) -> Cost:
    """From `before` to `after` channels while the map halves, to so many positions."""
    if kind == "conv":
        return norm(before) + linear(4 * before, after, positions)
    return norm(4 * before) + linear(4 * before, after, positions, bias=False)


def place_cost(
    block_type: BlockType,
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
        block_type, mixer, width, hidden, size: of these blocks; hidden channels of the MLP.
    """
    blocks = len(range(place, depth, step))
    around = _around(block_type, width, hidden, size.positions)
    params, macs, unseen = _mixers(block_type, mixer, place, step, depth, width, size)
    return Cost(params + blocks * around.params, macs + blocks * around.macs, unseen)


def _stage(stage: Stage, size: MapSize, block_type: BlockType) -> Totals:
    depth, width, mixers = stage.depth, stage.width, stage.mixers
    step, unseen = len(mixers), 0
    around = _around(block_type, width, stage.hidden_width, size.height * size.width)
    params, macs = depth * around.params, depth * around.macs
    for place, mixer in enumerate(mixers):
        more = _mixers(block_type, mixer, place, step, depth, width, size)
        params += more[0]
        macs += more[1]
        unseen += more[2]
    return params, macs, unseen


def _mixers(
    block_type: BlockType,
    mixer: Mixer,
    place: int,
    step: int,
    depth: int,
    width: int,
    size: MapSize,
) -> Totals:
    """The mixers of all blocks of a stage at one place of its pattern."""
    params, macs, unseen, moved, context = _mixer(mixer, width, size.height, size.width)
    blocks = -((place - depth) // step)
    if context and block_type == "prenorm":
        macs += context
    macs *= blocks
    if moved:
        macs += moved * sum(block % 2 for block in range(place, depth, step))
    return blocks * params, macs, blocks * unseen


@lru_cache(LARGE)
def _mixer(mixer: Mixer, width: int, height: int, across: int) -> MixerCost:
    return token_mixer_cost(mixer, width, MapSize(height, across))


@lru_cache(SMALL)
def _around(block_type: BlockType, width: int, hidden: int, positions: int) -> Cost:
    """A block without its mixer."""
    return _BLOCKS[block_type](width, hidden, positions)


def _mlp(width: int, hidden: int, positions: int) -> Cost:
    expand, contract = linear(width, hidden, positions), linear(hidden, width, positions)
    return norm(width) + expand + contract


def _conv(width: int, hidden: int, positions: int) -> Cost:
    pointwise = linear(width, width, positions, bias=False)
    norms = norm(width) + norm(width) + norm(width)
    return pointwise + pointwise + norms + _mlp(width, hidden, positions)


def _prenorm(width: int, hidden: int, positions: int) -> Cost:
    projection = linear(width, width, positions)
    return norm(width) + projection + projection + _mlp(width, hidden, positions)


def _convnext(width: int, hidden: int, positions: int) -> Cost:
    layer_scale = Cost(params=width)
    return _mlp(width, hidden, positions) + layer_scale


_BLOCKS = {"conv": _conv, "prenorm": _prenorm, "convnext": _convnext}
