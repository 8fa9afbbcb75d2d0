"""Small images that are all in memory, with their labels."""

import hashlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 1 << 24
"""Pixels that are counted at once: counting takes eight times their memory."""

PerChannel = float | tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """uint8 images (count, height, width) or (count, height, width, channels), and their labels.

    Attributes:
        labels: (count,) class numbers.
        mean, std: of the pixels, as shares of white, by which they are normalised: one number, or
            one for each channel.
        class_names: in the order of the numbers; empty where the classes have none.
        validation: (count,) whether an image is of the validation part, where the data say that;
            None where a share of the images is drawn for it.
        remarks: sentences on what does not count.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.integer]
    mean: PerChannel = 0.0
    std: PerChannel = 1.0
    class_names: tuple[str, ...] = ()
    validation: NDArray[np.bool_] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def channels(self) -> int:
        """1 for grey, 3 for colour."""
        return 1 if self.images.ndim == 3 else self.images.shape[3]

    def only(self, positions: NDArray[np.int64]) -> "LabelledImages":
        """Some of them, in the given order."""
        mask = None if self.validation is None else self.validation[positions]
        images, labels = self.images[positions], self.labels[positions]
        return replace(self, images=images, labels=labels, validation=mask)

    def normalised_by(self, positions: NDArray[np.int64]) -> "LabelledImages":
        """The same, with the mean and deviation of some of the images, by channel.

        They are computed from counts of whole levels: the same on every machine.
        """
        levels = np.arange(256) / 255
        means, stds = [], []
        for counts in self._counts(positions):
            shares = counts / counts.sum()
            mean = float(shares @ levels)
            means.append(mean)
            stds.append(float(np.sqrt(shares @ (levels - mean) ** 2)) or 1.0)
        return replace(self, mean=tuple(means), std=tuple(stds))

    def _counts(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """(channels, 256) how many pixels of each channel have which level."""
        found = np.zeros((self.channels, 256), np.int64)
        step = max(1, _AT_ONCE // self.images[0].size)
        for start in range(0, len(positions), step):
            part = self.images[positions[start : start + step]].reshape(-1, self.channels)
            for channel in range(self.channels):
                found[channel] += np.bincount(part[:, channel], minlength=256)
        return found

    @property
    def content_hash(self) -> str:
        """16 hex digits over sizes, images and labels."""
        digest = hashlib.sha256(repr(self.images.shape).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        return digest.hexdigest()[:16]


def numbered(labels: NDArray[np.integer], values: NDArray[np.integer]) -> NDArray[np.integer]:
    """Class numbers from 0, in the order of the sorted values that stand for the classes.

    In one byte where that is enough: it is hashed.
    """
    kind = np.uint8 if len(values) <= 256 else np.dtype("<i8")
    return np.searchsorted(values, labels).astype(kind)
