"""Lifting the weights of attention: the same reach and heads, more biases or head channels."""

import math

import numpy as np
from torch import nn

from space.inclusion.correspondence import FREE
from space.inclusion.mixers import check_reach, taken_position_bias
from space.morphisms.placed import placed
from space.morphisms.tensors import split_over_copies, to_device
from space.operators import TokenMixer
from space.operators.attention import AttentionWeights
from space.structure.entries import IntArray


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
    check_reach(placed(special), placed(general))
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
    taken = taken_position_bias(placed(special), placed(general))
    if new is not None and (old is None or taken is None):
        new.zero_()
    elif new is not None and old is not None and taken is not None:
        used = np.flatnonzero(taken != FREE)
        new[to_device(used, new)] = old[to_device(taken[used], old)]
