"""Lifting one operator into another: every step that differs, from the factors to the bias."""

import torch

from space.axes import Rank
from space.inclusion.fields import check_fields
from space.inclusion.mixers import head_places
from space.morphisms import absorbed
from space.morphisms.attention import lift_attention
from space.morphisms.core import Core, one_source_attention, read, write
from space.morphisms.factors import (
    lift_bottleneck,
    lift_into_joint,
    lift_reduction,
    with_reduction,
)
from space.morphisms.placed import placed
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
    check_fields(placed(special), placed(general))
    if placed(special) == placed(general):
        general.load_state_dict(special.state_dict())
        return
    copies = general.width // special.width
    if general.mixer.rank is Rank.JOINT:
        lift_into_joint(special, general, copies)
    elif placed(general).attends:
        _attention_into_attention(special, general, copies)
    else:
        write(_core_for(special, general, copies), general)
    if general.bias is not None:
        bias = general.bias.new_zeros(special.width) if special.bias is None else special.bias
        general.bias.copy_(bias.repeat_interleave(copies))


def _core_for(special: TokenMixer, general: TokenMixer, copies: int) -> Core:
    """The special core on the general one's map, what it has of factors more absorbed."""
    core = _core(special)
    ours = special.rank
    if isinstance(general.rank, ChannelRank):
        places = lift_bottleneck(special, general, copies)
        return core.embedded(places, general.plan.width)
    if isinstance(ours, ChannelRank):
        core = absorbed.bottleneck(core, ours)
    if isinstance(ours, SpatialRank):
        core = with_reduction(core, special, general, copies)
    return core.repeated(copies)


def _core(special: TokenMixer) -> Core:
    if isinstance(special.rank, JointRank):
        return absorbed.joint(special, special.rank)
    return one_source_attention(special) if placed(special).attends else read(special)


def _attention_into_attention(special: TokenMixer, general: TokenMixer, copies: int) -> None:
    if isinstance(special.rank, SpatialRank):
        lift_reduction(special, general, copies)
    if isinstance(general.rank, ChannelRank):
        # The copies of a channel meet before the query and the key.
        lift_attention(special, general, lift_bottleneck(special, general, copies), 1)
    else:
        lift_attention(special, general, head_places(placed(special), placed(general)), copies)
