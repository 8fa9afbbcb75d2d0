"""Carrying weights across one fold of the canonical form, in both directions.

Most folds join two forms that contain each other, so the lift serves both ways. What remains is
carried by hand: factors that a product absorbs, and parameters that no output depends on.
"""

from collections.abc import Callable, Iterator

import torch
from torch import nn

from space import InputError, Mixer
from space.axes import Dynamics, Rank
from space.canonical import FOLDS
from space.geometry import MapSize
from space.morphisms.core import read
from space.morphisms.mixers import lift_operator
from space.morphisms.placed import placed
from space.operators import TokenMixer


def fold_steps(mixer: Mixer, width: int, size: MapSize) -> Iterator[tuple[Mixer, Mixer]]:
    """(before, after) of every fold that acts, until none does."""
    acted = True
    while acted:
        acted = False
        for fold in FOLDS:
            after = fold(mixer, width, size)
            if after != mixer:
                yield mixer, after
                mixer, acted = after, True


@torch.no_grad()
def carry(source: TokenMixer, target: TokenMixer) -> None:
    """Makes the target compute what the source computes."""
    try:
        lift_operator(source, target)
    except InputError:
        _by_hand(source, target)(source, target)
        if target.bias is not None and source.bias is not None:
            target.bias.copy_(source.bias)


def _by_hand(source: TokenMixer, target: TokenMixer) -> Callable[[TokenMixer, TokenMixer], None]:
    one, other = source.mixer, target.mixer
    ranks = {one.rank, other.rank}
    if one.rank is Rank.FULL and other.ratio == 1:
        return _identity_factors
    if {one.dynamics, other.dynamics} == {Dynamics.HOMOGENEOUS, Dynamics.INHOMOGENEOUS}:
        return _pooled_position
    if ranks == {Rank.SPATIAL} and one.ratio != other.ratio:
        return _reaching_past_the_map
    if one.dynamics is other.dynamics is Dynamics.ATTENTION and placed(source).one_source:
        return _without_softmax
    assert Rank.CHANNEL in ranks, (one, other)
    return _absorbed_in_up


def _matrix(operator: TokenMixer) -> torch.Tensor:
    """W of a pointwise core."""
    if operator.mixer.dynamics is Dynamics.ATTENTION:
        return torch.eye(operator.plan.width, dtype=torch.float64)
    return read(operator).dense_values()[:, :, 0, 0]


def _set_identity(operator: TokenMixer) -> None:
    if operator.mixing is None or operator.mixer.dynamics is Dynamics.ATTENTION:
        return
    weight = operator.mixing.weights.weight.flatten(1)
    weight.zero_()
    channel = torch.arange(weight.shape[0])
    weight[channel, channel % weight.shape[1]] = 1


def _factor(operator: TokenMixer, name: str) -> torch.Tensor:
    return operator.rank.get_submodule(name).weight.flatten(1)  # type: ignore[union-attr,operator]


def _absorbed_in_up(source: TokenMixer, target: TokenMixer) -> None:
    up = _factor(source, "up")
    if source.mixing is not None:
        up = up @ _matrix(source)
    _factor(target, "down").copy_(_factor(source, "down"))
    _factor(target, "up").copy_(up)
    _set_identity(target)


def _pooled_position(source: TokenMixer, target: TokenMixer) -> None:
    values, own = dict(source.state_dict()), target.state_dict()
    bias = "mixing.weights.reduce.bias"
    mean = "mixing.weights.norm.running_mean"
    if bias in values and bias not in own:
        values[mean] = values[mean] - values.pop(bias)
    if bias in own and bias not in values:
        values[bias] = torch.zeros_like(values[mean])
    target.load_state_dict(values)


def _reaching_past_the_map(source: TokenMixer, target: TokenMixer) -> None:
    values, own = dict(source.state_dict()), target.state_dict()
    kernel = "rank.reduction.weight"
    if kernel in values:
        held = torch.zeros_like(own[kernel])
        edge = min(held.shape[-1], values[kernel].shape[-1])
        held[..., :edge, :edge] = values[kernel][..., :edge, :edge]
        values[kernel] = held
    else:
        scale = ((target.mixer.ratio or 1) / (source.mixer.ratio or 1)) ** 2
        for name in ("weight", "expand.weight", "expand.bias"):
            if (key := f"mixing.weights.{name}") in values:
                values[key] = values[key] * scale
    target.load_state_dict(values)


def _without_softmax(source: TokenMixer, target: TokenMixer) -> None:
    target.rank.load_state_dict(source.rank.state_dict())


def _identity_factors(source: TokenMixer, target: TokenMixer) -> None:
    assert target.mixing is not None
    assert source.mixing is not None
    target.mixing.load_state_dict(source.mixing.state_dict())
    for layer in (part for part in target.rank.modules() if isinstance(part, nn.Conv2d)):
        layer.weight.zero_()
        channel = torch.arange(layer.weight.shape[0])
        layer.weight[channel, channel % layer.weight.shape[1]] = 1
