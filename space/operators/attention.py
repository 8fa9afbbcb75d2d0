"""softmax(q·k) · v over tiles: the plain composition, or torch's fused attention where it wins.

Fused (`scaled_dot_product_attention`), no weight between two positions is ever kept, so that memory
grows with the positions and not with their square. Derivatives of derivatives, which the fused
kernels have not, are those of the plain composition.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from space.operator_choice import chosen
from space.operators.kernel_dispatch import in_autocast
from space.operators.recording import recorded_for_any_batch


def attended(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """y[t, h, c, p] = Σ_q softmax_q(Σ_c query[c, p] · key[c, q]) · value[c, q].

    Args:
        query: (tiles, heads, channels of a head, P), scaled.
        key, value: (tiles, heads, channels of a head, Q).

    Returns:
        (tiles, heads, channels of a head, P).
    """
    if not _serves(query, key):
        return _composed(query, key, value)
    # Cast for the gradient as well, which is computed outside of autocast.
    maps = [_channels_last(in_autocast(each)) for each in (query, key, value)]
    # Compilers see torch's own operator; there are no second derivatives through what they make.
    at_once = torch.compiler.is_compiling() or not torch.is_grad_enabled()
    y = _fused(*maps) if at_once else _differentiable(*maps)
    return y.transpose(2, 3)


_FEW = 128**2
"""Weights of a head that a CPU makes more quickly than it calls a fused kernel and its gradient."""


def takes_fused(kind: str, targets: int, sources: int) -> bool:
    """Whether attention of so many targets to so many sources is torch's own.

    Args:
        kind: of the device, such as "cuda".
    """
    choice = chosen()
    small = kind == "cpu" and targets * sources < _FEW
    return kind in ("cpu", "cuda") and choice != "plain" and (not small or choice == "fused")


def _serves(query: Tensor, key: Tensor) -> bool:
    if recorded_for_any_batch() or query.numel() == 0:
        return False
    if not takes_fused(query.device.type, query.shape[3], key.shape[3]):
        return False
    # Under vmap and torch.func.grad the plain composition is what has rules.
    return torch._C._functorch.peek_interpreter_stack() is None


def _channels_last(x: Tensor) -> Tensor:
    """(tiles, heads, P or Q, channels), of which the kernels want the last in a row."""
    x = x.transpose(2, 3)
    return x if x.stride(3) == 1 else x.contiguous()


def _composed(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    weights = (query.transpose(2, 3) @ key).softmax(3)
    return torch.matmul(value, weights.transpose(2, 3))


def _fused(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value, scale=1.0)


def _differentiable(*maps: Tensor) -> Tensor:
    y: Tensor = _Attention.apply(*maps)  # type: ignore[no-untyped-call]
    return y


class _Attention(torch.autograd.Function):
    """Of (tiles, heads, P or Q, channels); keeps the three maps, and computes again from them."""

    @staticmethod
    def forward(ctx: Any, *maps: Tensor) -> Tensor:
        ctx.save_for_backward(*maps)
        return _fused(*maps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        further = torch.is_grad_enabled()  # somebody asks for derivatives of what comes out of here
        maps, wanted = (
            ctx.saved_tensors,
            [i for i, asked in enumerate(ctx.needs_input_grad) if asked],
        )
        with torch.enable_grad():
            if not further:
                asked_for = zip(maps, ctx.needs_input_grad, strict=True)
                maps = tuple(each.detach().requires_grad_(asked) for each, asked in asked_for)
            y = _composed_last(*maps) if further else _fused(*maps)
        inputs = [maps[i] for i in wanted]
        found = torch.autograd.grad(y, inputs, gradient, create_graph=further)
        gradients: list[Tensor | None] = [None] * len(maps)
        for place, each in zip(wanted, found, strict=True):
            gradients[place] = each
        return tuple(gradients)


def _composed_last(*maps: Tensor) -> Tensor:
    return _composed(*(each.transpose(2, 3) for each in maps)).transpose(2, 3)
