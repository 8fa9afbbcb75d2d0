"""Carrying weights across one fold of the canonical form, in both directions.

Most folds join two forms that contain each other, so the lift serves both ways. What remains is
carried by hand: factors that a product absorbs, and parameters that no output depends on.
"""

from collections.abc import Callable, Iterator

import torch

from space import InputError, Mixer
from space.axes import Dynamics, Rank
from space.canonical import FOLDS
from space.geometry import MapSize
from space.morphisms.core import on_map
from space.morphisms.lift_mixer import lift_operator
from space.operators import TokenMixer
from tests.space.carrying_reductions import (
    between_reductions,
    into_reduction,
    matrix_of,
    set_identity,
)


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
    if {one.dynamics, other.dynamics} == {Dynamics.HOMOGENEOUS, Dynamics.INHOMOGENEOUS}:
        return _pooled_position
    sum_to_one = one.dynamics is other.dynamics and one.dynamics.source.normalised
    if sum_to_one and one.ratio == other.ratio and on_map(source).one_source:
        return _without_softmax
    if one.rank is other.rank is Rank.SPATIAL:
        return between_reductions(source, target)
    if other.rank is Rank.SPATIAL:
        return into_reduction(source, target)
    assert Rank.CHANNEL in (one.rank, other.rank), (one, other)
    return _absorbed_in_up


def _factor(operator: TokenMixer, name: str) -> torch.Tensor:
    return operator.rank.get_submodule(name).weight.flatten(1)  # type: ignore[union-attr,operator]


def _absorbed_in_up(source: TokenMixer, target: TokenMixer) -> None:
    up = _factor(source, "up")
    if source.mixing is not None:
        up = up @ matrix_of(source)
    _factor(target, "down").copy_(_factor(source, "down"))
    _factor(target, "up").copy_(up)
    set_identity(target)


def _pooled_position(source: TokenMixer, target: TokenMixer) -> None:
    values, own = dict(source.state_dict()), target.state_dict()
    bias = "mixing.weights.reduce.bias"
    mean = "mixing.weights.norm.running_mean"
    if bias in values and bias not in own:
        values[mean] = values[mean] - values.pop(bias)
    if bias in own and bias not in values:
        values[bias] = torch.zeros_like(values[mean])
    target.load_state_dict(values)


def _without_softmax(source: TokenMixer, target: TokenMixer) -> None:
    target.rank.load_state_dict(source.rank.state_dict())
