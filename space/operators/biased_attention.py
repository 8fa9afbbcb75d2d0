"""softmax(scale · q·k + bias) · v over tiles whose pairs of positions have a bias or stand apart.

The bias of relative positions and the mask of moved windows (Swin) are one table, added once: the
plain composition goes over the weights between positions five times more, forward and back.
Derivatives of derivatives are those of the plain composition.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from space.operator_choice import chosen
from space.operators.attention import recomputed_gradients
from space.operators.kernel_dispatch import in_autocast, only_own_operations
from space.operators.recording import being_transformed, is_symbolic


def takes_fused(kind: str) -> bool:
    """Whether it is computed so on this kind of device, such as "cuda", where nothing looks on."""
    return kind in ("cpu", "cuda") and chosen() != "plain"


def serves(x: Tensor) -> bool:
    """Whether it is computed so of values such as x.

    Recorders, compilers, counters and `torch.func` get the plain composition: they have rules for
    all of it.
    """
    if is_symbolic(x) or torch.compiler.is_compiling() or only_own_operations():
        return False
    return takes_fused(x.device.type) and x.numel() > 0 and not being_transformed()


@dataclass(frozen=True)
class PairBias:
    """What is added to the products of pairs of positions of a tile.

    Attributes:
        table: (offsets, heads), of relative positions; None where there is none.
        index: (P, Q), the offset of each pair.
        apart: (tiles of an image, P, Q), true where p may not read q; None where all may.
    """

    table: Tensor | None
    index: Tensor | None
    apart: Tensor | None

    def of(self, x: Tensor) -> Tensor:
        """(tiles of an image or 1, heads or 1, P, Q), −∞ where positions are apart."""
        if self.table is None or self.index is None:
            bias = x.new_zeros(1, 1, 1, 1)
        else:
            bias = self.table[self.index].permute(2, 0, 1).contiguous().unsqueeze(0)
        return bias if self.apart is None else bias.masked_fill(self.apart[:, None], float("-inf"))


def attended_with_bias(
    query: Tensor, key: Tensor, value: Tensor, bias: PairBias, scale: float
) -> Tensor:
    """y[t, h, c, p] = Σ_q softmax_q(scale · Σ_c query[c, p]·key[c, q] + bias[p, q]) · value[c, q].

    Args:
        query: (images · tiles, heads, channels of a head, P).
        key, value: (images · tiles, heads, channels of a head, Q).
        bias: of pairs.
        scale: of the products.

    Returns:
        (images · tiles, heads, channels of a head, P).
    """
    # Cast for the gradient as well, which is computed outside of autocast.
    maps = in_autocast(query), in_autocast(key), in_autocast(value)
    if torch.is_grad_enabled():
        given = *maps, bias.table, bias.index, bias.apart, scale
        y: Tensor = _BiasedAttention.apply(*given)  # type: ignore[no-untyped-call]
        return y
    return _mixed(maps[2], _weights(maps[0] * scale, maps[1], bias.of(query)))


def _weights(scaled_query: Tensor, key: Tensor, bias: Tensor) -> Tensor:
    """(images · tiles, heads, P, Q); in single precision where the bias is, as softmax is."""
    logits = scaled_query.transpose(2, 3) @ key
    # Not in place: whoever recomputes may have kept the product (selective checkpointing).
    by_image = logits.unflatten(0, (-1, bias.shape[0])) + bias
    weights: Tensor = by_image.flatten(0, 1).softmax(3)
    return weights


def _mixed(value: Tensor, weights: Tensor) -> Tensor:
    return torch.matmul(value, weights.transpose(2, 3).to(value.dtype))


class _BiasedAttention(torch.autograd.Function):
    """Keeps the maps and the weights; every product of its gradient lies as it is read."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, *bias_and_scale: Any
    ) -> Tensor:
        *parts, ctx.scale = bias_and_scale
        weights = _weights(query * ctx.scale, key, PairBias(*parts).of(query))
        ctx.save_for_backward(query, key, value, weights, *parts)
        return _mixed(value, weights)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        query, key, value, weights, *parts = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody asks for derivatives of what comes out of here
            compute = partial(_composed, *parts[1:])
            maps = query, key, value, parts[0]
            return *recomputed_gradients(ctx, compute, gradient, *maps), None, None, None
        for_query, for_key, for_value, for_table = ctx.needs_input_grad[:4]
        of_weights = (gradient.transpose(2, 3) @ value).to(weights.dtype)
        of_logits = torch._softmax_backward_data(of_weights, weights, 3, weights.dtype)
        factors = of_logits.to(query.dtype)
        of_query = (key @ factors.transpose(2, 3)) * ctx.scale if for_query else None
        of_key = (query @ factors) * ctx.scale if for_key else None
        of_value = gradient @ weights.to(gradient.dtype) if for_value else None
        of_table = _of_table(of_logits, *parts[:2]) if for_table else None
        return of_query, of_key, of_value, of_table, None, None, None


def _of_table(of_logits: Tensor, table: Tensor, index: Tensor) -> Tensor:
    by_pair = of_logits.sum(0).permute(1, 2, 0).to(table.dtype)
    return torch.zeros_like(table).index_put((index,), by_pair, accumulate=True)


def _composed(
    index: Tensor | None,
    apart: Tensor | None,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    table: Tensor | None,
    scale: float,
) -> Tensor:
    return _mixed(value, _weights(query * scale, key, PairBias(table, index, apart).of(query)))
