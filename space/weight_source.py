"""A weight source, one answer to where the mixing weights come from: what it declares.

Each folder of `space/weight_sources` is one, and a value of the axis `dynamics`: its name is the
word. Whoever has to treat sources differently asks for what is declared here, never for a name, so
that a new folder is all that a new source takes.

| in the folder | it has |
|---|---|
| `__init__.py` | `SOURCE`, the facts: a `WeightSource` |
| `costs.py` | `weights`: params and multiply-accumulates of making the weights |
| `memory.py` | `make_weights`: the same on a tape of memory, line by line |
| `module.py` | `Weights`: the module that makes them, the only part that needs torch |

Their definition is `space/reference.py`, which shares no code with them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from space.fixed_axes import Channels, Locality, Rank, Sharing


class Reads(Enum):
    """What the weights W[p, q] are a function of, besides parameters."""

    NOTHING = "nothing"
    """They are the same for every image."""
    POOLED = "the mean of x over the map"
    TARGET = "x[p]"
    PAIR = "x[p] and x[q]"


@dataclass(frozen=True, slots=True)
class SourceRule:
    """With which values of the other axes a source goes.

    Attributes:
        number: its number among all rules (`space.rules`).
        text: the rule in words, shown when it refuses something.
        localities, channels, ranks, sharings: the values that are allowed.
    """

    number: int
    text: str
    localities: tuple[Locality, ...] = tuple(Locality)
    channels: tuple[Channels, ...] = tuple(Channels)
    ranks: tuple[Rank, ...] = tuple(Rank)
    sharings: tuple[Sharing, ...] = tuple(Sharing)

    def allows(self, locality: Locality, channels: Channels, rank: Rank, sharing: Sharing) -> bool:
        """Whether the source goes with these values, other rules aside."""
        return (
            locality in self.localities
            and channels in self.channels
            and rank in self.ranks
            and sharing in self.sharings
        )


def no_options(locality: Locality) -> dict[str, Any]:
    """The options of a source that has none."""
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightSource:
    """What all of space knows of a weight source.

    Attributes:
        number: its place in the order of the axis; no two have the same.
        word: the value of the axis `dynamics`, which is the name of the folder.
        text: what it is, in a sentence.
        reads: what the weights are a function of.
        linear: whether the sets of weights that it can make are a linear space: then a factor
            beside the weights can be absorbed in them, and zeros and ties of W alone decide what
            they can be. Lifted weights are written into its module, which is `StaticWeights` or
            has its generator, `GeneratedWeights`.
        free: whether each weight is a parameter of its own.
        normalised: whether the weights of a target sum to one over its reach, so that those of a
            reach of one position are 1.
        outside_counts: whether taps outside of the map take part in that, and in all else that
            ties the weights of a reach to each other.
        query_key: whether they follow from ⟨query(x[p]), key(x[q])⟩, of two linear maps.
        pair_macs: multiply-accumulates that making the weights takes for each channel of each pair
            (p, q).
        any_size: whether weights of neighbourhoods are made without anything that fits one map
            only, such as weights of each position or a mask of the border.
        lie_as_maps: whether the weights of all p come out of a layer as one map, in whose order of
            channels and positions they then lie in memory.
        on_one_position: the word of the source that it is on a map of one position, if another.
        rule: with which values of the other axes it goes, if not with all.
        options: the fields of `Mixer` that it brings with their defaults, for a locality.
        reduction, reduction_norm: defaults of the fields of `Mixer`, for rank spatial.
        set_name: what the paper's Table 1 calls the channels that have equal weights.
        edge_label: the paper's word for the edges of the relation graph that lead to it, if any.

    What follows from `reads`:

    Attributes:
        dynamic: whether the weights depend on the image.
        own_at_positions: whether each position has weights made for it alone.
        reads_sources: whether the weights depend on x[q].
        numbered_by_tap: whether one function makes the weights of all p, tap by tap, so that it
            matters whether a tap stands for q − p or for q. Free numbers, and functions of x[q],
            need no numbering.
    """

    number: int
    word: str
    text: str
    reads: Reads
    linear: bool
    free: bool = False
    normalised: bool = False
    outside_counts: bool = False
    query_key: bool = False
    pair_macs: int = 0
    any_size: bool = False
    lie_as_maps: bool = False
    on_one_position: str | None = None
    rule: SourceRule | None = None
    options: Callable[[Locality], dict[str, Any]] = no_options
    reduction: Literal["matched", "dense", "average"] = "matched"
    reduction_norm: bool = False
    set_name: str = "head"
    edge_label: str | None = None

    dynamic: bool = field(init=False)
    own_at_positions: bool = field(init=False)
    reads_sources: bool = field(init=False)
    numbered_by_tap: bool = field(init=False)

    def __post_init__(self) -> None:
        # As fields, not properties: costs ask for them, which searches compute by the million.
        reads = self.reads
        for name, holds in (
            ("dynamic", reads is not Reads.NOTHING),
            ("own_at_positions", reads in (Reads.TARGET, Reads.PAIR)),
            ("reads_sources", reads is Reads.PAIR),
            ("numbered_by_tap", reads in (Reads.POOLED, Reads.TARGET)),
        ):
            object.__setattr__(self, name, holds)

    def allows(self, sharing: Sharing) -> bool:
        """Whether it goes with this sharing."""
        return self.rule is None or sharing in self.rule.sharings
