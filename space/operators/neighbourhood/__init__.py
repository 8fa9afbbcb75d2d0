"""Sums and products over k×k neighbourhoods, with weights of their own at every position.

Three functions are each other's derivatives (`bilinear`), so that training needs no memory for the
k·k copies of the map that unfolding makes, and neither do derivatives of derivatives. They are
computed one shifted map at a time (`shifts`, the plain path), or by one pass over the map
(`fused`): a compiled one on CPUs, a Triton kernel on GPUs.
"""

from torch import Tensor

from space.operators.bilinear import Path, product, weighted_sum
from space.operators.kernel_dispatch import only_own_operations
from space.operators.neighbourhood import fused, shifts
from space.operators.neighbourhood.shifts import (
    BATCH_FIRST,
    at_taps,
    dotted,
    outside_map,
    summed_by_taps,
)

__all__ = [
    "at_taps",
    "neighbourhood_dot",
    "neighbourhood_sum",
    "outside_map",
    "path_of",
    "summed_by_taps",
]


SHIFTS = Path(
    *("plain", "neighbourhood, plain", 4, 0),
    *(shifts.summed, shifts.dotted, shifts.scattered),
)
FUSED = Path(
    *("fused", "neighbourhood, fused", 0, 1),
    *(fused.summed, fused.dotted, fused.scattered),
)


def path_of(*maps: Tensor) -> Path:
    """How sums over neighbourhoods of such maps are computed, see `space.operator_choice`."""
    return FUSED if fused.serves(*maps) else SHIFTS


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
    if only_own_operations():
        return summed_by_taps(weights, x, kernel_size)
    if path_of(weights, x) is FUSED:
        return weighted_sum(weights, x, kernel_size, FUSED)
    maps = shifts.batch_last(weights), shifts.batch_last(x)
    return shifts.batch_first(weighted_sum(*maps, kernel_size, SHIFTS))


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
    if only_own_operations():
        return dotted(targets, sources, kernel_size, rows=BATCH_FIRST)
    if path_of(targets, sources) is FUSED:
        return product(targets, sources, kernel_size, FUSED)
    maps = shifts.batch_last(targets), shifts.batch_last(sources)
    return shifts.batch_first(product(*maps, kernel_size, SHIFTS))
