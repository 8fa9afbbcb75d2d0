"""Weighted sums that are linear in their weights and in their map, with derivatives of any order.

Of maps y and x and weights w, with ⟨y, S(w, x)⟩ = ⟨w, D(y, x)⟩ = ⟨T(w, y), x⟩, the sum S, the
product D at each tap and the transpose T are linear in either argument, and each is the derivative
of the others. So three functions are enough, however they are computed.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from space.operator_choice import PathName
from space.operators.recording import being_transformed


class Product(Protocol):
    """D of a path: the gradient of weights (shared: of those that all images share)."""

    def __call__(
        self, targets: Tensor, sources: Tensor, kernel_size: int, shared: bool = False
    ) -> Tensor: ...


@dataclass(frozen=True)
class Path:
    """One way of computing the three functions, and the layout that it takes maps in.

    Attributes:
        name: as it is printed.
        key: what it is known by among those of all operators.
        images, parts: the axes in that layout of images, and of parts of a map that do not see each
            other: heads, or channels.
        sum, dot, transpose: S(weights, x, k), D(targets, sources, k, shared), T(weights, y, k).
    """

    name: PathName
    key: str
    images: int
    parts: int
    sum: Callable[[Tensor, Tensor, int], Tensor]
    dot: Product
    transpose: Callable[[Tensor, Tensor, int], Tensor]

    def __post_init__(self) -> None:
        """Makes it known by its key."""
        _PATHS[self.key] = self


_PATHS: dict[str, Path] = {}
"""By key, as `torch.compile` takes a word for a constant."""


def weighted_sum(weights: Tensor, x: Tensor, kernel_size: int, path: Path) -> Tensor:
    """S by a path, of maps in its layout."""
    return _applied(_Sum, weights, x, kernel_size, path.key)


def product(targets: Tensor, sources: Tensor, kernel_size: int, path: Path) -> Tensor:
    """D by a path, of maps in its layout."""
    return _applied(_Dot, targets, sources, kernel_size, path.key, False)


class _Bilinear(torch.autograd.Function):
    """A function of two maps, linear in each; further, the kernel size and the path's key."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        first, second, *ctx.how = inputs
        ctx.save_for_backward(first, second)


class _Sum(_Bilinear):
    @staticmethod
    def forward(weights: Tensor, x: Tensor, kernel_size: int, path: str) -> Tensor:
        return _PATHS[path].sum(weights, x, kernel_size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weights, x = ctx.saved_tensors
        to_weights = to_x = None
        if ctx.needs_input_grad[0]:
            to_weights = _to_weights(weights, gradient, x, *ctx.how)
        if ctx.needs_input_grad[1]:
            to_x = _applied(_Transpose, weights, gradient, *ctx.how)
        return to_weights, to_x, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_parts(_Sum, info.batch_size, in_dims, inputs)


class _Dot(_Bilinear):
    """Of weights that all images share where `shared`: then over images as well."""

    @staticmethod
    def forward(
        targets: Tensor, sources: Tensor, kernel_size: int, path: str, shared: bool
    ) -> Tensor:
        return _PATHS[path].dot(targets, sources, kernel_size, shared)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        targets, sources = ctx.saved_tensors
        kernel_size, path, _ = ctx.how
        to_targets = to_sources = None
        if ctx.needs_input_grad[0]:
            to_targets = _applied(_Sum, gradient, sources, kernel_size, path)
        if ctx.needs_input_grad[1]:
            to_sources = _applied(_Transpose, gradient, targets, kernel_size, path)
        return to_targets, to_sources, None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_parts(_Dot, info.batch_size, in_dims, inputs)


class _Transpose(_Bilinear):
    @staticmethod
    def forward(weights: Tensor, y: Tensor, kernel_size: int, path: str) -> Tensor:
        return _PATHS[path].transpose(weights, y, kernel_size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weights, y = ctx.saved_tensors
        to_weights = to_y = None
        if ctx.needs_input_grad[0]:
            to_weights = _to_weights(weights, y, gradient, *ctx.how)
        if ctx.needs_input_grad[1]:
            to_y = _applied(_Sum, weights, gradient, *ctx.how)
        return to_weights, to_y, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_parts(_Transpose, info.batch_size, in_dims, inputs)


def _applied(function: type[torch.autograd.Function], *inputs: Any) -> Tensor:
    result: Tensor
    if _nobody_looks_on():
        result = function.forward(*inputs)
    else:
        result = function.apply(*inputs)
    return result


def _nobody_looks_on() -> bool:
    """Whether there are neither derivatives to be taken nor transforms: then a call is quicker."""
    if torch.is_grad_enabled() or torch.compiler.is_compiling():
        return False
    return not being_transformed()


for _each in (_Sum, _Dot, _Transpose):
    # `apply` asks for it at each call, and making it takes as long as a convolution of a small map.
    _each.forward.__dict__["__signature__"] = inspect.signature(_each.forward)


def _to_weights(
    weights: Tensor, targets: Tensor, sources: Tensor, kernel_size: int, path: str
) -> Tensor:
    """The gradient of weights; of those that all images share it is the sum of theirs."""
    images = _PATHS[path].images
    shared = weights.shape[images] == 1 and targets.shape[images] != 1
    return _applied(_Dot, targets, sources, kernel_size, path, shared)


def _with_more_parts(
    function: type[torch.autograd.Function],
    count: int,
    in_dims: tuple[Any, ...],
    inputs: tuple[Any, ...],
) -> tuple[Tensor, int]:
    """Under `vmap`: parts do not see each other, so that what is mapped over are parts more."""
    first, second, kernel_size, path, *rest = inputs
    parts = _PATHS[path].parts
    folded = [
        _mapped(x, axis, count, parts).flatten(parts, parts + 1)
        for x, axis in ((first, in_dims[0]), (second, in_dims[1]))
    ]
    result = _applied(function, *folded, kernel_size, path, *rest)
    return result.unflatten(parts, (count, -1)), parts


def _mapped(x: Tensor, axis: int | None, count: int, to: int) -> Tensor:
    """With the axis that is mapped over before another; the same for each where there is none."""
    if axis is not None:
        return x.movedim(axis, to)
    return x.unsqueeze(to).expand(*x.shape[:to], count, *x.shape[to:])
