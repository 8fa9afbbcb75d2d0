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
from space.operators.kernel_dispatch import in_autocast, only_own_operations
from space.operators.recording import being_transformed


def attended(query: Tensor, key: Tensor, value: Tensor, scale: float, cut: bool) -> Tensor:
    """y[t, h, c, p] = Σ_q softmax_q(scale · Σ_c query[c, p] · key[c, q]) · value[c, q].

    Args:
        query: (tiles, heads, channels of a head, P).
        key, value: (tiles, heads, channels of a head, Q).
        scale: of the products.
        cut: whether a map is cut into several tiles.

    Returns:
        (tiles, heads, channels of a head, P).
    """
    if not _serves(query, key, cut):
        return _composed(query, key, value, scale)
    # Cast for the gradient as well, which is computed outside of autocast.
    maps = _channels_last(query), _channels_last(key), _channels_last(value)
    # Compilers see torch's own operator; there are no second derivatives through what they make.
    at_once = torch.compiler.is_compiling() or not torch.is_grad_enabled()
    y = _fused(*maps, scale) if at_once else _differentiable(*maps, scale)
    return y.transpose(2, 3)


_FEW, _FEW_OF_SEVERAL = 49**2, 128**2
"""Weights of a head that a CPU makes as quickly as a fused kernel does without them.

Of several tiles of a map the positions lie in a row, and are copied for the kernel.
"""


def takes_fused(kind: str, targets: int, sources: int, cut: bool) -> bool:
    """Whether attention of so many targets to so many sources is torch's own.

    Args:
        kind: of the device, such as "cuda".
        cut: whether a map is cut into several tiles.
    """
    choice = chosen()
    few = _FEW_OF_SEVERAL if cut else _FEW
    small = kind == "cpu" and targets * sources < few
    return kind in ("cpu", "cuda") and choice != "plain" and (not small or choice == "fused")


def _serves(query: Tensor, key: Tensor, cut: bool) -> bool:
    if only_own_operations() or query.numel() == 0:
        return False
    if not takes_fused(query.device.type, query.shape[3], key.shape[3], cut):
        return False
    # Under vmap and torch.func.grad the plain composition is what has rules.
    return not being_transformed()


def _channels_last(x: Tensor) -> Tensor:
    """(tiles, heads, P or Q, channels), of which the kernels want the last in a row."""
    x = in_autocast(x).transpose(2, 3)
    return x if x.stride(3) == 1 else x.contiguous()


def _composed(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    weights = ((query * scale).transpose(2, 3) @ key).softmax(3)
    return torch.matmul(value, weights.transpose(2, 3))


def _fused(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    return F.scaled_dot_product_attention(query, key, value, scale=scale)


def _differentiable(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    y: Tensor = _Attention.apply(query, key, value, scale)  # type: ignore[no-untyped-call]
    return y


class _Attention(torch.autograd.Function):
    """Of (tiles, heads, P or Q, channels); keeps the three maps.

    On a CPU it keeps what the gradient of torch's kernel reads as well, the result and the
    logarithms of its sums; elsewhere it computes them again.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        maps = query, key, value
        if not _is_flash_on_cpu(*maps):
            ctx.save_for_backward(*maps)
            return _fused(*maps, scale)
        y, log_sums = _flash(*maps, scale=scale)
        ctx.save_for_backward(*maps, y, log_sums)
        result: Tensor = y
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, *kept = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody asks for derivatives of what comes out of here
            return *recomputed_gradients(ctx, _composed_last, gradient, query, key, value), None
        if kept:
            causal, dropout = False, 0.0
            maps = query, key, value, *kept, dropout, causal
            return *_flash_backward(gradient, *maps, scale=ctx.scale), None
        alone = [each.detach().requires_grad_() for each in (query, key, value)]
        return *recomputed_gradients(ctx, _fused, gradient, *alone), None


_FLASH = 1
"""torch's number of its kernels that keep no weights."""
_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
_flash_backward = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward


def _is_flash_on_cpu(query: Tensor, key: Tensor, value: Tensor) -> bool:
    on_cpu = query.device.type == "cpu"
    return on_cpu and int(torch._fused_sdp_choice(query, key, value)) == _FLASH


def recomputed_gradients(
    ctx: Any, compute: Callable[..., Tensor], gradient: Tensor, *maps: Tensor | None
) -> tuple[Tensor | None, ...]:
    """Of the first inputs of a `torch.autograd.Function`, by computing it once more.

    Args:
        ctx: of the function, with its `scale`.
        compute: the result of the inputs and the scale.
        gradient: of the result.
        maps: the inputs.

    Returns:
        A gradient of each that anybody wants one of.
    """
    further = torch.is_grad_enabled()
    with torch.enable_grad():
        y = compute(*maps, ctx.scale)
    asked = zip(maps, ctx.needs_input_grad, strict=False)  # others are no maps
    wanted = {i: x for i, (x, needed) in enumerate(asked) if needed and x is not None}
    found = torch.autograd.grad(y, [*wanted.values()], gradient, create_graph=further)
    by_place = dict(zip(wanted, found, strict=True))
    return tuple(by_place.get(place) for place in range(len(maps)))


def _composed_last(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    maps = query.transpose(2, 3), key.transpose(2, 3), value.transpose(2, 3)
    return _composed(*maps, scale).transpose(2, 3)
