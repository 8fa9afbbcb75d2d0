"""The kinds of inclusion, each a step from a special mixer to one that contains it.

A pair of mixers has the kinds of all fields in which they differ. The names only name: whether a
pair is an inclusion is decided on the index maps (`space.inclusion.mixers`).
"""

from enum import StrEnum

from space.axes import Dynamics, Locality, Rank
from space.mixer import Mixer


class Kind(StrEnum):
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
    STATIC_IN_HOMOGENEOUS = "static in homogeneous"
    STATIC_IN_INHOMOGENEOUS = "static in inhomogeneous"
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


NETWORK_KINDS = (Kind.DEPTH, Kind.WIDTH, Kind.MLP_RATIO)
"""Kinds between networks; the others are between mixers."""

_WORDS: dict[tuple[str, str, str], tuple[Kind, ...]] = {
    ("locality", "sliding", "global"): (Kind.SLIDING_IN_GLOBAL,),
    ("locality", "window", "global"): (Kind.WINDOW_IN_GLOBAL,),
    ("locality", "window", "sliding"): (Kind.WINDOW_IN_SLIDING,),
    ("channels", "separable", "grouped"): (Kind.SEPARABLE_IN_GROUPED,),
    ("channels", "separable", "dense"): (Kind.SEPARABLE_IN_DENSE,),
    ("channels", "grouped", "dense"): (Kind.GROUPED_IN_DENSE,),
    ("rank", "channel", "full"): (Kind.CHANNEL_RANK_IN_FULL,),
    ("rank", "spatial", "full"): (Kind.SPATIAL_RANK_IN_FULL,),
    ("rank", "joint", "full"): (Kind.JOINT_RANK_IN_FULL,),
    ("rank", "channel", "joint"): (Kind.CHANNEL_RANK_IN_JOINT,),
    ("rank", "spatial", "joint"): (Kind.SPATIAL_RANK_IN_JOINT,),
    ("sharing", "position", "none"): (Kind.POSITION_SHARED,),
    ("sharing", "both", "channel"): (Kind.POSITION_SHARED,),
    ("sharing", "channel", "none"): (Kind.CHANNEL_SHARED,),
    ("sharing", "both", "position"): (Kind.CHANNEL_SHARED,),
    ("sharing", "both", "none"): (Kind.POSITION_SHARED, Kind.CHANNEL_SHARED),
    ("dynamics", "static", "homogeneous"): (Kind.STATIC_IN_HOMOGENEOUS,),
    ("dynamics", "static", "inhomogeneous"): (Kind.STATIC_IN_INHOMOGENEOUS,),
    ("bias", "False", "True"): (Kind.NO_BIAS,),
    ("position_bias", "False", "True"): (Kind.NO_POSITION_BIAS,),
    ("query_key_bias", "False", "True"): (Kind.NO_QUERY_KEY_BIAS,),
    ("reduction", "average", "matched"): (Kind.AVERAGE_IN_MATCHED,),
    ("reduction", "average", "dense"): (Kind.AVERAGE_IN_DENSE,),
    ("reduction", "matched", "dense"): (Kind.MATCHED_IN_DENSE,),
}

_RATIOS = {
    Rank.CHANNEL: Kind.LOWER_CHANNEL_RANK,
    Rank.SPATIAL: Kind.COARSER_REDUCTION,
    Rank.JOINT: Kind.LOWER_JOINT_RANK,
}


def kinds_between(special: Mixer, general: Mixer) -> tuple[Kind, ...]:
    """The kinds that name the differences between two mixers, of which one contains the other."""
    before, after = special.to_dict(), general.to_dict()
    found: list[Kind] = []
    if special.dynamics is Dynamics.ATTENTION is not general.dynamics:
        found.append(Kind.ONE_SOURCE_ATTENTION)
    for name in after:
        if name in before and before[name] != after[name]:
            found += _WORDS.get((name, str(before[name]), str(after[name])), ())
            found += _sizes(name, special, general)
    if "position_bias" in after and "position_bias" not in before and general.position_bias:
        found.append(Kind.NO_POSITION_BIAS)
    return tuple(dict.fromkeys(found)) or (Kind.SAME,)


def _sizes(name: str, special: Mixer, general: Mixer) -> tuple[Kind, ...]:
    window = special.locality is Locality.WINDOW
    named = {
        "kernel_size": Kind.SMALLER_WINDOW if window else Kind.SMALLER_KERNEL,
        "groups": Kind.MORE_GROUPS,
        "heads": Kind.FEWER_HEADS,
        "generator_ratio": Kind.NARROWER_GENERATOR,
    }
    if name == "kernel_size" and special.locality is not general.locality:
        return ()
    if name == "ratio" and special.rank is general.rank:
        return (_RATIOS[special.rank],)
    return (named[name],) if name in named else ()
