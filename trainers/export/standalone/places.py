"""Where a network has which mixer, and what all parts of its file have to know of it."""

from dataclasses import dataclass, replace
from functools import cached_property

from space.architecture import Architecture
from space.axes import Locality, Rank
from space.custom import CustomMixer
from space.geometry import MapSize, rolls_tiles
from space.layout import Plan
from space.mixer import Mixer
from space.weight_source import Reads
from trainers.export.standalone.custom_mixers import takes_context

Sides = tuple[int, int, int, int]


@dataclass(frozen=True)
class Place:
    """A block of a network, as its mixer sees it.

    Attributes:
        mixer: canonical, as architectures have them.
        width: channels of the map.
        size: of the map.
        shifted: whether windows are moved here.
        even_shifts: whether all windows of the network that go around the border move as far down
            as right.
    """

    mixer: Mixer
    width: int
    size: MapSize
    shifted: bool
    even_shifts: bool = True

    @cached_property
    def plan(self) -> Plan:
        """What the parts of an operator of the algebra are built from."""
        return Plan.of(self.mixer, self.width, self.size, self.shifted)

    @cached_property
    def reads_context(self) -> bool:
        """Whether weights are made of a map."""
        if isinstance(self.mixer, CustomMixer):
            return takes_context(self.mixer, self.width, self.size)
        return self.mixer.dynamics.source.dynamic

    @property
    def reduced(self) -> bool:
        """Whether the sources are a reduced map."""
        return self.mixer.rank is Rank.SPATIAL

    @property
    def indivisible(self) -> bool:
        """Whether the map is padded to whole patches of a spatial reduction."""
        ratio = self.mixer.ratio or 1
        return bool(self.size.height % ratio or self.size.width % ratio)

    @property
    def windows_roll(self) -> bool:
        """Whether there are windows, moved by a shift that goes around the border."""
        windows = not self.mixer.is_custom and self.mixer.locality is Locality.WINDOW
        return windows and rolls_tiles(self.mixer)

    @property
    def shift(self) -> int | tuple[int, int]:
        """By how much windows move around the border: down and right, or one number for both."""
        offset = self.plan.tile_offset
        return offset[0] if self.even_shifts else offset

    @property
    def window_padding(self) -> Sides:
        """Left, right, top and bottom: zeros around the map that make windows whole."""
        plan = self.plan
        edge = plan.target_tile[0]
        offset = (0, 0) if rolls_tiles(self.mixer) else plan.tile_offset
        top, left = ((edge - move) % edge for move in offset)
        down, across = plan.tile_counts
        right, bottom = edge * across - self.size.width, edge * down - self.size.height
        return left, right - left, top, bottom - top


@dataclass(frozen=True)
class Survey:
    """What the file of a network depends on.

    Attributes:
        architecture: of the network.
        places: one for each block, in order.
    """

    architecture: Architecture
    places: tuple[Place, ...]

    @classmethod
    def of(cls, architecture: Architecture) -> "Survey":
        """The survey of a network."""
        sizes = architecture.stage_sizes()
        stages = architecture.stages
        places = tuple(
            Place(mixer, stages[stage].width, sizes[stage], block % 2 == 1)
            for stage, block, mixer in architecture.block_mixers()
        )
        offsets = [place.plan.tile_offset for place in places if place.windows_roll]
        even = all(down == right for down, right in offsets)
        return cls(architecture, tuple(replace(place, even_shifts=even) for place in places))

    @cached_property
    def two_maps(self) -> bool:
        """Whether blocks hand mixers a context besides the values, and a mixer reads it."""
        apart = self.architecture.block_type == "prenorm"
        return apart and any(place.reads_context for place in self.places)

    @cached_property
    def custom_mixers(self) -> tuple[CustomMixer, ...]:
        """Those of the network, each once."""
        mixers = (place.mixer for place in self.places)
        return tuple(dict.fromkeys(each for each in mixers if isinstance(each, CustomMixer)))

    @property
    def even_shifts(self) -> bool:
        """Whether all windows that move around the border move as far down as right."""
        return all(place.even_shifts for place in self.places)

    @cached_property
    def any_shift(self) -> bool:
        """Whether windows move around the border anywhere."""
        return any(any(place.plan.tile_offset) for place in self._rolling)

    @cached_property
    def ragged_windows(self) -> bool:
        """Whether a map, whose windows move around the border, is not divided by them."""
        return any(any(place.window_padding) for place in self._rolling)

    @cached_property
    def _rolling(self) -> list[Place]:
        return [place for place in self.places if place.windows_roll]

    @cached_property
    def lone_values(self) -> bool:
        """Whether batch norms meet channels of one value, when a single image is trained."""
        if any(_source(place.mixer) is Reads.POOLED for place in self.places):
            return True
        normed = self.places if self.architecture.block_type == "conv" else ()
        if self.architecture.stem.type == "pool":
            normed = (self.places[0], *normed)
        return any(place.size.positions == 1 for place in normed)


def _source(mixer: Mixer) -> Reads | None:
    return None if mixer.is_custom else mixer.dynamics.source.reads
