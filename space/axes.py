"""The axes of the operator algebra: how token mixers differ (paper, Table 1 and Figure 1)."""

from enum import StrEnum


class Locality(StrEnum):
    """Sparse connectivity between positions: which positions q a position p reads."""

    GLOBAL = "global"
    """The whole map."""
    WINDOW = "window"
    """The k×k tile that holds p."""
    SLIDING = "sliding"
    """The k×k neighbourhood centred at p, zero padded."""


class Channels(StrEnum):
    """Sparse connectivity between channels: which channels c' a channel c reads."""

    DENSE = "dense"
    """All channels."""
    GROUPED = "grouped"
    """The channels of c's group."""
    SEPARABLE = "separable"
    """Only c' = c."""


class Rank(StrEnum):
    """Low rank: where the mixing matrix is factorised."""

    FULL = "full"
    """Nowhere."""
    CHANNEL = "channel"
    """C → C/r, mix, C/r → C (bottleneck)."""
    SPATIAL = "spatial"
    """The sources q are reduced R×R first (PVT, pyramids)."""
    JOINT = "joint"
    """The whole N·C × N·C matrix is a product of two thin ones."""


class Sharing(StrEnum):
    """Weight sharing: which entries of the mixing matrix are tied."""

    NONE = "none"
    """Nothing is tied."""
    POSITION = "position"
    """W depends on q − p only."""
    CHANNEL = "channel"
    """W is equal for all channels of a head."""
    BOTH = "both"
    """Both of these."""


class Dynamics(StrEnum):
    """Dynamic weights: where the mixing weights come from."""

    STATIC = "static"
    """They are parameters."""
    HOMOGENEOUS = "homogeneous"
    """Generated from the globally pooled map, the same at all positions."""
    INHOMOGENEOUS = "inhomogeneous"
    """Generated from x[p] by a linear map."""
    ATTENTION = "attention"
    """softmax of q·k over the reach."""


AXES: dict[str, type[StrEnum]] = {
    "locality": Locality,
    "channels": Channels,
    "rank": Rank,
    "sharing": Sharing,
    "dynamics": Dynamics,
}
"""The structural axes in the order in which a mixer type is written."""
