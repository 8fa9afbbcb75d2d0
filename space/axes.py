"""The axes of the operator algebra: how token mixers differ (paper, Table 1 and Figure 1)."""

from enum import StrEnum
from typing import TYPE_CHECKING

from space.fixed_axes import Channels, Locality, Rank, Sharing
from space.source_registry import SOURCES
from space.weight_source import WeightSource

__all__ = ["AXES", "Channels", "Dynamics", "Locality", "Rank", "Sharing"]


class Dynamics(StrEnum):
    """Dynamic weights: where the mixing weights come from.

    A member for each folder of `space/weight_sources`, in the order of their numbers.

    Attributes:
        source: what is declared of it.
    """

    source: WeightSource

    if TYPE_CHECKING:  # what a type checker, which finds no folders, has to know of them
        STATIC = "static"
        HOMOGENEOUS = "homogeneous"
        INHOMOGENEOUS = "inhomogeneous"
        ATTENTION = "attention"
    else:
        vars().update({word.upper(): word for word in SOURCES})


for _member in Dynamics:
    _member.source = SOURCES[_member.value]
    _member.__doc__ = _member.source.text


AXES: dict[str, type[StrEnum]] = {
    "locality": Locality,
    "channels": Channels,
    "rank": Rank,
    "sharing": Sharing,
    "dynamics": Dynamics,
}
"""The structural axes in the order in which a mixer type is written."""
