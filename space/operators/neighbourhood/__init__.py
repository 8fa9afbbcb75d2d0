"""Sums and products over k×k neighbourhoods, with weights of their own at every position.

Three functions are each other's derivatives (`derivatives`), so that training needs no memory for
the k·k copies of the map that unfolding makes, and neither do derivatives of derivatives. They are
computed one shifted map at a time (`shifts`, the plain path), or by one pass over the map
(`fused`): a compiled one on CPUs, a Triton kernel on GPUs.
"""

from torch import Tensor

from space.operators.neighbourhood.derivatives import (
    FUSED,
    SHIFTS,
    Path,
    neighbourhood_product,
    neighbourhood_weighted,
)
from space.operators.neighbourhood.fused import serves
from space.operators.neighbourhood.shifts import (
    BATCH_FIRST,
    at_taps,
    dotted,
    outside_map,
    summed_by_taps,
)
from space.operators.recording import recorded_for_any_batch

__all__ = [
    "at_taps",
    "neighbourhood_dot",
    "neighbourhood_sum",
    "outside_map",
    "path_of",
    "summed_by_taps",
]


def path_of(*maps: Tensor) -> Path:
    """How sums over neighbourhoods of such maps are computed, see `space.operator_choice`."""
    return FUSED if serves(*maps) else SHIFTS


def neighbourhood_sum(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """y[b, h, c, p] = Σ_t weights[b, h, t, p] · x[b, h, c, p + t], zeros outside the map.

    Args:
        weights: (B or 1, heads, k·k, H, W), taps t in row-major order.
        x: (B, heads, channels of a head, H, W).
        kernel_size: k, odd.

    Returns:
        (B, heads, channels of a head, H, W).
    """
    weights = weights.to(x.dtype)
    if weights.shape[3:] != x.shape[3:]:  # of one position for all
        weights = weights.expand(*weights.shape[:3], *x.shape[3:])
    if recorded_for_any_batch():
        return summed_by_taps(weights, x, kernel_size)
    return neighbourhood_weighted(weights, x, kernel_size, path_of(weights, x))


def neighbourhood_dot(targets: Tensor, sources: Tensor, kernel_size: int) -> Tensor:
    """logits[b, h, t, p] = Σ_c targets[b, h, c, p] · sources[b, h, c, p + t].

    Args:
        targets: (B, heads, channels of a head, H, W).
        sources: the same shape; zeros outside the map.
        kernel_size: k, odd.

    Returns:
        (B, heads, k·k, H, W), taps t in row-major order.
    """
    sources = sources.to(targets.dtype)
    if recorded_for_any_batch():
        return dotted(targets, sources, kernel_size, rows=BATCH_FIRST)
    return neighbourhood_product(targets, sources, kernel_size, path_of(targets, sources))
