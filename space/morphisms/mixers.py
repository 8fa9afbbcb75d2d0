"""Lifting one operator into another: every step that differs, from the factors to the bias."""

import torch

from space.axes import Dynamics, Rank
from space.errors import InputError
from space.morphisms import absorbed
from space.morphisms.attention import lift_attention
from space.morphisms.core import Core, one_source_attention, read, write
from space.morphisms.factors import (
    lift_bottleneck,
    lift_into_joint,
    lift_reduction,
    places_of,
    with_reduction,
)
from space.operators import TokenMixer
from space.operators.rank import ChannelRank, JointRank, SpatialRank


@torch.no_grad()
def lift_operator(special: TokenMixer, general: TokenMixer) -> None:
    """Makes the general operator compute what the special one computes, in eval mode.

    Args:
        special: its width divides the general one's; then each of its channels stands several
            times in a row in the general map.
        general: on a map of the same size; its parameters are overwritten, but for those that no
            output depends on yet.

    Raises:
        InputError: naming what makes this no inclusion.
    """
    if general.width % special.width or special.size != general.size:
        raise InputError.of("width", "a map of another size or of no whole multiple of channels")
    if special.plan == general.plan and special.width == general.width:
        general.load_state_dict(special.state_dict())
        return
    copies = general.width // special.width
    if general.mixer.rank is Rank.JOINT:
        lift_into_joint(special, general, copies)
    elif _attends(general):
        _attention_into_attention(special, general, copies)
    else:
        write(_core_for(special, general, copies), general)
    if special.bias is not None and general.bias is None:
        raise InputError.of("bias", "the general mixer has none")
    if general.bias is not None:
        bias = general.bias.new_zeros(special.width) if special.bias is None else special.bias
        general.bias.copy_(bias.repeat_interleave(copies))


def _attends(operator: TokenMixer) -> bool:
    return operator.mixer.dynamics is Dynamics.ATTENTION


def _core_for(special: TokenMixer, general: TokenMixer, copies: int) -> Core:
    """The special core on the general one's map, what it has of factors more absorbed."""
    core = _core(special)
    ours, theirs = special.rank, general.rank
    if isinstance(theirs, ChannelRank):
        places = lift_bottleneck(special, general, copies)
        return core.embedded(places, general.plan.width)
    if isinstance(ours, ChannelRank):
        core = absorbed.bottleneck(core, ours)
    if isinstance(ours, SpatialRank):
        core = with_reduction(core, special, general, copies)
    elif isinstance(theirs, SpatialRank):
        raise InputError.of("rank", f"{special.mixer.rank} is not in {general.mixer.rank}")
    return core.repeated(copies)


def _core(special: TokenMixer) -> Core:
    if isinstance(special.rank, JointRank):
        return absorbed.joint(special, special.rank)
    if not _attends(special):
        return read(special)
    core = one_source_attention(special)
    if core is None:
        raise InputError.of("dynamics", "softmax of q·k is neither a parameter nor linear in x[p]")
    return core


def _attention_into_attention(special: TokenMixer, general: TokenMixer, copies: int) -> None:
    if not _attends(special):
        raise InputError.of("dynamics", "softmax weights are positive and sum to one")
    if special.mixer.rank is not general.mixer.rank:
        message = (
            f"{special.mixer.rank} is not in {general.mixer.rank} where channels are separable"
        )
        raise InputError.of("rank", message)
    if isinstance(general.rank, ChannelRank):
        places, copies = lift_bottleneck(special, general, copies), 1
    else:
        places = places_of(special, special.mixer.heads or 1, general.plan.width)
    if isinstance(special.rank, SpatialRank):
        if special.mixer.ratio != general.mixer.ratio:
            raise InputError.of("ratio", "softmax over other sources has other weights")
        lift_reduction(special, general, copies)
    lift_attention(special, general, places, copies)
