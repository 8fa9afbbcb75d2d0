"""The axes whose values the algebra fixes: how W is sparse, of low rank and shared.

The values of the fifth one, where the weights come from, are folders: see `space.source_registry`.
"""

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
