"""Carrying weights by hand where a mixer reduces its sources, and the lift does not serve.

The product of the core and the reduction is what counts: it is put where the target has room.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from space.axes import Channels, Dynamics, Rank
from space.morphisms.core import packed, read, unpacked
from space.operators import TokenMixer

Carrying = Callable[[TokenMixer, TokenMixer], None]


def between_reductions(source: TokenMixer, target: TokenMixer) -> Carrying:
    """How weights get from one mixer of rank spatial into another."""
    one, other = source.mixer, target.mixer
    if one.ratio != other.ratio:
        return _reaching_past_the_map
    static = one.dynamics is other.dynamics is Dynamics.STATIC
    if static and one.channels is other.channels and one.locality is not other.locality:
        return _single_position
    if not one.reduction_norm:
        return _absorbed_in_kernel
    return _absorbed_beside_dense if one.channels is Channels.DENSE else _absorbed_in_norm


def into_reduction(source: TokenMixer, target: TokenMixer) -> Carrying:
    """How weights get from a mixer without reduction into one with."""
    if source.mixer.rank is Rank.JOINT:
        return _two_factors
    return _identity_kernel if source.plan.groups == target.plan.groups else _absorbed_in_kernel


def matrix_of(operator: TokenMixer) -> Tensor:
    """(d, d), W of a pointwise core; one weight that sums to one is 1."""
    if operator.mixer.dynamics.source.normalised:
        return torch.eye(operator.plan.width, dtype=torch.float64)
    return read(operator).dense_values()[:, :, 0, 0]


def set_identity(operator: TokenMixer) -> None:
    """Makes a fixed pointwise core the identity."""
    if operator.mixing is None or operator.mixer.dynamics.source.normalised:
        return
    weight = operator.mixing.weights.weight.flatten(1)
    weight.zero_()
    channel = torch.arange(weight.shape[0])
    weight[channel, channel % weight.shape[1]] = 1


def _spread(kernel: Tensor) -> Tensor:
    """(C, I, R, R) of groups to (C, C, R, R)."""
    width, inputs = kernel.shape[:2]
    channel = torch.arange(width)
    dense = kernel.new_zeros(width, width, *kernel.shape[2:])
    for place in range(inputs):
        dense[channel, channel // inputs * inputs + place] = kernel[:, place]
    return dense


def _set_kernel(target: TokenMixer, dense: Tensor) -> None:
    kernel = target.rank.reduction.weight  # type: ignore[union-attr]
    channel, inputs = torch.arange(target.width), kernel.shape[1]
    kernel.zero_()
    edge = dense.shape[2]
    for place in range(inputs):
        kernel[:, place, :edge, :edge] = dense[channel, channel // inputs * inputs + place]


def _absorbed_in_kernel(source: TokenMixer, target: TokenMixer) -> None:
    kernel = torch.eye(source.width, dtype=torch.float64)[:, :, None, None]
    if source.mixer.rank is Rank.SPATIAL:
        kernel = _spread(source.rank.reduction.weight)  # type: ignore[union-attr]
    _set_kernel(target, torch.einsum("cd,dexy->cexy", matrix_of(source), kernel))
    set_identity(target)


def _identity_kernel(source: TokenMixer, target: TokenMixer) -> None:
    own = target.state_dict()
    values = {name: value for name, value in source.state_dict().items() if name in own}
    if target.mixer.reduction == "average":
        values |= _scaled(values, float((target.mixer.ratio or 1) ** 2))
    target.load_state_dict(own | values)
    if target.mixer.reduction != "average":
        _set_kernel(target, torch.eye(target.width, dtype=torch.float64)[:, :, None, None])


def _scaled(values: dict[str, Tensor], scale: float) -> dict[str, Tensor]:
    """The parameters that W is linear in, times a number."""
    names = [f"mixing.weights.{name}" for name in ("weight", "expand.weight", "expand.bias")]
    return {name: values[name] * scale for name in names if name in values}


def _reaching_past_the_map(source: TokenMixer, target: TokenMixer) -> None:
    values, own = dict(source.state_dict()), target.state_dict()
    kernel = "rank.reduction.weight"
    if kernel in values:
        held = torch.zeros_like(own[kernel])
        edge = min(held.shape[-1], values[kernel].shape[-1])
        held[..., :edge, :edge] = values[kernel][..., :edge, :edge]
        values[kernel] = held
    else:
        values |= _scaled(values, ((target.mixer.ratio or 1) / (source.mixer.ratio or 1)) ** 2)
    target.load_state_dict(values)


def _single_position(source: TokenMixer, target: TokenMixer) -> None:
    assert source.mixing is not None
    assert target.mixing is not None
    weight = unpacked(source.plan, source.mixing.weights.weight)  # type: ignore[arg-type]
    target.mixing.weights.weight.copy_(packed(target.plan, weight))  # type: ignore[operator,union-attr]
    target.rank.load_state_dict(source.rank.state_dict())


def _offset(source: TokenMixer, target: TokenMixer) -> Tensor:
    """The bias that the target has none for."""
    kept = source.bias is None or target.bias is not None
    return torch.zeros(source.width) if kept else source.bias  # type: ignore[return-value]


def _absorbed_in_norm(source: TokenMixer, target: TokenMixer) -> None:
    """A diagonal W and the bias in the norm's scale and shift."""
    target.rank.load_state_dict(source.rank.state_dict())
    same = source.mixer.dynamics is target.mixer.dynamics
    both_sum_to_one = same and source.mixer.dynamics.source.normalised
    if both_sum_to_one and source.mixing is not None and target.mixing is not None:
        target.mixing.load_state_dict(source.mixing.state_dict())
    if target.bias is not None:
        target.bias.zero_()
    diagonal = torch.eye(source.width) if both_sum_to_one else matrix_of(source)
    norm = target.rank.norm
    norm.weight.mul_(diagonal.diagonal())  # type: ignore[union-attr,operator]
    norm.bias.mul_(diagonal.diagonal()).add_(_offset(source, target))  # type: ignore[union-attr,operator]
    set_identity(target)


def _absorbed_beside_dense(source: TokenMixer, target: TokenMixer) -> None:
    """The bias in a dense W: what is normed sums to zero, so that u·1ᵀ gives u from a shift."""
    assert target.mixing is not None
    target.rank.load_state_dict(source.rank.state_dict())
    norm, width = target.rank.norm, source.width
    scaled = matrix_of(source) * norm.weight  # type: ignore[union-attr,operator]
    constant = matrix_of(source) @ norm.bias + _offset(source, target)  # type: ignore[union-attr,operator]
    added = constant - scaled.mean(1)
    target.mixing.weights.weight.copy_((scaled + added[:, None])[:, :, None, None])  # type: ignore[operator,union-attr]
    norm.weight.fill_(1)  # type: ignore[union-attr,operator]
    norm.bias.fill_(1 / width)  # type: ignore[union-attr,operator]
    if target.bias is not None:
        target.bias.zero_()


def _two_factors(source: TokenMixer, target: TokenMixer) -> None:
    """C ranks between all positions: the reduction to one source, and what it gives to each."""
    assert target.mixing is not None
    size, width = source.size, source.width
    down = source.rank.down.weight.reshape(width, width, size.height, size.width)  # type: ignore[union-attr,operator]
    kernel = target.rank.reduction.weight  # type: ignore[union-attr]
    kernel.zero_()
    kernel[:, :, : size.height, : size.width] = down
    up = source.rank.up.weight.reshape(width, size.positions, width)  # type: ignore[union-attr,operator]
    target.mixing.weights.weight.copy_(up)  # type: ignore[operator,union-attr]
