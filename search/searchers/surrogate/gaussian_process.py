"""A Gaussian process: its kernel, the fit of its hyperparameters, and its posterior."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

Floats = NDArray[np.float64]

_LENGTH_SPREAD = 0.5  # of log l
_SCALE_SPREAD = 0.7
_NOISE, _NOISE_SPREAD = 0.2, 1.2  # the variance that is usual, of values of variance 1
_WITHIN = 5.0  # spreads from the mode of the prior; beyond, covariances are hard to invert
_ITERATIONS, _TOLERANCE = 40, 1e-6
_JITTER = 1e-6


@dataclass(frozen=True, slots=True)
class Matern:
    """k(x, x') = s (1 + √5 r + 5/3 r²) exp(−√5 r), with r² = Σ (x − x')² / l².

    The Matérn-5/2 kernel with one length per column. Source: Rasmussen and Williams, "Gaussian
    Processes for Machine Learning" (2006), eq. 4.17.

    Attributes:
        lengths: l, shape (d,).
        scale: s, the variance.
    """

    lengths: Floats
    scale: float

    def __call__(self, one: Floats, other: Floats) -> Floats:
        """The matrix of covariances, shapes (n, d) and (m, d) to (n, m)."""
        root = np.sqrt(5 * self._squares(one, other))
        return self.scale * (1 + root + root**2 / 3) * np.exp(-root)

    def _squares(self, one: Floats, other: Floats) -> Floats:
        """r², shape (n, m)."""
        first, second = one / self.lengths, other / self.lengths
        sums = (first**2).sum(1)[:, None] + (second**2).sum(1)[None, :]
        squares: Floats = np.maximum(sums - 2 * first @ second.T, 0.0)
        return squares

    def log_length_gradient(self, points: Floats, outer: Floats) -> Floats:
        """Σ_ij outer_ij · dk_ij / d log l, shape (d,), for a symmetric `outer` of shape (n, n)."""
        root = np.sqrt(5 * self._squares(points, points))
        # dk/dr² = −5/6 s (1 + √5 r) exp(−√5 r) and dr²/d log l = −2 (x − x')² / l².
        factor = outer * (5 / 3 * self.scale) * (1 + root) * np.exp(-root)
        scaled = points / self.lengths
        squares = factor.sum(1) @ scaled**2
        products = np.einsum("nd,nd->d", scaled, factor @ scaled)
        gradient: Floats = 2 * (squares - products)
        return gradient


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a Gaussian process is given: its kernel, and the variance of a whole evaluation."""

    kernel: Matern
    noise: float


def prior_mode(width: int, columns: int) -> Hyperparameters:
    """What is assumed before anything was seen: smooth, the more so the more columns differ.

    Source of the lengths: Hvarfner et al., "Vanilla Bayesian Optimization Performs Great in High
    Dimensions" (2024).
    """
    lengths = np.full(width, math.exp(1.0) * math.sqrt(max(columns, 1)))
    return Hyperparameters(Matern(lengths, 1.0), _NOISE)


def fit(points: Floats, values: Floats, variances: Floats) -> Hyperparameters:
    """The maximum of the posterior of the hyperparameters, by L-BFGS.

    Often there are two: much noise, and short lengths with little of it. So it begins at the mode
    of the prior and at one of those, and takes the better end.

    Args:
        points: shape (n, d), columns of unit spread.
        values: shape (n,), of mean about 0 and spread about 1.
        variances: shape (n,), doubt of each value beyond the common noise.
    """
    mode = prior_mode(points.shape[1], int((np.ptp(points, axis=0) > 0).sum()))
    center = np.log([*mode.kernel.lengths, mode.kernel.scale, mode.noise])
    spread = np.full(len(center), _LENGTH_SPREAD)
    spread[-2:] = _SCALE_SPREAD, _NOISE_SPREAD

    def negative_log_posterior(off: Floats) -> tuple[float, Floats]:
        evidence, gradient = log_evidence(points, values, variances, center + spread * off)
        return float(off @ off) / 2 - evidence, off - spread * gradient

    little_noise = np.full(len(center), -1.0)
    little_noise[-2:] = 0.0, -2.0
    # NumPy and SciPy each bring their own threads for linear algebra; in turns on few cores they
    # wait for each other longer than these small matrices take (100 ms a fit instead of 10).
    with _blas_threads().limit(limits=1, user_api="blas"):
        ends = [
            minimize(
                negative_log_posterior,
                start,
                jac=True,
                method="L-BFGS-B",
                bounds=[(-_WITHIN, _WITHIN)] * len(center),
                options={"maxiter": _ITERATIONS, "ftol": _TOLERANCE},
            )
            for start in (np.zeros(len(center)), little_noise)
        ]
    best = min(ends, key=lambda end: float(end.fun))
    return _hyperparameters(center + spread * best.x)


@cache
def _blas_threads() -> ThreadpoolController:
    # It looks through the libraries of the process, which takes milliseconds.
    return ThreadpoolController()


def _hyperparameters(theta: Floats) -> Hyperparameters:
    values = np.exp(theta)
    return Hyperparameters(Matern(values[:-2], float(values[-2])), float(values[-1]))


def log_evidence(
    points: Floats, values: Floats, variances: Floats, theta: Floats
) -> tuple[float, Floats]:
    """The log marginal likelihood, up to a constant, at the best constant mean; its gradient.

    Rasmussen and Williams, eq. 5.8 and 5.9; the gradient is by log hyperparameter, shape (d + 2,).

    Raises:
        numpy.linalg.LinAlgError: the covariances are not positive definite.
    """
    given = _hyperparameters(theta)
    covariance = given.kernel(points, points)
    factor = cho_factor(covariance + np.diag(variances + given.noise + 1e-8), lower=True)
    inverse = cho_solve(factor, np.eye(len(points)))
    ones = inverse.sum(1)
    residual = values - float(ones @ values) / float(ones.sum())
    weights = inverse @ residual
    evidence = -float(residual @ weights) / 2 - float(np.log(np.diag(factor[0])).sum())
    outer = (np.outer(weights, weights) - inverse) / 2
    lengths = given.kernel.log_length_gradient(points, outer)
    scale = float((outer * covariance).sum())
    noise = given.noise * float(np.trace(outer))
    return evidence, np.array([*lengths, scale, noise])


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

    def posterior(self, points: Floats) -> "Posterior":
        """What is believed of other points, shape (m, d)."""
        features = self._root @ self._kernel(self._inducing, points)
        return Posterior(self, points, features)


class Posterior:
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

    def condition_on_mean(self, place: int, noise: float) -> None:
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
