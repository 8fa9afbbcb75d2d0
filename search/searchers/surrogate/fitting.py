"""The kernel and the noise that explain observations best, given what is usual."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.searchers.surrogate.matern import Matern

Floats = NDArray[np.float64]

_LENGTH_SPREAD = 0.5  # of log l
_SCALE_SPREAD = 0.7
_NOISE, _NOISE_SPREAD = 0.2, 1.2  # the variance that is usual, of values of variance 1
_STEPS = 80
_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """What a Gaussian process is given: its kernel, and the variance of a whole evaluation."""

    kernel: Matern
    noise: float


def usual(width: int, columns: int) -> Hyperparameters:
    """What is assumed before anything was seen: smooth, the more so the more columns differ.

    Source of the lengths: Hvarfner et al., "Vanilla Bayesian Optimization Performs Great in High
    Dimensions" (2024).
    """
    lengths = np.full(width, math.exp(1.0) * math.sqrt(max(columns, 1)))
    return Hyperparameters(Matern(lengths, 1.0), _NOISE)


def fit(points: Floats, values: Floats, variances: Floats) -> Hyperparameters:
    """The maximum of the posterior of the hyperparameters, by gradient ascent (Adam).

    Args:
        points: shape (n, d), columns of unit spread.
        values: shape (n,), of mean about 0 and spread about 1.
        variances: shape (n,), doubt of each value beyond the common noise.
    """
    start = usual(points.shape[1], int((np.ptp(points, axis=0) > 0).sum()))
    center = np.log([*start.kernel.lengths, start.kernel.scale, start.noise])
    spread = np.full(len(center), _LENGTH_SPREAD)
    spread[-2:] = _SCALE_SPREAD, _NOISE_SPREAD
    theta = center.copy()
    first, second = np.zeros_like(theta), np.zeros_like(theta)
    for step in range(1, _STEPS + 1):
        gradient = _gradient(points, values, variances, theta) - (theta - center) / spread**2
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        move = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
        theta = theta + _RATE * move
    return _hyperparameters(theta)


def _hyperparameters(theta: Floats) -> Hyperparameters:
    values = np.exp(np.clip(theta, -12, 12))
    return Hyperparameters(Matern(values[:-2], float(values[-2])), float(values[-1]))


def _gradient(points: Floats, values: Floats, variances: Floats, theta: Floats) -> Floats:
    """Of the log marginal likelihood (Rasmussen and Williams, eq. 5.9), by log hyperparameter."""
    given = _hyperparameters(theta)
    covariance = given.kernel(points, points)
    noisy = covariance + np.diag(variances + given.noise + 1e-8)
    inverse = np.linalg.inv(noisy)
    ones = inverse.sum(1)
    mean = float(ones @ values) / float(ones.sum())
    weights = inverse @ (values - mean)
    outer = (np.outer(weights, weights) - inverse) / 2
    lengths = given.kernel.log_length_gradient(points, outer)
    scale = float((outer * covariance).sum())
    noise = given.noise * float(np.trace(outer))
    return np.array([*lengths, scale, noise])
