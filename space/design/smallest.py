"""The cheapest architecture of a space, to say at once when hard limits leave nothing."""

from typing import Literal

from space.architecture import Architecture, Downsample, Head, Input, Scaffold, Stage, Stem
from space.cost.architecture_cost import downsample_cost, stage_cost
from space.design.stage_options import StageOptions

Quantity = Literal["params", "macs"]


def smallest(
    image: Input,
    patch_size: int,
    scaffold: Scaffold,
    stages: list[StageOptions],
    head: Head,
    downsample: Downsample,
    quantity: Quantity,
) -> Architecture:
    """The architecture with the least of a quantity, by dynamic programming over the widths.

    Stages of one mixer are compared; a pattern mixes these, so it cannot be cheaper.
    """
    best: dict[int, tuple[int, tuple[Stage, ...]]] = {}
    for options in stages:
        cheapest = _cheapest_by_width(options, scaffold, quantity)
        reached: dict[int, tuple[int, tuple[Stage, ...]]] = {}
        for width, (spent, stage) in cheapest.items():
            before = [
                (
                    past
                    + getattr(downsample_cost(narrow, width, options.size, downsample), quantity),
                    chain,
                )
                for narrow, (past, chain) in best.items()
            ] or [(0, ())]
            past, chain = min(before, key=lambda item: item[0])
            reached[width] = (past + spent, (*chain, stage))
        best = reached
    # Stem and head grow with the widths too, but far less than a stage does.
    _, chain = min(best.values(), key=lambda item: item[0])
    return Architecture(image, Stem(patch_size), scaffold, chain, head, downsample)


def _cheapest_by_width(
    options: StageOptions, scaffold: Scaffold, quantity: Quantity
) -> dict[int, tuple[int, Stage]]:
    cheapest: dict[int, tuple[int, Stage]] = {}
    for width, depth, ratio in options.shapes():
        for mixer in options.choices(width, depth, 0):
            stage = Stage(depth, width, ratio, (mixer,))
            spent = getattr(stage_cost(stage, options.size, scaffold), quantity)
            if width not in cheapest or spent < cheapest[width][0]:
                cheapest[width] = (spent, stage)
    return cheapest
