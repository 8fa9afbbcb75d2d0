"""What of a mixer is drawn: who is read by one position and by each channel, block by block."""

from space.architecture import Architecture
from space.axes import Rank
from space.geometry import MapSize, target_size, tile_offset
from space.mixer import Mixer
from space.structure.entries import ZERO, channel_entries
from space.structure.masks import BoolArray, reach

MOST_CHANNELS = 32


def position_mask(mixer: Mixer, size: MapSize, shifted: bool = False) -> BoolArray:
    """(height, width) over the sources: what the target nearest to the middle of the map reads.

    It is the sum itself that is drawn: for rank spatial the sources are reduced R×R.
    """
    targets = target_size(mixer, size)
    middle = targets.height // 2, targets.width // 2
    return reach(mixer, size, middle, shifted, factors=False)


def channel_mask(mixer: Mixer, width: int) -> BoolArray:
    """Which channels (columns) each channel (rows) reads, of the first ones of a wide map."""
    mask: BoolArray = channel_entries(mixer, width, first=MOST_CHANNELS) != ZERO
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
