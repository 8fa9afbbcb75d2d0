"""Connectivity of a mixer as pictures: who is read by one position, and by each channel."""

import numpy as np
from numpy.typing import NDArray

from space.architecture import Architecture
from space.axes import Rank
from space.geometry import MapSize, channel_groups, inner_width, tile_offset
from space.mixer import Mixer
from space.structure.entries import ZERO, PositionEntries

Mask = NDArray[np.bool_]

MOST_CHANNELS = 32


def position_mask(mixer: Mixer, size: MapSize, shifted: bool = False) -> tuple[Mask, MapSize]:
    """What the position nearest to the middle reads.

    Returns:
        Shape (height, width) over the sources, True where they are read, and the map of the
        sources: reduced R×R for rank spatial.
    """
    entries = PositionEntries.of(mixer, size, shifted)
    target = entries.targets
    middle = (target.height // 2) * target.width + target.width // 2
    sources = np.arange(entries.sources.positions)[None, :]
    reached = entries.at(np.array([[middle]]), sources) != ZERO
    return reached.reshape(entries.sources.height, entries.sources.width), entries.sources


def channel_mask(mixer: Mixer, width: int) -> Mask:
    """Which channels (columns) each channel (rows) reads, of the first ones of a wide map."""
    inner = inner_width(mixer, width)
    number = np.arange(min(inner, MOST_CHANNELS)) // (inner // channel_groups(mixer, inner))
    mask: Mask = number[:, None] == number[None, :]
    return mask


def mixers_of(architecture: Architecture) -> list[list[tuple[Mixer, bool, int]]]:
    """For each stage its distinct mixers: (mixer, whether its tiles are moved, blocks)."""
    stages = []
    for stage, size in zip(architecture.stages, architecture.stage_sizes(), strict=True):
        found: dict[tuple[Mixer, bool], int] = {}
        for block, mixer in enumerate(stage.block_mixers()):
            moved = tile_offset(mixer, size, block % 2 == 1) != (0, 0)
            found[mixer, moved] = found.get((mixer, moved), 0) + 1
        stages.append([(mixer, moved, blocks) for (mixer, moved), blocks in found.items()])
    return stages


def in_words(mixer: Mixer, shifted: bool) -> str:
    """What a mask cannot show: the factors around it, where weights are tied and come from."""
    words = [f"sharing {mixer.sharing}", f"{mixer.dynamics} weights"]
    if mixer.rank is Rank.JOINT:
        words.append("all of it as two thin factors")
    elif mixer.rank is not Rank.FULL:
        words.append(f"rank {mixer.rank}")
    return ", ".join([*words, *(["tiles moved"] if shifted else [])])
