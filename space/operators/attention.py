"""softmax(q·k) · v over tiles: the plain composition, or torch's fused attention where it wins.

Fused (`scaled_dot_product_attention`), no weight between two positions is ever kept, so that memory
grows with the positions and not with their square. Derivatives of derivatives, which the fused
kernels have not, are those of the plain composition.
"""

from collections.abc import Callable
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
    """Of (tiles, heads, P or Q, channels); keeps the three maps.

    On a CPU it keeps what the gradient of torch's kernel reads as well, the result and the
    logarithms of its sums; elsewhere it computes them again.
    """

    @staticmethod
    def forward(ctx: Any, *maps: Tensor) -> Tensor:
        ctx.keeps_result = _is_flash_on_cpu(*maps)
        if not ctx.keeps_result:
            ctx.save_for_backward(*maps)
            return _fused(*maps)
        y, log_sums = _flash(*maps, scale=1.0)
        ctx.save_for_backward(*maps, y, log_sums)
        attended: Tensor = y
        return attended

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, *kept = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody asks for derivatives of what comes out of here
            return _gradients(ctx, _composed_last, gradient, query, key, value)
        if kept:
            return tuple(_flash_backward(gradient, query, key, value, *kept, 0.0, False, scale=1.0))
        alone = [each.detach().requires_grad_() for each in (query, key, value)]
        return _gradients(ctx, _fused, gradient, *alone)


_FLASH = 1
"""torch's number of its kernels that keep no weights."""
_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def _is_flash_on_cpu(query: Tensor, key: Tensor, value: Tensor) -> bool:
    on_cpu = query.device.type == "cpu"
    return on_cpu and int(torch._fused_sdp_choice(query, key, value, scale=1.0)) == _FLASH


def _gradients(
    ctx: Any, compute: Callable[..., Tensor], gradient: Tensor, *maps: Tensor
) -> tuple[Tensor | None, ...]:
    """By computing it once more, of the maps that anybody wants one of."""
    further = torch.is_grad_enabled()
    with torch.enable_grad():
        y = compute(*maps)
    wanted = [place for place, asked in enumerate(ctx.needs_input_grad) if asked]
    found = torch.autograd.grad(y, [maps[i] for i in wanted], gradient, create_graph=further)
    gradients: list[Tensor | None] = [None] * len(maps)
    for place, each in zip(wanted, found, strict=True):
        gradients[place] = each
    return tuple(gradients)


def _composed_last(*maps: Tensor) -> Tensor:
    return _composed(*(each.transpose(2, 3) for each in maps)).transpose(2, 3)
