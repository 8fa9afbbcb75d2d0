"""A mixer where it stands: on a map of some channels and some size, at an even or odd block."""

from dataclasses import dataclass

from space.axes import Dynamics, Locality, Rank
from space.canonical import without_unit_factor
from space.geometry import MapSize, channel_groups, generator_width, inner_width, tile_edges
from space.mixer import Mixer
from space.structure.entries import PositionEntries


@dataclass(frozen=True, slots=True)
class Place:
    """Everything that decides what a mixer can compute.

    Attributes:
        mixer: the mixer, of full rank where its ratio is 1.
        width: channels of the map, which the mixer's counts divide.
        size: the map.
        shifted: whether window tiles are moved (every second block).
    """

    mixer: Mixer
    width: int
    size: MapSize
    shifted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "mixer", without_unit_factor(self.mixer))

    @property
    def inner(self) -> int:
        """Channels at which the mixing happens."""
        return inner_width(self.mixer, self.width)

    @property
    def entries(self) -> PositionEntries:
        """The free entries of its sum over positions."""
        return PositionEntries.of(self.mixer, self.size, self.shifted)

    @property
    def attends(self) -> bool:
        """Whether its weights are a softmax."""
        return self.mixer.dynamics is Dynamics.ATTENTION

    @property
    def one_source(self) -> bool:
        """Whether it is an attention of one source: the softmax of one logit is 1."""
        return self.attends and self.mixer.rank is not Rank.JOINT and self.entries.taps == 1

    @property
    def hidden(self) -> int:
        """Hidden channels of the generator of its weights, 0 where they are not generated."""
        generated = self.mixer.dynamics in (Dynamics.HOMOGENEOUS, Dynamics.INHOMOGENEOUS)
        return generator_width(self.mixer, self.inner) if generated else 0

    @property
    def reduction_inputs(self) -> int:
        """Channels that a channel of the reduction (rank spatial) reads, 0 for an average."""
        if self.mixer.reduction == "average":
            return 0
        dense = self.mixer.reduction == "dense"
        return self.width if dense else self.width // channel_groups(self.mixer, self.inner)

    @property
    def target_ratio(self) -> int:
        """Positions of an edge that get one result: R for a sliding mixer of rank spatial."""
        repeats = self.mixer.rank is Rank.SPATIAL and self.mixer.locality is Locality.SLIDING
        return (self.mixer.ratio or 1) if repeats else 1

    @property
    def bias_entries(self) -> int:
        """Entries of a relative position bias, each head's own."""
        if self.mixer.locality is Locality.SLIDING:
            return (self.mixer.kernel_size or 1) ** 2
        height, width = tile_edges(self.mixer, self.entries.targets)
        return (2 * height - 1) * (2 * width - 1)
