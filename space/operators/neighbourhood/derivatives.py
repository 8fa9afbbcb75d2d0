"""The three functions over neighbourhoods as each other's derivatives, on whichever path.

With ⟨y, S(w, x)⟩ = ⟨w, D(y, x)⟩ = ⟨T(w, y), x⟩, the sum S, the product D at each tap and the
scattering T are linear in either argument, and each is the derivative of the others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from space.operator_choice import PathName
from space.operators.neighbourhood import fused, shifts


class Product(Protocol):
    """D of a path: Σ over channels (shared: and over images) of targets · sources at each tap."""

    def __call__(
        self, targets: Tensor, sources: Tensor, kernel_size: int, shared: bool = False
    ) -> Tensor: ...


@dataclass(frozen=True)
class Path:
    """One way of computing the three functions, and the layout that it takes maps in.

    Attributes:
        name: as it is printed.
        enter: a (B, heads, channels or k·k, H, W) map in the layout of the path. leave: the way
            back.
        images, heads: the axes of these in that layout.
        sum, dot, scatter: S(weights, x, k), D(targets, sources, k, shared), T(weights, y, k).
    """

    name: PathName
    enter: Callable[[Tensor], Tensor]
    leave: Callable[[Tensor], Tensor]
    images: int
    heads: int
    sum: Callable[[Tensor, Tensor, int], Tensor]
    dot: Product
    scatter: Callable[[Tensor, Tensor, int], Tensor]


def _as_it_is(x: Tensor) -> Tensor:
    return x


SHIFTS = Path(
    "plain",
    *(shifts.batch_last, shifts.batch_first, 4, 0),
    *(shifts.summed, shifts.dotted, shifts.scattered),
)
FUSED = Path("fused", *(_as_it_is, _as_it_is, 0, 1), *(fused.summed, fused.dotted, fused.scattered))
PATHS: dict[str, Path] = {path.name: path for path in (SHIFTS, FUSED)}
"""By name, as `torch.compile` takes a word for a constant."""


class _Bilinear(torch.autograd.Function):
    """A function of two maps, linear in each; further, the kernel size and the path's name."""

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        first, second, *ctx.how = inputs
        ctx.save_for_backward(first, second)


class _NeighbourhoodSum(_Bilinear):
    @staticmethod
    def forward(weights: Tensor, x: Tensor, kernel_size: int, path: str) -> Tensor:
        return PATHS[path].sum(weights, x, kernel_size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weights, x = ctx.saved_tensors
        to_weights = to_x = None
        if ctx.needs_input_grad[0]:
            to_weights = _to_weights(weights, gradient, x, *ctx.how)
        if ctx.needs_input_grad[1]:
            to_x = _applied(_NeighbourhoodScatter, weights, gradient, *ctx.how)
        return to_weights, to_x, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_heads(_NeighbourhoodSum, info.batch_size, in_dims, inputs)


class _NeighbourhoodDot(_Bilinear):
    """Of weights that all images share where `shared`: then over images as well."""

    @staticmethod
    def forward(
        targets: Tensor, sources: Tensor, kernel_size: int, path: str, shared: bool
    ) -> Tensor:
        return PATHS[path].dot(targets, sources, kernel_size, shared)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        targets, sources = ctx.saved_tensors
        kernel_size, path, _ = ctx.how
        to_targets = to_sources = None
        if ctx.needs_input_grad[0]:
            to_targets = _applied(_NeighbourhoodSum, gradient, sources, kernel_size, path)
        if ctx.needs_input_grad[1]:
            to_sources = _applied(_NeighbourhoodScatter, gradient, targets, kernel_size, path)
        return to_targets, to_sources, None, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_heads(_NeighbourhoodDot, info.batch_size, in_dims, inputs)


class _NeighbourhoodScatter(_Bilinear):
    @staticmethod
    def forward(weights: Tensor, y: Tensor, kernel_size: int, path: str) -> Tensor:
        return PATHS[path].scatter(weights, y, kernel_size)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        weights, y = ctx.saved_tensors
        to_weights = to_y = None
        if ctx.needs_input_grad[0]:
            to_weights = _to_weights(weights, y, gradient, *ctx.how)
        if ctx.needs_input_grad[1]:
            to_y = _applied(_NeighbourhoodSum, weights, gradient, *ctx.how)
        return to_weights, to_y, None, None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], *inputs: Any) -> tuple[Tensor, int]:
        return _with_more_heads(_NeighbourhoodScatter, info.batch_size, in_dims, inputs)


def _applied(function: type[torch.autograd.Function], *inputs: Any) -> Tensor:
    result: Tensor = function.apply(*inputs)
    return result


def _to_weights(
    weights: Tensor, targets: Tensor, sources: Tensor, kernel_size: int, path: str
) -> Tensor:
    """The gradient of weights; of those that all images share it is the sum of theirs."""
    images = PATHS[path].images
    shared = weights.shape[images] == 1 and targets.shape[images] != 1
    return _applied(_NeighbourhoodDot, targets, sources, kernel_size, path, shared)


def _with_more_heads(
    function: type[torch.autograd.Function],
    count: int,
    in_dims: tuple[Any, ...],
    inputs: tuple[Any, ...],
) -> tuple[Tensor, int]:
    """Under `vmap`: heads do not see each other, so that what is mapped over are heads more."""
    first, second, kernel_size, path, *rest = inputs
    heads = PATHS[path].heads
    folded = [
        _mapped(x, axis, count, heads).flatten(heads, heads + 1)
        for x, axis in ((first, in_dims[0]), (second, in_dims[1]))
    ]
    result = _applied(function, *folded, kernel_size, path, *rest)
    return result.unflatten(heads, (count, -1)), heads


def _mapped(x: Tensor, axis: int | None, count: int, to: int) -> Tensor:
    """With the axis that is mapped over before another; the same for each where there is none."""
    if axis is not None:
        return x.movedim(axis, to)
    return x.unsqueeze(to).expand(*x.shape[:to], count, *x.shape[to:])


def neighbourhood_weighted(weights: Tensor, x: Tensor, kernel_size: int, path: Path) -> Tensor:
    """S by a path, see `neighbourhood_sum`."""
    maps = path.enter(weights), path.enter(x)
    return path.leave(_applied(_NeighbourhoodSum, *maps, kernel_size, path.name))


def neighbourhood_product(targets: Tensor, sources: Tensor, kernel_size: int, path: Path) -> Tensor:
    """D by a path, see `neighbourhood_dot`."""
    maps = path.enter(targets), path.enter(sources)
    return path.leave(_applied(_NeighbourhoodDot, *maps, kernel_size, path.name, False))
