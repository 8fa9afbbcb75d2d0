"""An architecture as numbers, for predictors and surrogate models."""

import math
from collections.abc import Iterable
from functools import lru_cache

from space.architecture import Architecture, BlockType, Stage
from space.axes import AXES
from space.cost import cost
from space.custom import CustomMixer
from space.mixer import Mixer

_SIZES = ("kernel_size", "groups", "heads", "ratio", "generator_ratio")
_FLAGS = ("bias", "shift", "position_bias", "query_key_bias", "reduction_norm")
_REDUCTIONS = ("matched", "dense", "average")


CustomColumn = tuple[str, str | None]
"""The name of a custom mixer, and an option of it, or None for whether a mixer is that one."""


def custom_columns(mixers: Iterable[Mixer]) -> tuple[CustomColumn, ...]:
    """What `encode` says of the custom mixers among these, besides their marks."""
    own = sorted({m.custom for m in mixers if isinstance(m, CustomMixer)})
    return tuple(
        (name, option) for name in own for option in (None, *CustomMixer(name).definition.options)
    )


def encode(
    architecture: Architecture,
    block_types: tuple[BlockType, ...],
    custom: tuple[CustomColumn, ...] = (),
) -> list[float]:
    """Costs, block type, and for each stage its shape and what its mixers are.

    The length depends on the number of stages, block types and custom columns only. For every
    property of the mixers there is its mean over the blocks, and how much more the early blocks
    have of it, which is 0 where all blocks are alike.
    """
    spent = cost(architecture)
    numbers = [math.log10(spent.params), math.log10(spent.macs)]
    numbers.append(math.log2(architecture.stem.patch_size))
    numbers += [float(architecture.block_type == block_type) for block_type in block_types]
    for stage in architecture.stages:
        numbers += _encode_stage(stage, custom)
    return numbers


def _encode_stage(stage: Stage, custom: tuple[CustomColumn, ...]) -> list[float]:
    shape = [float(stage.depth), math.log2(stage.width), float(stage.mlp_ratio)]
    return [*shape, *_encode_blocks(stage.block_mixers(), custom)]


@lru_cache(maxsize=4096)  # neighbours, and stages of one network, have most sequences in common
def _encode_blocks(mixers: tuple[Mixer, ...], custom: tuple[CustomColumn, ...]) -> list[float]:
    numbers: list[float] = []
    blocks = [[*_encode_mixer(mixer), *_encode_custom(mixer, custom)] for mixer in mixers]
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


def _encode_custom(mixer: Mixer, columns: tuple[CustomColumn, ...]) -> list[float]:
    """Which it is, and its options: numbers as they are, words by their place among the allowed."""
    return [_custom_number(mixer, name, option) for name, option in columns]


def _custom_number(mixer: Mixer, name: str, option: str | None) -> float:
    if not isinstance(mixer, CustomMixer) or mixer.custom != name:
        return 0.0
    if option is None:
        return 1.0
    value = mixer.all_options[option]
    if isinstance(value, str):
        return float(mixer.definition.options[option].index(value))
    return float(value)
