"""The rules that say which combinations of axis values exist, each with its reason."""

from collections.abc import Callable
from dataclasses import dataclass

from space.axes import Channels, Dynamics, Locality, Rank, Sharing
from space.source_registry import SOURCES
from space.weight_source import SourceRule, WeightSource

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

_OF_THE_OTHER_AXES = (
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
            or (
                (locality, channels, sharing) == (Locality.GLOBAL, Channels.DENSE, Sharing.NONE)
                and dynamics.source.free
            )
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


def _rule_of(source: WeightSource, rule: SourceRule) -> Rule:
    def holds(
        locality: Locality, channels: Channels, rank: Rank, sharing: Sharing, dynamics: Dynamics
    ) -> bool:
        return dynamics.source is not source or rule.allows(locality, channels, rank, sharing)

    return Rule(rule.number, rule.text, holds)


_OF_SOURCES = (_rule_of(s, s.rule) for s in SOURCES.values() if s.rule is not None)

RULES: tuple[Rule, ...] = tuple(
    sorted((*_OF_SOURCES, *_OF_THE_OTHER_AXES), key=lambda rule: rule.number)
)
"""In the order of their numbers."""


def broken_rules(
    locality: Locality, channels: Channels, rank: Rank, sharing: Sharing, dynamics: Dynamics
) -> list[Rule]:
    """The rules that a combination of axis values breaks; none for a mixer type that exists."""
    return [rule for rule in RULES if not rule.holds(locality, channels, rank, sharing, dynamics)]
