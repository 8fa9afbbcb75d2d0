"""The masks of a custom mixer, from what it declares on the axes; nothing where it does not."""

import numpy as np
from numpy.typing import NDArray

from space.axes import Channels, Locality
from space.custom import CustomMixer
from space.geometry import MapSize

BoolArray = NDArray[np.bool_]


def marked_positions(mixer: CustomMixer, size: MapSize) -> BoolArray:
    """(N, N), true where a position p (rows) may read q (columns); all false without the mark."""
    row, column = np.divmod(np.arange(size.positions), size.width)
    kernel, locality = mixer.kernel_size or 1, mixer.mark("locality")
    if locality == Locality.GLOBAL:
        return np.ones((size.positions, size.positions), dtype=bool)
    if locality == Locality.SLIDING:
        far = np.maximum(abs(row[:, None] - row), abs(column[:, None] - column))
        near: BoolArray = far <= kernel // 2
        return near
    if locality == Locality.WINDOW:
        tile = row // kernel * size.width + column // kernel
        same: BoolArray = tile[:, None] == tile
        return same
    return np.zeros((size.positions, size.positions), dtype=bool)


def marked_channels(mixer: CustomMixer, width: int) -> BoolArray:
    """(C, C), true where a channel may read another; all false without the mark."""
    channels = mixer.mark("channels")
    if channels is None:
        return np.zeros((width, width), dtype=bool)
    groups = {str(Channels.DENSE): 1, str(Channels.SEPARABLE): width}.get(
        channels, mixer.groups or 1
    )
    group = np.arange(width) // (width // groups)
    same: BoolArray = group[:, None] == group
    return same
