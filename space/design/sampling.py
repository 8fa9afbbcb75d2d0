"""Uniform sampling of a design space, as a whole or of a part of it."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from space.architecture import Stage
from space.design.stage_options import StageOptions
from space.mixer import Mixer

Item = TypeVar("Item")
Keep = Callable[[Mixer], bool]


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


def sample_stage(
    options: StageOptions, rng: np.random.Generator, keep: Keep | None = None
) -> Stage | None:
    """A stage drawn uniformly among the distinct ones whose mixers are all kept.

    Returns:
        The stage, or None if `keep` leaves nothing.
    """

    def kept(width: int, depth: int, place: int) -> list[Mixer]:
        choices = options.choices(width, depth, place)
        return list(choices) if keep is None else [mixer for mixer in choices if keep(mixer)]

    shapes = options.shapes()
    weights = []
    for width, depth, _ in shapes:
        count = 1
        for place in range(options.pattern_length(depth)):
            count *= len(kept(width, depth, place))
        weights.append(count)
    if not sum(weights):
        return None
    width, depth, ratio = pick(rng, shapes, weights)
    places = (kept(width, depth, place) for place in range(options.pattern_length(depth)))
    mixers = tuple(choices[rng.integers(len(choices))] for choices in places)
    return Stage(depth, width, ratio, mixers)
