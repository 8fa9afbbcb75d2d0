"""Ways of computing one mixer with the same weights: ours by each path, and what torch offers."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.operators.cases import Case
from space.fixed_axes import Channels
from space.layout import Layout
from space.operator_choice import operators
from space.operators import TokenMixer
from space.operators.tiles import masked
from space.weight_sources.attention.module import AttentionWeights


@dataclass(frozen=True)
class Contender:
    """One way.

    Attributes:
        name: as in the table.
        run: a batch of maps to a batch of maps. owner: whose parameters it uses.
        within: what holds while it runs.
        memory_format: how maps and weights lie.
    """

    name: str
    run: Callable[[Tensor], Tensor]
    owner: nn.Module
    within: Callable[[], AbstractContextManager[Any]] = field(default=nullcontext)
    memory_format: torch.memory_format = torch.channels_last


_FORMATS = (("", torch.contiguous_format), (", channels last", torch.channels_last))


def contenders(case: Case, module: TokenMixer) -> Iterator[Contender]:
    """Ours first, then the others; all of them with the parameters of the module."""
    yield Contender("ours", module, module, lambda: operators("auto"))
    layout, dynamics = module.plan.layout, case.mixer.dynamics
    if layout is Layout.NEIGHBOURHOOD:
        yield Contender("plain", module, module, lambda: operators("plain"))
        yield Contender("unfold", module, module, _unfolded, torch.contiguous_format)
    elif layout is Layout.KERNEL:
        yield from _convolutions(case, module)
    elif dynamics == "attention":
        yield Contender("SDPA", _ScaledDotProduct(module), module)


def _convolutions(case: Case, module: TokenMixer) -> Iterator[Contender]:
    """With the fused path beside it where ours is not that, and unfolding for small kernels."""
    separable = case.mixer.channels is Channels.SEPARABLE
    with operators("auto"):
        left_to_torch = separable and ", plain" in module.extra_repr()
    if left_to_torch and _has_kernels(module):
        yield Contender("fused", module, module, lambda: operators("fused"))
    if case.mixer.dynamics == "static":
        for words, memory_format in _FORMATS:
            made = _convolution(module)
            yield Contender(f"Conv2d{words}", made, made, memory_format=memory_format)
    elif separable:
        for words, memory_format in _FORMATS:
            name = f"Conv2d of B·C groups{words}"
            yield Contender(name, module, module, lambda: operators("plain"), memory_format)
        if module.plan.kernel_size <= _LARGEST_UNFOLDED:
            unfolded = _dynamic_unfolded(module)
            yield Contender("unfold", unfolded, module, memory_format=torch.contiguous_format)


def _has_kernels(module: TokenMixer) -> bool:
    with operators("fused"):
        return ", fused" in module.extra_repr()


_LARGEST_UNFOLDED = 9
"""Larger kernels make more copies of a map than fit into memory beside a comparison."""


def unfold_sum(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """`neighbourhood_sum` by F.unfold, which copies the map k·k times."""
    images, heads, channels, height, width = x.shape
    copies = F.unfold(x.flatten(1, 2), kernel_size, padding=kernel_size // 2)
    copies = copies.reshape(images, heads, channels, kernel_size**2, height * width)
    return (weights.flatten(3).unsqueeze(2) * copies).sum(3).reshape(x.shape)


def unfold_dot(targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
    """`neighbourhood_dot` by F.unfold."""
    images, heads, channels, height, width = targets.shape
    copies = F.unfold(sources.flatten(1, 2), kernel_size, padding=kernel_size // 2)
    copies = copies.reshape(images, heads, channels, kernel_size**2, height * width)
    logits = (targets.flatten(3).unsqueeze(3) * copies).sum(2)
    return logits.reshape(images, heads, kernel_size**2, height, width)


@contextmanager
def _unfolded() -> Iterator[None]:
    with ExitStack() as stack:
        for place, function in (
            ("space.operators.aggregators.neighbourhood_sum", unfold_sum),
            ("space.weight_sources.attention.module.neighbourhood_dot", unfold_dot),
        ):
            stack.enter_context(patch(place, function))
        yield


def _convolution(module: TokenMixer) -> nn.Module:
    weight = next(each for each in module.parameters() if each.dim() == 4)
    outputs, inputs, edge, _ = weight.shape
    made = nn.Conv2d(outputs, outputs, edge, padding=edge // 2, groups=outputs // inputs, bias=True)
    made.weight = nn.Parameter(weight.detach().clone())
    bias = module.bias if module.bias is not None else torch.zeros(outputs)
    made.bias = nn.Parameter(bias.detach().clone().to(weight))
    return made


def _dynamic_unfolded(module: TokenMixer) -> Callable[[Tensor], Tensor]:
    def run(x: Tensor) -> Tensor:
        assert module.mixing is not None
        kernels = module.mixing.weights(x, x)
        kernels = kernels.repeat_interleave(module.width // kernels.shape[1], dim=1)
        weights = kernels.flatten(3).transpose(2, 3).unsqueeze(4)
        y = unfold_sum(weights, x.unsqueeze(2), module.plan.kernel_size).squeeze(2)
        return y if module.bias is None else y + module.bias[:, None, None]

    return run


class _ScaledDotProduct:
    """Attention in tiles by torch's own, which need not keep the weights."""

    def __init__(self, module: TokenMixer) -> None:
        assert module.mixing is not None
        weights = module.mixing.weights
        assert isinstance(weights, AttentionWeights)
        self.module, self.weights = module, weights

    def __call__(self, x: Tensor) -> Tensor:
        weights, heads = self.weights, self.weights.plan.heads
        tiling = weights.target_tiling
        query, key, value = (
            tiling.split(each).unflatten(1, heads).transpose(2, 3)
            for each in (weights.query(x), weights.key(x), x)
        )
        y = F.scaled_dot_product_attention(query, key, value, attn_mask=self._mask(query))
        joined = tiling.join(y.transpose(2, 3).flatten(1, 2))
        bias = self.module.bias
        return joined if bias is None else joined + bias[:, None, None]

    def _mask(self, query: Tensor) -> Tensor | None:
        weights = self.weights
        if weights.position_bias is None or weights.index is None:
            return None
        mask = weights.position_bias[weights.index].permute(2, 0, 1).unsqueeze(0)
        if weights.apart is None:
            return mask
        shape = query.shape[0], mask.shape[1], *mask.shape[2:]
        return masked(mask.expand(shape), weights.apart, float("-inf"))
