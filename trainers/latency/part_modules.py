"""The parts of networks as modules, to be measured alone, on input of their size."""

from torch import nn

from space import Architecture
from space.architecture import Stem
from space.networks import build
from space.networks.blocks import BLOCKS, BlockPlan
from space.networks.stem_and_head import DOWNSAMPLES, Head, PatchStem
from trainers.latency.parts import STACK, Part


def part_module(part: Part) -> tuple[nn.Module, tuple[int, ...], int]:
    """A part, what it reads, and how often it is in the module.

    Returns:
        The module; (channels, height, width) of one input; `STACK` for blocks, else 1.
    """
    shape = (part.width, part.size.height, part.size.width)
    if part.kind == "stem":
        stem = PatchStem(part.outputs, part.width, Stem(part.patch_size, part.type))  # type: ignore[arg-type]
        return stem, (part.outputs, *shape[1:]), 1
    if part.kind == "downsample":
        return DOWNSAMPLES[part.type](part.width, part.outputs), shape, 1
    if part.kind == "head":
        return Head(part.width, part.outputs, norm_first=part.type == "before"), shape, 1
    assert part.mixer is not None
    plan = BlockPlan(part.mixer, part.width, part.size, part.outputs, part.shifted, 0.0)
    block = BLOCKS[part.type]  # type: ignore[index]
    return nn.Sequential(*(block(plan) for _ in range(STACK))), shape, STACK


def network_module(architecture: Architecture) -> tuple[nn.Module, tuple[int, ...]]:
    """A whole network with first weights, which time does not depend on, and its input."""
    image = architecture.input
    return build(architecture, seed=0), (image.channels, image.height, image.width)
