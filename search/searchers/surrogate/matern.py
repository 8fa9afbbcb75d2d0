"""The Matérn-5/2 kernel with one length per column, and its derivative."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Matern:
    """k(x, x') = s (1 + √5 r + 5/3 r²) exp(−√5 r), with r² = Σ (x − x')² / l².

    Source: Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006), eq. 4.17.

    Attributes:
        lengths: l, shape (d,).
        scale: s, the variance.
    """

    lengths: Floats
    scale: float

    def __call__(self, one: Floats, other: Floats) -> Floats:
        """The matrix of covariances, shapes (n, d) and (m, d) to (n, m)."""
        root = np.sqrt(5 * self.squares(one, other))
        return self.scale * (1 + root + root**2 / 3) * np.exp(-root)

    def squares(self, one: Floats, other: Floats) -> Floats:
        """r², shape (n, m)."""
        first, second = one / self.lengths, other / self.lengths
        sums = (first**2).sum(1)[:, None] + (second**2).sum(1)[None, :]
        squares: Floats = np.maximum(sums - 2 * first @ second.T, 0.0)
        return squares

    def log_length_gradient(self, points: Floats, outer: Floats) -> Floats:
        """Σ_ij outer_ij · dk_ij / d log l, shape (d,), for a symmetric `outer` of shape (n, n)."""
        root = np.sqrt(5 * self.squares(points, points))
        # dk/dr² = −5/6 s (1 + √5 r) exp(−√5 r) and dr²/d log l = −2 (x − x')² / l².
        factor = outer * (5 / 3 * self.scale) * (1 + root) * np.exp(-root)
        scaled = points / self.lengths
        squares = factor.sum(1) @ scaled**2
        products = np.einsum("nd,nd->d", scaled, factor @ scaled)
        gradient: Floats = 2 * (squares - products)
        return gradient
