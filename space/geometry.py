"""Sizes that operators, reference and costs share: maps, tiles, and what a mixer needs of a width.

One place for them, so that the closed-form costs and the built operators cannot disagree.
"""

import math
from dataclasses import dataclass

from space.axes import Channels, Locality, Rank
from space.custom import CustomMixer
from space.errors import Problem
from space.mixer import Mixer


@dataclass(frozen=True, slots=True)
class MapSize:
    """Height and width of a map of tokens, in positions."""

    height: int
    width: int

    @property
    def positions(self) -> int:
        """Number of positions."""
        return self.height * self.width

    @property
    def longest(self) -> int:
        """The longer edge, in positions."""
        return max(self.height, self.width)

    def reduced(self, ratio: int) -> "MapSize":
        """The map after ratio×ratio positions became one, borders padded."""
        return MapSize(-(-self.height // ratio), -(-self.width // ratio))


def map_sizes(image: MapSize, patch_size: int, stages: int) -> tuple[MapSize, ...]:
    """The map of each stage: the stem's, then halved (rounded up) from stage to stage."""
    sizes = [image.reduced(patch_size)]
    for _ in range(stages - 1):
        sizes.append(sizes[-1].reduced(2))
    return tuple(sizes)


def inner_width(mixer: Mixer, width: int) -> int:
    """Channels at which the mixing happens: C/ratio in a bottleneck, else C."""
    return width // (mixer.ratio or 1) if mixer.rank is Rank.CHANNEL else width


def source_size(mixer: Mixer, size: MapSize) -> MapSize:
    """The map of the sources q: reduced R×R for rank spatial."""
    return size.reduced(mixer.ratio or 1) if mixer.rank is Rank.SPATIAL else size


def target_size(mixer: Mixer, size: MapSize) -> MapSize:
    """The map of the targets p at which sums are formed, before any upsampling.

    A sliding mixer of rank spatial works on the reduced map and its result is repeated R×R.
    """
    return source_size(mixer, size) if mixer.locality is Locality.SLIDING else size


def reaches_one(mixer: Mixer, size: MapSize) -> bool:
    """Whether the reach of every target is one source, by the mixer's sizes."""
    if mixer.locality is Locality.GLOBAL:
        return source_size(mixer, size).positions == 1
    return mixer.kernel_size == 1


def channel_groups(mixer: Mixer, width: int) -> int:
    """Number of channel groups that do not read each other, at this (inner) width."""
    if mixer.channels is Channels.DENSE:
        return 1
    if mixer.channels is Channels.SEPARABLE:
        return width
    return mixer.groups or 1


def weight_sets(mixer: Mixer, width: int) -> int:
    """Number of (output, input) channel pairs that have weights of their own."""
    if mixer.channels is Channels.SEPARABLE:
        return (mixer.heads or 1) if mixer.channel_shared else width
    return width * width // channel_groups(mixer, width)


def generator_width(mixer: Mixer, width: int) -> int:
    """Hidden channels of the generator of dynamic weights."""
    return max(1, width // (mixer.generator_ratio or 1))


def joint_rank(mixer: Mixer, width: int, size: MapSize) -> int:
    """Rank of the two thin factors of a joint low-rank mixer."""
    return -(-size.positions * width // (mixer.ratio or 1))


def tile_edges(mixer: Mixer, size: MapSize) -> tuple[int, int]:
    """Height and width of a tile; the whole map for global locality."""
    if mixer.locality is Locality.GLOBAL:
        return size.height, size.width
    edge = mixer.kernel_size or 1
    return edge, edge


def tile_offset(mixer: Mixer, size: MapSize, shifted: bool) -> tuple[int, int]:
    """By how much the tiles are moved down and right; an axis that one tile covers never moves."""
    if mixer.locality is not Locality.WINDOW or not (shifted and mixer.shift):
        return 0, 0
    edge = mixer.kernel_size or 1
    return (
        edge // 2 if edge < size.height else 0,
        edge // 2 if edge < size.width else 0,
    )


def rolls_tiles(mixer: Mixer) -> bool:
    """Whether shifted tiles wrap around the border, with a mask, instead of padding the map.

    Per-tile weights can be masked at no cost, so the map needs no extra row and column of tiles;
    weights that all tiles share cannot.
    """
    return mixer.dynamics.source.own_at_positions


def tile_counts(mixer: Mixer, size: MapSize, shifted: bool) -> tuple[int, int]:
    """Number of tiles down and across, those on the border included."""
    if mixer.locality is Locality.GLOBAL:
        return 1, 1
    edge = mixer.kernel_size or 1
    down, right = (0, 0) if rolls_tiles(mixer) else tile_offset(mixer, size, shifted)
    return (
        -(-(size.height + (edge - down) % edge) // edge),
        -(-(size.width + (edge - right) % edge) // edge),
    )


def width_problems(mixer: Mixer, width: int) -> list[Problem]:
    """What makes the mixer impossible at this width: counts that do not divide it."""
    if isinstance(mixer, CustomMixer):
        return mixer.width_problems(width)
    problems = []
    inner = inner_width(mixer, width)
    if mixer.rank is Rank.CHANNEL and width % (mixer.ratio or 1):
        divisors = _nearest_divisors(mixer.ratio or 1, width)
        problems.append(
            Problem("ratio", f"{mixer.ratio} does not divide the width {width}; {divisors}")
        )
        inner = max(1, inner)
    for name, count in (("groups", mixer.groups), ("heads", mixer.heads)):
        if count is not None and inner % count:
            message = f"{count} does not divide {inner} channels; {_nearest_divisors(count, inner)}"
            problems.append(Problem(name, message))
    return problems


def fitting_width(mixer: Mixer, least: int) -> int:
    """The least width of at least so many channels that the mixer is possible at."""
    inner = math.lcm(mixer.groups or 1, mixer.heads or 1)
    step = inner * ((mixer.ratio or 1) if mixer.rank is Rank.CHANNEL else 1)
    return step * math.ceil(least / step)


def _nearest_divisors(count: int, channels: int) -> str:
    less = next(n for n in range(min(count, channels), 0, -1) if channels % n == 0)
    more = next((n for n in range(count, channels + 1) if channels % n == 0), None)
    return f"{less} does" if more is None else f"{less} and {more} do"


def hidden_width(width: int, ratio: float) -> int:
    """Hidden channels of an MLP."""
    return round(width * ratio)


def is_whole(channels: float) -> bool:
    """Whether the hidden channels of an MLP, width times ratio, can be built."""
    return abs(channels - round(channels)) <= 1e-6 and round(channels) >= 1
