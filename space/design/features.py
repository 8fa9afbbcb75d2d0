"""An architecture as numbers, for predictors and surrogate models."""

import math
from functools import lru_cache

from space.architecture import Architecture, BlockType, Stage
from space.axes import AXES
from space.cost import cost
from space.mixer import Mixer

_SIZES = ("kernel_size", "groups", "heads", "ratio", "generator_ratio")
_FLAGS = ("bias", "shift", "position_bias", "query_key_bias", "reduction_norm")
_REDUCTIONS = ("matched", "dense", "average")


def encode(architecture: Architecture, block_types: tuple[BlockType, ...]) -> list[float]:
    """Costs, block type, and for each stage its shape and what its mixers are.

    The length depends on the number of stages and of block types only. For every property of the
    mixers there is its mean over the blocks, and how much more the early blocks have of it, which
    is 0 where all blocks are alike.
    """
    spent = cost(architecture)
    numbers = [math.log10(spent.params), math.log10(spent.macs)]
    numbers.append(math.log2(architecture.stem.patch_size))
    numbers += [float(architecture.block_type == block_type) for block_type in block_types]
    for stage in architecture.stages:
        numbers += _encode_stage(stage)
    return numbers


def _encode_stage(stage: Stage) -> list[float]:
    shape = [float(stage.depth), math.log2(stage.width), float(stage.mlp_ratio)]
    return [*shape, *_encode_blocks(stage.block_mixers())]


@lru_cache(maxsize=4096)  # neighbours, and stages of one network, have most sequences in common
def _encode_blocks(mixers: tuple[Mixer, ...]) -> list[float]:
    numbers: list[float] = []
    blocks = [_encode_mixer(mixer) for mixer in mixers]
    # Halved from block to block, so that no two orders of different mixers weigh the same.
    weights = [0.5**place for place in range(len(blocks))]
    for column in zip(*blocks, strict=True):
        mean = sum(column) / len(column)
        off = [value - mean for value in column]
        numbers += [mean, sum(w * x for w, x in zip(weights, off, strict=True)) / sum(weights)]
    return numbers


@lru_cache(maxsize=4096)
def _encode_mixer(mixer: Mixer) -> list[float]:
    """What does not apply to a mixer is 0."""
    numbers = [
        float(getattr(mixer, name) == value) for name, axis in AXES.items() for value in axis
    ]
    numbers += [math.log2(getattr(mixer, name) or 1) for name in _SIZES]
    numbers += [float(bool(getattr(mixer, name))) for name in _FLAGS]
    return numbers + [float(mixer.reduction == kind) for kind in _REDUCTIONS]
