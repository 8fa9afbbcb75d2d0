"""A mixer on its map, and what the fields of two of them alone forbid."""

from collections.abc import Iterator
from dataclasses import dataclass

from space.axes import Locality, Rank
from space.canonical import without_unit_factor
from space.errors import InputError
from space.geometry import (
    MapSize,
    channel_groups,
    generator_width,
    inner_width,
    joint_rank,
    source_size,
    tile_edges,
    weight_sets,
)
from space.mixer import Mixer
from space.structure.entries import PositionEntries


@dataclass(frozen=True, slots=True)
class MixerOnMap:
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
        """Whether its weights are a softmax of queries and keys."""
        return self.mixer.dynamics.source.query_key

    @property
    def one_source(self) -> bool:
        """Whether weights that sum to one are of one source, so that they are 1."""
        normalised = self.mixer.dynamics.source.normalised
        return normalised and self.mixer.rank is not Rank.JOINT and self.entries.taps == 1

    @property
    def hidden(self) -> int:
        """Hidden channels of the generator of its weights, 0 where they are not generated."""
        generated = self.mixer.generator_ratio is not None
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


Refusal = tuple[str, str]
"""The field that is off, and why."""


def check_mixer_fields(special: MixerOnMap, general: MixerOnMap) -> None:
    """Refuses what no index map is needed for. Costs next to nothing.

    Raises:
        InputError: naming the first field that makes this no inclusion.
    """
    for where, message in _refusals(special, general):
        raise InputError.of(where, message)


def _refusals(special: MixerOnMap, general: MixerOnMap) -> Iterator[Refusal]:
    if general.width % special.width or special.size != general.size:
        yield "width", "a map of another size or of no whole multiple of channels"
    if special == general:
        return
    if general.mixer.rank is Rank.JOINT:
        yield from _into_joint(special, general)
    elif general.attends:
        yield from _into_attention(special, general)
    elif not general.mixer.dynamics.source.linear:
        yield "dynamics", f"only the same mixer is in one of {general.mixer.dynamics} weights"
    else:
        yield from _into_sum(special, general)
    if special.mixer.bias and not general.mixer.bias:
        yield "bias", "the general mixer has none"


def _into_joint(special: MixerOnMap, general: MixerOnMap) -> Iterator[Refusal]:
    if special.mixer.dynamics.source.dynamic or special.mixer.reduction_norm:
        yield "dynamics", "W depends on x, that of a joint low rank does not"
    ours, theirs = _rank_of_all(special), _rank_of_all(general)
    if ours > theirs:
        yield "ratio", f"rank {theirs} is less than {ours}"


def _rank_of_all(place: MixerOnMap) -> int:
    """Numbers that enter the mixing of a map: the rank of its N·C × N·C matrix, at most."""
    if place.mixer.rank is Rank.JOINT:
        return joint_rank(place.mixer, place.width, place.size)
    return place.inner * source_size(place.mixer, place.size).positions


def _into_attention(special: MixerOnMap, general: MixerOnMap) -> Iterator[Refusal]:
    before, after = special.mixer, general.mixer
    if before.dynamics is not after.dynamics:
        yield "dynamics", "softmax weights are positive and sum to one"
    if before.rank is not after.rank:
        yield "rank", f"{before.rank} is not in {after.rank} where channels are separable"
    yield from _into_bottleneck(special, general)
    if after.rank is Rank.SPATIAL:
        if before.ratio != after.ratio:
            yield "ratio", "softmax over other sources has other weights"
        yield from _into_reduction(special, general)
    if weight_sets(before, special.inner) != weight_sets(after, general.inner):
        own = "a head has a softmax of its own over its own channels"
        yield "heads", f"{own}, so heads neither split nor merge"
    if before.query_key_bias and not after.query_key_bias:
        yield "query_key_bias", "the general attention has none"


def _into_sum(special: MixerOnMap, general: MixerOnMap) -> Iterator[Refusal]:
    source = special.mixer.dynamics.source
    if source.dynamic and not (source.linear or special.one_source):
        made = "softmax of q·k" if special.attends else f"a weight of {source.word} dynamics"
        yield "dynamics", f"{made} is neither a parameter nor linear in x[p]"
    yield from _into_bottleneck(special, general)
    yield from _into_spatial(special, general)
    if source.dynamic and source.linear and special.mixer.dynamics is not general.mixer.dynamics:
        yield "dynamics", f"{special.mixer.dynamics} weights are not {general.mixer.dynamics} ones"
    if special.hidden > general.hidden:
        yield "generator_ratio", "the general generator has fewer hidden channels"


def _into_bottleneck(special: MixerOnMap, general: MixerOnMap) -> Iterator[Refusal]:
    if general.mixer.rank is not Rank.CHANNEL:
        return
    if special.mixer.rank is not Rank.CHANNEL:
        yield "rank", f"{special.mixer.rank} is not in {general.mixer.rank}"
    if general.inner < special.inner:
        yield "ratio", "the general bottleneck is narrower"


def _into_spatial(special: MixerOnMap, general: MixerOnMap) -> Iterator[Refusal]:
    """A sum on a reduced map in one on a map that is reduced less, or not at all."""
    before, after = special.mixer, general.mixer
    both = before.rank is after.rank is Rank.SPATIAL
    if after.rank is Rank.SPATIAL and not both:
        yield "rank", f"{before.rank} is not in {after.rank}"
    if before.rank is not Rank.SPATIAL:
        return
    if special.target_ratio % general.target_ratio:
        yield "positions", "the general mixer repeats what the special one does not"
    if both and before.ratio == after.ratio:
        yield from _into_reduction(special, general)
        return
    if before.reduction_norm or after.reduction_norm:
        yield "reduction_norm", "a layer norm inside the reduction is not linear"
    finer = (after.ratio or 1) if both else 1
    if (before.ratio or 1) % finer:
        yield "ratio", f"{finer} does not divide {before.ratio}"
    if finer > 1 and before.reduction != "average":
        yield "ratio", "only an average is an average of finer averages"


def _into_reduction(special: MixerOnMap, general: MixerOnMap) -> Iterator[Refusal]:
    if bool(special.mixer.reduction_norm) != bool(general.mixer.reduction_norm):
        yield "reduction_norm", "only one of the two reductions has a layer norm"
    if general.mixer.reduction == "average" and special.mixer.reduction != "average":
        yield "reduction", f"{special.mixer.reduction} is no average"
