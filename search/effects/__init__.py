"""Effects of design decisions: paired differences between networks that are equal in all else."""

from search.effects.axis_shares import AxisShare, AxisShares, axis_shares, drawn
from search.effects.axis_values import axis_values, in_a_word
from search.effects.estimates import (
    MARGIN,
    Estimate,
    SeedSpread,
    interval_in_points,
    over_contexts,
    points,
)
from search.effects.move_effects import Effect, move_effects
from search.effects.moves import Move, MoveKind, moves_between
from search.effects.network_pairs import Pair, TrainedNetwork, network_pairs

__all__ = [
    "MARGIN",
    "AxisShare",
    "AxisShares",
    "Effect",
    "Estimate",
    "Move",
    "MoveKind",
    "Pair",
    "SeedSpread",
    "TrainedNetwork",
    "axis_shares",
    "axis_values",
    "drawn",
    "in_a_word",
    "interval_in_points",
    "move_effects",
    "moves_between",
    "network_pairs",
    "over_contexts",
    "points",
]
