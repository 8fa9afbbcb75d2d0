"""An architecture as numbers, for predictors and surrogate models."""

import math

from space.architecture import Architecture, Scaffold, Stage
from space.axes import AXES
from space.cost import cost


def encode(architecture: Architecture, scaffolds: tuple[Scaffold, ...]) -> list[float]:
    """Costs, scaffold, and for each stage its shape and the share of blocks with each axis value.

    The length depends on the number of stages and of scaffolds only.
    """
    spent = cost(architecture)
    numbers = [math.log10(spent.params), math.log10(spent.macs)]
    numbers.append(math.log2(architecture.stem.patch_size))
    numbers += [float(architecture.scaffold == scaffold) for scaffold in scaffolds]
    for stage in architecture.stages:
        numbers += _encode_stage(stage)
    return numbers


def _encode_stage(stage: Stage) -> list[float]:
    numbers = [float(stage.depth), math.log2(stage.width), float(stage.mlp_ratio)]
    blocks = stage.block_mixers()
    for name, axis in AXES.items():
        for value in axis:
            numbers.append(sum(getattr(m, name) == value for m in blocks) / len(blocks))
    for name in ("kernel_size", "groups", "heads", "ratio"):
        sizes = [math.log2(getattr(m, name) or 1) for m in blocks]
        numbers.append(sum(sizes) / len(sizes))
    return numbers
