"""A Gaussian process, exact for few points and through inducing points for many."""

import numpy as np
from numpy.typing import NDArray

from search.searchers.surrogate.fitting import Hyperparameters

Floats = NDArray[np.float64]

_JITTER = 1e-6


class GaussianProcess:
    """The posterior of a function, given noisy values of it.

    It is the FITC approximation (Snelson and Ghahramani, 2006), which is exact when every point
    is an inducing point. The mean of the function is unknown and estimated; predicted variances
    are scaled by what leaving one out shows of the complete values.

    Args:
        points: shape (n, d). values: shape (n,).
        variances: shape (n,), doubt of each value beyond the common noise.
        given: kernel and noise.
        inducing: which rows of `points` are inducing points.
    """

    def __init__(
        self,
        points: Floats,
        values: Floats,
        variances: Floats,
        given: Hyperparameters,
        inducing: NDArray[np.int64],
    ) -> None:
        self._kernel = given.kernel
        self._inducing = points[inducing]
        among = self._kernel(self._inducing, self._inducing)
        jitter = _JITTER * self._kernel.scale * np.eye(len(among))
        self._root = np.linalg.inv(np.linalg.cholesky(among + jitter))
        features = self._root @ self._kernel(self._inducing, points)
        lost = np.maximum(self._kernel.scale - (features**2).sum(0), 0.0)
        self._noise = given.noise + variances + lost
        inner = np.eye(len(among)) + (features / self._noise) @ features.T
        self._half = np.linalg.inv(np.linalg.cholesky(inner))
        self._seen = self._half @ (features / self._noise)
        ones = self._inverse_times(np.ones(len(values)))
        self.mean = float(ones @ values / ones.sum())
        residual = self._inverse_times(values - self.mean)
        precision = 1 / self._noise - (self._seen**2).sum(0)
        self.left_out: Floats = residual / np.sqrt(np.maximum(precision, 1e-12))
        self._weights = self._half.T @ (self._seen @ (values - self.mean))
        whole = variances == 0
        # As if ten more values had been just as far off as expected.
        self.spread = (10 + float((self.left_out[whole] ** 2).sum())) / (10 + int(whole.sum()))

    def _inverse_times(self, values: Floats) -> Floats:
        found: Floats = values / self._noise - self._seen.T @ (self._seen @ values)
        return found

    def at(self, points: Floats) -> "Belief":
        """What is believed of other points, shape (m, d)."""
        features = self._root @ self._kernel(self._inducing, points)
        return Belief(self, points, features)


class Belief:
    """The joint posterior at some points; it can be told of values that are yet to come.

    Attributes:
        mean: shape (m,).
        variance: shape (m,), of the function, without the noise of an evaluation.
    """

    def __init__(self, process: GaussianProcess, points: Floats, features: Floats) -> None:
        self._process, self._points, self._features = process, points, features
        self._known = process._half @ features
        self.mean: Floats = process.mean + features.T @ process._weights
        prior = process._kernel.scale
        left = prior - (features**2).sum(0) + (self._known**2).sum(0)
        self.variance: Floats = process.spread * np.maximum(left, 1e-9 * prior)
        self._taken: list[Floats] = []

    def expect(self, place: int, noise: float) -> None:
        """Take the value at one of the points as known to be its mean, up to a noise variance.

        The means stay and the variances shrink (a kriging believer).
        """
        column = self._covariances(place)
        for taken in self._taken:
            column = column - taken[place] * taken
        taken = column / np.sqrt(self.variance[place] + noise)
        self._taken.append(taken)
        self.variance = np.maximum(self.variance - taken**2, 1e-12)

    def _covariances(self, place: int) -> Floats:
        process = self._process
        prior = process._kernel(self._points, self._points[place : place + 1])[:, 0]
        column = self._features.T @ self._features[:, place]
        known = self._known.T @ self._known[:, place]
        covariances: Floats = process.spread * (prior - column + known)
        return covariances
