"""The kinds of inclusion, each a step from a special mixer to one that contains it.

A pair of mixers has the kinds of all fields in which they differ. The names only name: whether a
pair is an inclusion is decided on the index maps (`space.inclusion.mixer_inclusion`).
"""

from enum import StrEnum
from itertools import permutations
from typing import TYPE_CHECKING

from space.axes import Locality, Rank
from space.mixer import Mixer
from space.source_registry import SOURCES

_FIXED_IN_LINEAR = [
    (special, general)
    for special, general in permutations(SOURCES, 2)
    if not SOURCES[special].dynamic and SOURCES[general].linear
]
"""Weights that are the same for every image are found in a linear space of weights."""


class InclusionKind(StrEnum):
    """What is special in the one and general in the other."""

    SAME = "same mixer"
    SLIDING_IN_GLOBAL = "sliding in global at one map size"
    WINDOW_IN_GLOBAL = "window in global at one map size"
    WINDOW_IN_SLIDING = "window in a neighbourhood that covers it"
    SMALLER_KERNEL = "smaller kernel in larger"
    SMALLER_WINDOW = "smaller window in larger"
    SEPARABLE_IN_GROUPED = "separable in grouped channels"
    SEPARABLE_IN_DENSE = "separable in dense channels"
    GROUPED_IN_DENSE = "grouped in dense channels"
    MORE_GROUPS = "more groups in fewer"
    CHANNEL_RANK_IN_FULL = "channel low rank in full"
    SPATIAL_RANK_IN_FULL = "spatial low rank in full"
    JOINT_RANK_IN_FULL = "joint low rank in full"
    CHANNEL_RANK_IN_JOINT = "channel low rank in joint"
    SPATIAL_RANK_IN_JOINT = "spatial low rank in joint"
    LOWER_CHANNEL_RANK = "lower channel rank in higher"
    COARSER_REDUCTION = "coarser average in finer reduction"
    LOWER_JOINT_RANK = "lower joint rank in higher"
    POSITION_SHARED = "shared by positions in unshared"
    CHANNEL_SHARED = "shared by channels in unshared"
    FEWER_HEADS = "fewer heads in more"
    if TYPE_CHECKING:
        STATIC_IN_HOMOGENEOUS = "static in homogeneous"
        STATIC_IN_INHOMOGENEOUS = "static in inhomogeneous"
    else:
        vars().update(
            {f"{a}_IN_{b}".upper(): f"{a} in {b}" for a, b in _FIXED_IN_LINEAR},
        )
    ONE_SOURCE_ATTENTION = "attention of one source in weights"
    NARROWER_GENERATOR = "narrower generator in wider"
    NO_BIAS = "no bias in bias"
    NO_POSITION_BIAS = "no position bias in position bias"
    NO_QUERY_KEY_BIAS = "no query and key bias in both"
    AVERAGE_IN_MATCHED = "average in matched reduction"
    AVERAGE_IN_DENSE = "average in dense reduction"
    MATCHED_IN_DENSE = "matched in dense reduction"
    DEPTH = "fewer blocks in more"
    WIDTH = "width in a multiple of it"
    MLP_RATIO = "narrower MLP in wider"


_WORDS: dict[tuple[str, str, str], tuple[InclusionKind, ...]] = {
    ("locality", "sliding", "global"): (InclusionKind.SLIDING_IN_GLOBAL,),
    ("locality", "window", "global"): (InclusionKind.WINDOW_IN_GLOBAL,),
    ("locality", "window", "sliding"): (InclusionKind.WINDOW_IN_SLIDING,),
    ("channels", "separable", "grouped"): (InclusionKind.SEPARABLE_IN_GROUPED,),
    ("channels", "separable", "dense"): (InclusionKind.SEPARABLE_IN_DENSE,),
    ("channels", "grouped", "dense"): (InclusionKind.GROUPED_IN_DENSE,),
    ("rank", "channel", "full"): (InclusionKind.CHANNEL_RANK_IN_FULL,),
    ("rank", "spatial", "full"): (InclusionKind.SPATIAL_RANK_IN_FULL,),
    ("rank", "joint", "full"): (InclusionKind.JOINT_RANK_IN_FULL,),
    ("rank", "channel", "joint"): (InclusionKind.CHANNEL_RANK_IN_JOINT,),
    ("rank", "spatial", "joint"): (InclusionKind.SPATIAL_RANK_IN_JOINT,),
    ("sharing", "position", "none"): (InclusionKind.POSITION_SHARED,),
    ("sharing", "both", "channel"): (InclusionKind.POSITION_SHARED,),
    ("sharing", "channel", "none"): (InclusionKind.CHANNEL_SHARED,),
    ("sharing", "both", "position"): (InclusionKind.CHANNEL_SHARED,),
    ("sharing", "both", "none"): (InclusionKind.POSITION_SHARED, InclusionKind.CHANNEL_SHARED),
    ("bias", "False", "True"): (InclusionKind.NO_BIAS,),
    ("position_bias", "False", "True"): (InclusionKind.NO_POSITION_BIAS,),
    ("query_key_bias", "False", "True"): (InclusionKind.NO_QUERY_KEY_BIAS,),
    ("reduction", "average", "matched"): (InclusionKind.AVERAGE_IN_MATCHED,),
    ("reduction", "average", "dense"): (InclusionKind.AVERAGE_IN_DENSE,),
    ("reduction", "matched", "dense"): (InclusionKind.MATCHED_IN_DENSE,),
    **{("dynamics", a, b): (InclusionKind(f"{a} in {b}"),) for a, b in _FIXED_IN_LINEAR},
}

_RATIOS = {
    Rank.CHANNEL: InclusionKind.LOWER_CHANNEL_RANK,
    Rank.SPATIAL: InclusionKind.COARSER_REDUCTION,
    Rank.JOINT: InclusionKind.LOWER_JOINT_RANK,
}


def kinds_between(special: Mixer, general: Mixer) -> tuple[InclusionKind, ...]:
    """The kinds that name the differences between two mixers, of which one contains the other."""
    before, after = special.to_dict(), general.to_dict()
    found: list[InclusionKind] = []
    if special.dynamics.source.query_key and special.dynamics is not general.dynamics:
        found.append(InclusionKind.ONE_SOURCE_ATTENTION)
    for name in after:
        if name in before and before[name] != after[name]:
            found += _WORDS.get((name, str(before[name]), str(after[name])), ())
            found += _sizes(name, special, general)
    if "position_bias" in after and "position_bias" not in before and general.position_bias:
        found.append(InclusionKind.NO_POSITION_BIAS)
    return tuple(dict.fromkeys(found)) or (InclusionKind.SAME,)


def _sizes(name: str, special: Mixer, general: Mixer) -> tuple[InclusionKind, ...]:
    window = special.locality is Locality.WINDOW
    named = {
        "kernel_size": InclusionKind.SMALLER_WINDOW if window else InclusionKind.SMALLER_KERNEL,
        "groups": InclusionKind.MORE_GROUPS,
        "heads": InclusionKind.FEWER_HEADS,
        "generator_ratio": InclusionKind.NARROWER_GENERATOR,
    }
    if name == "kernel_size" and special.locality is not general.locality:
        return ()
    if name == "ratio" and special.rank is general.rank:
        return (_RATIOS[special.rank],)
    return (named[name],) if name in named else ()
