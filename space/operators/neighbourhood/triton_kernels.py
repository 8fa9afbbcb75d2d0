"""Sums and products over neighbourhoods as Triton kernels, on GPUs; see `fused`.

A program computes a block of positions of some channels (or of one tap) of a head of an image, over
all taps (or channels), and sums in float32. It reads each weight once; what it reads of a map again
for the next tap lies in the cache. Where there is no GPU, Triton's interpreter runs the kernels on
CPU tensors (`TRITON_INTERPRET=1`, before they are imported).
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from space.operators.kernel_calls import launch, strides
from space.operators.neighbourhood.native import empty_products

_POSITIONS, _CHANNELS = 128, 32
"""The most positions and channels of a program."""


@triton.jit
def _mix(
    weights,
    x,
    y,
    heads,
    channels,
    height,
    width,
    weights_image,
    weights_head,
    weights_tap,
    weights_row,
    weights_column,
    x_image,
    x_head,
    x_channel,
    x_row,
    x_column,
    y_image,
    y_head,
    y_channel,
    y_row,
    y_column,
    KERNEL: tl.constexpr,
    SCATTER: tl.constexpr,
    POSITIONS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    image = (tl.program_id(0) // heads).to(tl.int64)
    head = (tl.program_id(0) % heads).to(tl.int64)
    position = tl.program_id(1) * POSITIONS + tl.arange(0, POSITIONS)
    channel = (tl.program_id(2) * CHANNELS + tl.arange(0, CHANNELS)).to(tl.int64)
    # In 64 bits: strides of views may be large.
    row, column = (position // width).to(tl.int64), (position % width).to(tl.int64)
    on_map, in_head = position < height * width, channel < channels
    weights += image * weights_image + head * weights_head
    x += image * x_image + head * x_head
    y += image * y_image + head * y_head
    total = tl.zeros((POSITIONS, CHANNELS), dtype=tl.float32)
    for tap in range(KERNEL * KERNEL):
        down, right = tap // KERNEL - KERNEL // 2, tap % KERNEL - KERNEL // 2
        if SCATTER:
            down, right = -down, -right
        from_row, from_column = row + down, column + right
        there = on_map & (from_row >= 0) & (from_row < height)
        there = there & (from_column >= 0) & (from_column < width)
        if SCATTER:
            at = tap * weights_tap + from_row * weights_row + from_column * weights_column
        else:
            at = tap * weights_tap + row * weights_row + column * weights_column
        weight = tl.load(weights + at, mask=there, other=0.0).to(tl.float32)
        at = (from_row * x_row + from_column * x_column)[:, None] + channel[None, :] * x_channel
        value = tl.load(x + at, mask=there[:, None] & in_head[None, :], other=0.0)
        total += weight[:, None] * value.to(tl.float32)
    at = (row * y_row + column * y_column)[:, None] + channel[None, :] * y_channel
    tl.store(y + at, total.to(y.dtype.element_ty), mask=on_map[:, None] & in_head[None, :])


@triton.jit
def _multiply(
    targets,
    sources,
    products,
    images_each,
    heads,
    channels,
    height,
    width,
    targets_image,
    targets_head,
    targets_channel,
    targets_row,
    targets_column,
    sources_image,
    sources_head,
    sources_channel,
    sources_row,
    sources_column,
    products_image,
    products_head,
    products_tap,
    products_row,
    products_column,
    KERNEL: tl.constexpr,
    POSITIONS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    image = (tl.program_id(0) // heads).to(tl.int64)
    head = (tl.program_id(0) % heads).to(tl.int64)
    position = tl.program_id(1) * POSITIONS + tl.arange(0, POSITIONS)
    row, column = (position // width).to(tl.int64), (position % width).to(tl.int64)
    on_map = position < height * width
    tap = tl.program_id(2).to(tl.int64)
    from_row = row + tap // KERNEL - KERNEL // 2
    from_column = column + tap % KERNEL - KERNEL // 2
    there = on_map & (from_row >= 0) & (from_row < height)
    there = there & (from_column >= 0) & (from_column < width)
    targets += head * targets_head
    sources += head * sources_head
    target_at = row * targets_row + column * targets_column
    source_at = from_row * sources_row + from_column * sources_column
    total = tl.zeros((POSITIONS,), dtype=tl.float32)
    # Of one image; of all where they share their weights, one after the other.
    for one in range(images_each):
        which = image + one
        for block in range(0, channels, CHANNELS):
            channel = (block + tl.arange(0, CHANNELS)).to(tl.int64)
            read = there[:, None] & (channel < channels)[None, :]
            at = target_at[:, None] + channel[None, :] * targets_channel
            left = tl.load(targets + which * targets_image + at, mask=read, other=0.0)
            at = source_at[:, None] + channel[None, :] * sources_channel
            right = tl.load(sources + which * sources_image + at, mask=read, other=0.0)
            total += tl.sum(left.to(tl.float32) * right.to(tl.float32), axis=1)
    products += image * products_image + head * products_head
    at = tap * products_tap + row * products_row + column * products_column
    tl.store(products + at, total.to(products.dtype.element_ty), mask=on_map)


def _blocks(height: int, width: int, channels: int) -> tuple[int, int]:
    positions = min(_POSITIONS, triton.next_power_of_2(height * width))
    return positions, min(_CHANNELS, triton.next_power_of_2(channels))


def summed(weights: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t, p] · x[p + t], zeros outside the map."""
    return _mixed(weights, x, kernel_size, scatter=False)


def scattered(weights: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """Σ_t weights[t, q − t] · y[q − t]."""
    return _mixed(weights, y, kernel_size, scatter=True)


def _mixed(weights: Tensor, x: Tensor, kernel_size: int, scatter: bool) -> Tensor:
    y = torch.empty_like(x)
    images, heads, channels, height, width = x.shape
    if y.numel() == 0:
        return y
    positions, block = _blocks(height, width, channels)
    grid = images * heads, triton.cdiv(height * width, positions), triton.cdiv(channels, block)
    places = (*strides(weights, images), *x.stride(), *y.stride())
    launch(_mix, grid, weights, x, y, heads, channels, height, width, *places,
           KERNEL=kernel_size, SCATTER=scatter, POSITIONS=positions, CHANNELS=block)  # fmt: skip
    return y


def dotted(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool) -> Tensor:
    """Σ_c targets[c, p] · sources[c, p + t], shared: over images as well."""
    products = empty_products(targets, kernel_size, shared)
    images, heads, channels, height, width = targets.shape
    if products.numel() == 0:
        return products
    positions, block = _blocks(height, width, channels)
    images_each, programs = (images, 1) if shared else (1, images)
    grid = programs * heads, triton.cdiv(height * width, positions), kernel_size**2
    places = (*targets.stride(), *sources.stride(), *products.stride())
    sizes = images_each, heads, channels, height, width
    launch(_multiply, grid, targets, sources, products, *sizes, *places,
           KERNEL=kernel_size, POSITIONS=positions, CHANNELS=block)  # fmt: skip
    return products
