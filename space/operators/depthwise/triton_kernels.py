"""Depth-wise convolution as Triton kernels, on GPUs; see `fused`.

Kernels up to 9×9 multiply number by number: a program computes a block of positions of some
channels of an image. Larger ones go to the tensor cores. There a row of a kernel is written as a
Toeplitz matrix, whose row s has the tap s − q for each column q, so that rows of a map times it are
rows of results. The gradient of a kernel is one product of matrices too: of the targets, read at
each row of taps, with the sources, read at each column. All is summed in float32.

Where there is no GPU, Triton's interpreter runs the kernels on CPU tensors (`TRITON_INTERPRET=1`,
before they are imported).
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from space.operators.depthwise.native import empty_kernels
from space.operators.kernel_calls import launch, strides

LARGEST_BY_NUMBER = 9
"""The largest kernels that do without tensor cores, which would have mostly zeros to multiply."""
_POSITIONS, _CHANNELS = 128, 32
"""The most positions and channels of a program that multiplies number by number."""
_ROWS, _COLUMNS, _LEAST = 64, 32, 16
"""The most rows and columns of results of a program with tensor cores, and their least edge."""
_PROGRAMS = 512
"""Programs that keep a large GPU busy, over which a gradient is shared out."""


@triton.jit
def _sum_by_number(
    kernels,
    x,
    y,
    channels,
    height,
    width,
    kernels_image,
    kernels_channel,
    kernels_row,
    kernels_column,
    x_image,
    x_channel,
    x_row,
    x_column,
    y_image,
    y_channel,
    y_row,
    y_column,
    KERNEL: tl.constexpr,
    POSITIONS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    image = tl.program_id(0).to(tl.int64)
    position = tl.program_id(1) * POSITIONS + tl.arange(0, POSITIONS)
    channel = (tl.program_id(2) * CHANNELS + tl.arange(0, CHANNELS)).to(tl.int64)
    # In 64 bits: strides of views may be large.
    row, column = (position // width).to(tl.int64), (position % width).to(tl.int64)
    on_map, there_are = position < height * width, channel < channels
    kernels += image * kernels_image + channel * kernels_channel
    x += image * x_image
    total = tl.zeros((POSITIONS, CHANNELS), dtype=tl.float32)
    for tap in range(KERNEL * KERNEL):
        i, j = tap // KERNEL, tap % KERNEL
        from_row, from_column = row + i - KERNEL // 2, column + j - KERNEL // 2
        there = on_map & (from_row >= 0) & (from_row < height)
        there = there & (from_column >= 0) & (from_column < width)
        weight = tl.load(kernels + i * kernels_row + j * kernels_column, mask=there_are, other=0.0)
        at = (from_row * x_row + from_column * x_column)[:, None] + channel[None, :] * x_channel
        value = tl.load(x + at, mask=there[:, None] & there_are[None, :], other=0.0)
        total += weight.to(tl.float32)[None, :] * value.to(tl.float32)
    y += image * y_image
    at = (row * y_row + column * y_column)[:, None] + channel[None, :] * y_channel
    tl.store(y + at, total.to(y.dtype.element_ty), mask=on_map[:, None] & there_are[None, :])


@triton.jit
def _sum_by_toeplitz(
    kernels,
    x,
    y,
    images_each,
    channels,
    height,
    width,
    kernels_image,
    kernels_channel,
    kernels_row,
    kernels_column,
    x_image,
    x_channel,
    x_row,
    x_column,
    y_image,
    y_channel,
    y_row,
    y_column,
    KERNEL: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    PRECISION: tl.constexpr,
    INTERPRETED: tl.constexpr,
):
    # A channel, of one image or of all that share their kernels, whose rows stand below each other.
    first = (tl.program_id(0) // channels * images_each).to(tl.int64)
    channel = (tl.program_id(0) % channels).to(tl.int64)
    line = tl.program_id(1) * ROWS + tl.arange(0, ROWS)
    image, row = first + line // height, (line % height).to(tl.int64)
    on_rows = line < images_each * height
    to_column = tl.program_id(2) * COLUMNS + tl.arange(0, COLUMNS)
    kernels += first * kernels_image + channel * kernels_channel
    x += image * x_image + channel * x_channel
    total = tl.zeros((ROWS, COLUMNS), dtype=tl.float32)
    # Taps and columns that read nothing of the map are left out.
    left = tl.maximum(tl.program_id(2) * COLUMNS - KERNEL // 2, 0)
    right = tl.minimum((tl.program_id(2) + 1) * COLUMNS + KERNEL // 2, width)
    for i in range(
        tl.maximum(KERNEL // 2 - height + 1, 0), tl.minimum(KERNEL // 2 + height, KERNEL)
    ):
        from_row = row + i - KERNEL // 2
        read = on_rows & (from_row >= 0) & (from_row < height)
        for block in range(left, right, COLUMNS):
            from_column = block + tl.arange(0, COLUMNS)
            there = from_column < width
            at = from_row[:, None] * x_row + from_column.to(tl.int64)[None, :] * x_column
            value = tl.load(x[:, None] + at, mask=read[:, None] & there[None, :], other=0.0)
            j = from_column[:, None] - to_column[None, :] + KERNEL // 2
            at = i * kernels_row + j.to(tl.int64) * kernels_column
            taps = tl.load(kernels + at, mask=(j >= 0) & (j < KERNEL), other=0.0)
            if INTERPRETED:
                value, taps = value.to(tl.float32), taps.to(tl.float32)
            total = tl.dot(value, taps, total, input_precision=PRECISION)
    y += image * y_image + channel * y_channel
    at = row[:, None] * y_row + to_column.to(tl.int64)[None, :] * y_column
    on_map = on_rows[:, None] & (to_column < width)[None, :]
    tl.store(y[:, None] + at, total.to(y.dtype.element_ty), mask=on_map)


@triton.jit
def _product_by_number(
    targets,
    sources,
    products,
    images_each,
    parts,
    channels,
    height,
    width,
    targets_image,
    targets_channel,
    targets_row,
    targets_column,
    sources_image,
    sources_channel,
    sources_row,
    sources_column,
    KERNEL: tl.constexpr,
    POSITIONS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    # A tap of some channels, over a part of the positions of one image, or of all that share it.
    unit = (tl.program_id(0) // parts).to(tl.int64)
    part = tl.program_id(0) % parts
    tap = tl.program_id(1)
    channel = (tl.program_id(2) * CHANNELS + tl.arange(0, CHANNELS)).to(tl.int64)
    there_are = channel < channels
    positions = images_each * height * width
    total = tl.zeros((CHANNELS,), dtype=tl.float32)
    for block in range(part * POSITIONS, positions, parts * POSITIONS):
        position = block + tl.arange(0, POSITIONS)
        image = unit * images_each + position // (height * width)
        row = (position // width % height).to(tl.int64)
        column = (position % width).to(tl.int64)
        from_row = row + tap // KERNEL - KERNEL // 2
        from_column = column + tap % KERNEL - KERNEL // 2
        read = (position < positions) & (from_row >= 0) & (from_row < height)
        read = read & (from_column >= 0) & (from_column < width)
        read = read[:, None] & there_are[None, :]
        at = image * targets_image + row * targets_row + column * targets_column
        at = at[:, None] + channel[None, :] * targets_channel
        left = tl.load(targets + at, mask=read, other=0.0)
        at = image * sources_image + from_row * sources_row + from_column * sources_column
        at = at[:, None] + channel[None, :] * sources_channel
        right = tl.load(sources + at, mask=read, other=0.0)
        total += tl.sum(left.to(tl.float32) * right.to(tl.float32), axis=0)
    # Partial products lie (images, parts, channels, k·k).
    at = (tl.program_id(0).to(tl.int64) * channels + channel) * (KERNEL * KERNEL) + tap
    tl.store(products + at, total, mask=there_are)


@triton.jit
def _product_by_matrices(
    targets,
    sources,
    products,
    images_each,
    parts,
    channels,
    height,
    width,
    targets_image,
    targets_channel,
    targets_row,
    targets_column,
    sources_image,
    sources_channel,
    sources_row,
    sources_column,
    KERNEL: tl.constexpr,
    TAPS: tl.constexpr,
    POSITIONS: tl.constexpr,
    PRECISION: tl.constexpr,
    INTERPRETED: tl.constexpr,
):
    # All taps of a channel, over a part of the rows of sources and columns of targets.
    unit = (tl.program_id(0) // parts).to(tl.int64)
    part = tl.program_id(0) % parts
    channel = tl.program_id(1).to(tl.int64)
    i, j = tl.arange(0, TAPS), tl.arange(0, TAPS)
    positions = images_each * height * width
    targets += channel * targets_channel
    sources += channel * sources_channel
    total = tl.zeros((TAPS, TAPS), dtype=tl.float32)
    for block in range(part * POSITIONS, positions, parts * POSITIONS):
        position = block + tl.arange(0, POSITIONS)
        there = position < positions
        image = unit * images_each + position // (height * width)
        row, column = position // width % height, position % width
        to_row = row[None, :] - i[:, None] + KERNEL // 2
        read = there[None, :] & (i < KERNEL)[:, None] & (to_row >= 0) & (to_row < height)
        at = (image * targets_image + column.to(tl.int64) * targets_column)[None, :]
        left = tl.load(targets + at + to_row.to(tl.int64) * targets_row, mask=read, other=0.0)
        from_column = column[:, None] + j[None, :] - KERNEL // 2
        read = there[:, None] & (j < KERNEL)[None, :] & (from_column >= 0) & (from_column < width)
        at = (image * sources_image + row.to(tl.int64) * sources_row)[:, None]
        at = at + from_column.to(tl.int64) * sources_column
        right = tl.load(sources + at, mask=read, other=0.0)
        if INTERPRETED:
            left, right = left.to(tl.float32), right.to(tl.float32)
        total = tl.dot(left, right, total, input_precision=PRECISION)
    at = (tl.program_id(0).to(tl.int64) * channels + channel) * (KERNEL * KERNEL)
    at = at + i[:, None] * KERNEL + j[None, :]
    tl.store(products + at, total, mask=(i < KERNEL)[:, None] & (j < KERNEL)[None, :])


def summed(kernels: Tensor, x: Tensor, kernel_size: int) -> Tensor:
    """Σ_t kernels[t] · x[p + t], zeros outside the map."""
    return _sum(kernels, strides(kernels, x.shape[0]), x, kernel_size)


def transposed(kernels: Tensor, y: Tensor, kernel_size: int) -> Tensor:
    """Σ_t kernels[t] · y[q − t]: the same sum, of kernels that are read from the last tap back."""
    image, channel, row, column = strides(kernels, y.shape[0])
    return _sum(kernels[:, :, -1:, -1:], (image, channel, -row, -column), y, kernel_size)


def _sum(kernels: Tensor, places: tuple[int, ...], x: Tensor, kernel_size: int) -> Tensor:
    y = torch.empty_like(x)
    images, channels, height, width = x.shape
    if y.numel() == 0:
        return y
    maps, where = (kernels, x, y), (*places, *x.stride(), *y.stride())
    if kernel_size <= LARGEST_BY_NUMBER:
        positions, block = _blocks(height * width, channels)
        grid = images, triton.cdiv(height * width, positions), triton.cdiv(channels, block)
        launch(_sum_by_number, grid, *maps, channels, height, width, *where,
               KERNEL=kernel_size, POSITIONS=positions, CHANNELS=block)  # fmt: skip
        return y
    each = images if places[0] == 0 else 1
    rows, columns = _edge(each * height, _ROWS), _edge(width, _COLUMNS)
    grid = (images // each * channels, triton.cdiv(each * height, rows),
            triton.cdiv(width, columns))  # fmt: skip
    launch(_sum_by_toeplitz, grid, *maps, each, channels, height, width, *where,
           KERNEL=kernel_size, ROWS=rows, COLUMNS=columns, **_how(x))  # fmt: skip
    return y


def multiplied(targets: Tensor, sources: Tensor, kernel_size: int, shared: bool) -> Tensor:
    """Σ_p targets[p] · sources[p + t], shared: over images as well."""
    images, channels, height, width = targets.shape
    products = empty_kernels(targets, kernel_size, shared)
    if targets.numel() == 0:
        return products.zero_()
    each, units = (images, 1) if shared else (1, images)
    by_number = kernel_size <= LARGEST_BY_NUMBER
    positions, block = _blocks(each * height * width, channels)
    programs = units * (kernel_size**2 * triton.cdiv(channels, block) if by_number else channels)
    most = triton.cdiv(each * height * width, positions)
    parts = min(most, triton.cdiv(_PROGRAMS, programs))
    # Sums of parts, which are added up afterwards: the same in each run.
    shape = units, parts, channels, kernel_size, kernel_size
    partial = torch.empty(shape, dtype=torch.float32, device=targets.device)
    numbers = each, parts, channels, height, width, *targets.stride(), *sources.stride()
    maps = targets, sources, partial
    if by_number:
        grid = units * parts, kernel_size**2, triton.cdiv(channels, block)
        launch(_product_by_number, grid, *maps, *numbers,
               KERNEL=kernel_size, POSITIONS=positions, CHANNELS=block)  # fmt: skip
    else:
        grid = units * parts, channels, 1
        launch(_product_by_matrices, grid, *maps, *numbers, KERNEL=kernel_size,
               TAPS=triton.next_power_of_2(kernel_size), POSITIONS=_edge(positions, 64),
               **_how(targets))  # fmt: skip
    return products.copy_(partial.sum(1))


def _blocks(positions: int, channels: int) -> tuple[int, int]:
    return (
        min(_POSITIONS, triton.next_power_of_2(positions)),
        min(_CHANNELS, triton.next_power_of_2(channels)),
    )


def _edge(count: int, most: int) -> int:
    """Of a block of a matrix: a power of two that tensor cores take."""
    return int(min(most, max(_LEAST, triton.next_power_of_2(count))))


def _how(x: Tensor) -> dict[str, str | bool]:
    """How blocks are multiplied: float32 three times where tensor cores round each factor.

    The interpreter takes the bits of bfloat16 for integers, so that it multiplies in float32.
    """
    if x.device.type != "cuda":
        return {"PRECISION": "ieee", "INTERPRETED": True}
    rounded = torch.version.cuda is not None and torch.cuda.get_device_capability(x.device)[0] >= 8
    precision = "tf32x3" if rounded and x.dtype is torch.float32 else "ieee"
    return {"PRECISION": precision, "INTERPRETED": False}
