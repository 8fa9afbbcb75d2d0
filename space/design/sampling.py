"""Uniform sampling of the stages of a design space, without regard to limits."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from space.architecture import Stage
from space.design.stage_options import StageOptions

Item = TypeVar("Item")


def pick(rng: np.random.Generator, items: Sequence[Item], weights: Sequence[int]) -> Item:
    """One of the items, drawn with probability in proportion to its integer weight."""
    # Counts can exceed 64 bits, and floats lose what is rare: draw in exact integers.
    total = sum(weights)
    bits = total.bit_length() + 64
    ticket = int.from_bytes(rng.bytes(-(-bits // 8))) % total
    for item, weight in zip(items, weights, strict=True):
        if ticket < weight:
            return item
        ticket -= weight
    raise AssertionError("the ticket is below the sum of the weights")


def sample_stage(options: StageOptions, rng: np.random.Generator) -> Stage:
    """A stage drawn uniformly among the distinct ones of the options, which are not empty."""
    width, depth, ratio = pick(rng, options.shapes(), options.weights)
    places = (options.choices(width, depth, p) for p in range(options.pattern_length(depth)))
    return Stage(depth, width, ratio, tuple(kept[rng.integers(len(kept))] for kept in places))
