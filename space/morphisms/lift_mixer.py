"""Lifting one operator into another: every step that differs, from the factors to the bias."""

import math

import numpy as np
import torch
from torch import nn

from space.axes import Rank
from space.inclusion.entry_numbers import FREE
from space.inclusion.mixer_inclusion import check_reach, head_places, taken_position_bias
from space.inclusion.mixer_on_map import check_mixer_fields
from space.morphisms.core import (
    Core,
    on_map,
    read,
    split_over_copies,
    to_device,
    weight_of_one,
    write,
)
from space.morphisms.rank_factors import (
    absorb_bottleneck,
    absorb_joint,
    lift_bottleneck,
    lift_into_joint,
    lift_reduction,
    with_reduction,
)
from space.operators import TokenMixer
from space.operators.rank import ChannelRank, JointRank, SpatialRank
from space.structure.entries import IntArray
from space.weight_sources.attention.module import AttentionWeights


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
    check_mixer_fields(on_map(special), on_map(general))
    if on_map(special) == on_map(general):
        general.load_state_dict(special.state_dict())
        return
    copies = general.width // special.width
    if general.mixer.rank is Rank.JOINT:
        lift_into_joint(special, general, copies)
    elif on_map(general).attends:
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
        core = absorb_bottleneck(core, ours)
    if isinstance(ours, SpatialRank):
        core = with_reduction(core, special, general, copies)
    return core.repeated(copies)


def _core(special: TokenMixer) -> Core:
    if isinstance(special.rank, JointRank):
        return absorb_joint(special, special.rank)
    return weight_of_one(special) if on_map(special).one_source else read(special)


def _attention_into_attention(special: TokenMixer, general: TokenMixer, copies: int) -> None:
    if isinstance(special.rank, SpatialRank):
        lift_reduction(special, general, copies)
    if isinstance(general.rank, ChannelRank):
        # The copies of a channel meet before the query and the key.
        lift_attention(special, general, lift_bottleneck(special, general, copies), 1)
    else:
        lift_attention(special, general, head_places(on_map(special), on_map(general)), copies)


def lift_attention(special: TokenMixer, general: TokenMixer, places: IntArray, copies: int) -> None:
    """Makes the general operator's softmax weights equal to the special one's.

    Args:
        special, general: operators of attention at the same heads.
        places: where each special channel stands in the general query and key.
        copies: how often each channel of the special map stands in the general map; 1 inside a
            bottleneck, whose channels stand at `places`.

    Raises:
        InputError: for another reach.
    """
    ours, theirs = _weights(special), _weights(general)
    check_reach(on_map(special), on_map(general))
    factor = math.sqrt(theirs.plan.width / ours.plan.width)
    _lift_projection(ours.query, theirs.query, places, copies, factor)
    _lift_projection(ours.key, theirs.key, places, copies, 1.0)
    # Head channels that only the general query has must meet a key of zero.
    spare = to_device(np.setdiff1d(np.arange(theirs.plan.width), places), theirs.key.weight)
    theirs.key.weight[spare] = 0
    if theirs.key.bias is not None:
        theirs.key.bias[spare] = 0
    _lift_position_bias(special, general)


def _lift_projection(
    old: nn.Conv2d, new: nn.Conv2d, places: IntArray, copies: int, factor: float
) -> None:
    """Its outputs at `places`; its inputs there too, unless they are copies."""
    rows = to_device(places, new.weight)
    weight = split_over_copies(old.weight[:, :, 0, 0], copies) * factor
    new.weight[rows] = 0
    if copies > 1:
        new.weight[rows, :, 0, 0] = weight
    else:
        new.weight[rows[:, None], rows[None, :], 0, 0] = weight
    if new.bias is not None:
        new.bias[rows] = 0.0 if old.bias is None else old.bias * factor


def _weights(operator: TokenMixer) -> AttentionWeights:
    weights = operator.mixing.weights if operator.mixing else None
    assert isinstance(weights, AttentionWeights)
    return weights


def _lift_position_bias(special: TokenMixer, general: TokenMixer) -> None:
    old, new = _weights(special).position_bias, _weights(general).position_bias
    taken = taken_position_bias(on_map(special), on_map(general))
    if new is not None and (old is None or taken is None):
        new.zero_()
    elif new is not None and old is not None and taken is not None:
        used = np.flatnonzero(taken != FREE)
        new[to_device(used, new)] = old[to_device(taken[used], old)]
