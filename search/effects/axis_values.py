"""What a network is on each axis: where the importance of axes is told, by these."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from space.architecture import Architecture
from space.axes import AXES
from space.mixer import Mixer

LEVELS = 5
"""Numbers of more different values are told apart by so many ranges, equally many networks each:
of a density over a few values, Optuna's, the narrow peaks would come to anything."""

WITHIN = {"kernel size": "locality"}
"""Axes that say more of what another says already: what has a kernel is not global."""

Value = Mapping[str, float]
"""Words, and the share of a network that is so; the shares sum to 1."""


def axis_values(networks: Sequence[Architecture]) -> dict[str, list[Value]]:
    """The values of networks, in their order, by axis.

    Of token mixers it is the share of blocks that have each value. Sizes are the mean over stages,
    and ranges of these where they have more than LEVELS values.
    """
    found: dict[str, list[Value]] = {
        axis: [_of_blocks(each, field) for each in networks] for axis, field in _OF_MIXERS.items()
    }
    found["block type"] = [{str(each.block_type): 1.0} for each in networks]
    for axis, read in _NUMBERS.items():
        found[axis] = [{each: 1.0} for each in _ranges([read(each) for each in networks])]
    return found


def in_a_word(value: Value) -> str:
    """A value as one word: of several they are joined by " + "."""
    return " + ".join(sorted(value))


_OF_MIXERS = {**{axis: axis for axis in AXES}, "kernel size": "kernel_size"}


def _of_blocks(network: Architecture, field: str) -> Value:
    words = Counter(_word(mixer, field) for _, _, mixer in network.block_mixers())
    return {word: number / words.total() for word, number in words.items()}


def _word(mixer: Mixer, field: str) -> str:
    value = getattr(mixer, field)
    return "none" if value is None else str(value)


_NUMBERS: dict[str, Callable[[Architecture], float]] = {
    "depth": lambda network: network.depth,
    "width": lambda network: float(np.mean([stage.width for stage in network.stages])),
    "MLP ratio": lambda network: float(np.mean([stage.mlp_ratio for stage in network.stages])),
}


def _ranges(numbers: Sequence[float]) -> list[str]:
    """The numbers themselves where they are few, else the range that each is in."""
    if len(set(numbers)) <= LEVELS:
        return [f"{number:g}" for number in numbers]
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, LEVELS + 1)[1:-1]))
    return [str(level) for level in np.searchsorted(edges, numbers)]
