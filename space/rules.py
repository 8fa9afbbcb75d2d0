"""The rules that say which combinations of axis values exist, each with its reason."""

from collections.abc import Callable
from dataclasses import dataclass

from space.axes import Channels, Dynamics, Locality, Rank, Sharing

Values = tuple[Locality, Channels, Rank, Sharing, Dynamics]


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition that every mixer type fulfils.

    Attributes:
        number: its number in the design.
        text: the rule in words, shown when it refuses something.
        holds: whether the axis values (locality, channels, rank, sharing, dynamics) obey it.
    """

    number: int
    text: str
    holds: Callable[[Locality, Channels, Rank, Sharing, Dynamics], bool]

    def __str__(self) -> str:
        return f"rule {self.number}: {self.text}"


_POSITION_SHARED = (Sharing.POSITION, Sharing.BOTH)

RULES: tuple[Rule, ...] = (
    Rule(
        1,
        "attention needs separable channels, channel sharing, and rank full, channel or spatial",
        lambda locality, channels, rank, sharing, dynamics: (
            dynamics is not Dynamics.ATTENTION
            or (
                channels is Channels.SEPARABLE
                and sharing is Sharing.CHANNEL
                and rank is not Rank.JOINT
            )
        ),
    ),
    Rule(
        2,
        "inhomogeneous dynamics needs separable channels and sharing none or channel",
        lambda locality, channels, rank, sharing, dynamics: (
            dynamics is not Dynamics.INHOMOGENEOUS
            or (channels is Channels.SEPARABLE and sharing in (Sharing.NONE, Sharing.CHANNEL))
        ),
    ),
    Rule(
        3,
        "homogeneous dynamics needs sliding locality and sharing position or both",
        lambda locality, channels, rank, sharing, dynamics: (
            dynamics is not Dynamics.HOMOGENEOUS
            or (locality is Locality.SLIDING and sharing in _POSITION_SHARED)
        ),
    ),
    Rule(
        4,
        "sharing position or both needs sliding locality (a global position-shared mixer is a "
        "sliding one with kernel size 2·max(H, W) − 1)",
        lambda locality, channels, rank, sharing, dynamics: (
            sharing not in _POSITION_SHARED or locality is Locality.SLIDING
        ),
    ),
    Rule(
        5,
        "sharing channel or both needs separable channels",
        lambda locality, channels, rank, sharing, dynamics: (
            sharing not in (Sharing.CHANNEL, Sharing.BOTH) or channels is Channels.SEPARABLE
        ),
    ),
    Rule(
        6,
        "rank joint needs global locality, dense channels, static dynamics and sharing none",
        lambda locality, channels, rank, sharing, dynamics: (
            rank is not Rank.JOINT
            or (locality, channels, sharing, dynamics)
            == (Locality.GLOBAL, Channels.DENSE, Sharing.NONE, Dynamics.STATIC)
        ),
    ),
    Rule(
        7,
        "rank spatial is not defined for windows, and for sliding locality it needs sharing "
        "position or both",
        lambda locality, channels, rank, sharing, dynamics: (
            rank is not Rank.SPATIAL
            or locality is Locality.GLOBAL
            or (locality is Locality.SLIDING and sharing in _POSITION_SHARED)
        ),
    ),
)


def broken_rules(
    locality: Locality, channels: Channels, rank: Rank, sharing: Sharing, dynamics: Dynamics
) -> list[Rule]:
    """The rules that a combination of axis values breaks; none for a mixer type that exists."""
    return [rule for rule in RULES if not rule.holds(locality, channels, rank, sharing, dynamics)]
