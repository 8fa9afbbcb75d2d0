"""The interval of a share that was counted: how much of an accuracy is the luck of the images."""

import math

_Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


def wilson_interval(share: float, number: int) -> tuple[float, float]:
    """The 95 % score interval of a share of so many images (Wilson, JASA 22, 1927).

    It holds the luck of which images were drawn, and not that of the seeds of a training.

    Args:
        share: counted, 0 to 1. number: of images, at least 1.

    Returns:
        Its ends, 0 to 1.
    """
    per_image = _Z * _Z / number
    centre = (share + per_image / 2) / (1 + per_image)
    half = _Z * math.sqrt(share * (1 - share) / number + per_image / (4 * number)) / (1 + per_image)
    return max(0.0, centre - half), min(1.0, centre + half)
