"""Predicts the latency of a network from the latencies of its parts, and says how well.

The prediction is intercept + slope × (sum over the parts). The line is fitted on some whole
networks that were measured, robustly (Theil and Sen: the median of the slopes between all pairs),
and its error is that on other whole networks, which the fit has not seen.

A part that was not measured is estimated from measured ones that are like it. Held-out networks
have such parts as well, so the stated error holds for them.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from space import Architecture
from space.architecture import Input, Stem
from space.axes import AXES
from space.cost.network_cost import downsample_cost, head_cost, place_cost, stem_cost
from space.errors import InputError
from trainers.latency.parts import Part, parts_of

LEAST_MARGIN = 0.02
"""What is predicted so far above a limit is measured all the same."""


@dataclass(frozen=True, slots=True)
class PredictionError:
    """How far predictions are off on networks that the fit has not seen, relative to the measured.

    Attributes:
        n: how many networks. median, largest: of the absolute relative errors.
        bias: the median of the relative errors; above 0 predictions are too high.
    """

    n: int
    median: float
    largest: float
    bias: float

    @classmethod
    def of(cls, predicted: Sequence[float], measured: Sequence[float]) -> "PredictionError":
        """The error of predictions; of at least one."""
        relative = np.asarray(predicted, float) / np.asarray(measured, float) - 1
        size = np.abs(relative)
        return cls(len(size), float(np.median(size)), float(size.max()), float(np.median(relative)))

    @property
    def words(self) -> str:
        """Such as "median 1.2 %, largest 3.4 %, on 8 held-out networks"."""
        networks = f"{self.n} held-out network" + ("s" if self.n > 1 else "")
        return f"median {self.median:.1%}, largest {self.largest:.1%}, on {networks}"


class Predictor:
    """Latencies of networks from those of their parts.

    Args:
        parts: milliseconds of each measured part.
        intercept, slope: of the line; milliseconds, and none.
        fitted_on: how many networks the line was fitted on.
        error: on other networks; None while there is none.
    """

    def __init__(
        self,
        parts: Mapping[Part, float],
        intercept: float = 0.0,
        slope: float = 1.0,
        fitted_on: int = 0,
        error: PredictionError | None = None,
    ) -> None:
        self.parts, self.intercept, self.slope = parts, intercept, slope
        self.fitted_on, self.error = fitted_on, error
        self._estimates: dict[Part, float] = {}

    def total(self, architecture: Architecture) -> float:
        """The sum over the parts, in milliseconds."""
        return sum(self.of_part(part) * number for part, number in parts_of(architecture).items())

    def __call__(self, architecture: Architecture) -> float:
        """The predicted latency in milliseconds."""
        return max(self.intercept + self.slope * self.total(architecture), 1e-6)

    def estimated(self, architecture: Architecture) -> int:
        """How many of the distinct parts of a network were not measured."""
        return sum(part not in self.parts for part in parts_of(architecture))

    def of_part(self, part: Part) -> float:
        """What a part takes: measured, or estimated from those like it, in milliseconds."""
        found = self.parts.get(part)
        if found is not None:
            return found
        if part not in self._estimates:
            self._estimates[part] = self._likeness.estimate(part)
        return self._estimates[part]

    @cached_property
    def _likeness(self) -> "_Likeness":
        return _Likeness(self.parts)

    @property
    def margin(self) -> float:
        """How far above a limit a prediction must be, relative, to be trusted without measuring.

        Half as much again as the largest error on held-out networks, of which there are few, and
        not below 2 %; 50 % where nothing is known.
        """
        return max(1.5 * self.error.largest, LEAST_MARGIN) if self.error is not None else 0.5

    @property
    def words(self) -> str:
        """Where a prediction comes from."""
        error = "unknown" if self.error is None else self.error.words
        return (
            f"predicted from {len(self.parts):,} measured parts, a line through "
            f"{self.fitted_on} measured networks; error {error}"
        )

    def fitted(
        self,
        networks: Sequence[tuple[Architecture, float]],
        held_out: Sequence[tuple[Architecture, float]],
    ) -> "Predictor":
        """This predictor with its line fitted on some measured networks, and its error on others.

        Raises:
            ValueError: fewer than two networks to fit on, or none to hold out.
        """
        if len(networks) < 2 or not held_out:
            raise ValueError("a line needs two networks, and its error another one")
        totals = [self.total(architecture) for architecture, _ in networks]
        slope, intercept = theil_sen(totals, [measured for _, measured in networks])
        line = Predictor(self.parts, intercept, slope, len(networks))
        predicted = [line(architecture) for architecture, _ in held_out]
        line.error = PredictionError.of(predicted, [measured for _, measured in held_out])
        return line

    def to_dict(self) -> dict[str, Any]:
        """The line and its error as plain values, without the parts."""
        return {
            "intercept_ms": self.intercept,
            "slope": self.slope,
            "fitted_on": self.fitted_on,
            "error": None if self.error is None else asdict(self.error),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], parts: Mapping[Part, float]) -> "Predictor":
        """What `to_dict` made, with the parts.

        Raises:
            InputError: for what is no such mapping.
        """
        try:
            error = None if values["error"] is None else PredictionError(**values["error"])
            line = (float(values["intercept_ms"]), float(values["slope"]), int(values["fitted_on"]))
        except (TypeError, KeyError, ValueError) as reason:
            raise InputError.of("predictor", f"is none ({reason!r})") from None
        return cls(parts, *line, error)


def theil_sen(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """Slope and intercept of the line of median slope through points; a slope below 0 becomes 1.

    Two networks of one size say nothing of a slope: where all are alike, it is 1.
    """
    pairs = itertools.combinations(zip(x, y, strict=True), 2)
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if abs(b[0] - a[0]) > 1e-9 * a[0]]
    slope = float(np.median(slopes)) if slopes else 1.0
    slope = slope if slope > 0 else 1.0
    return slope, float(np.median(np.asarray(y, float) - slope * np.asarray(x, float)))


_APART = 0.5
"""Of logarithms of work: pairs that are nearer tell a power badly."""


class _Likeness:
    """Estimates parts from measured ones that are most like them.

    Time grows with a power of the work, between 0 (calls are what costs) and 1; the power is the
    median over pairs of measured parts that differ in nothing but sizes.
    """

    _NEAREST = 5

    def __init__(self, parts: Mapping[Part, float]) -> None:
        if not parts:
            raise ValueError("there is no measured part to estimate others from")
        self._parts = list(parts)
        self._milliseconds = np.array(list(parts.values()))
        self._features = np.array([_features(part) for part in self._parts])
        self._words = [_words(part) for part in self._parts]
        self._power = self._power_of_work()

    def _power_of_work(self) -> float:
        alike: dict[tuple[object, ...], list[int]] = {}
        for place, words in enumerate(self._words):
            alike.setdefault(words, []).append(place)
        pairs = (p for places in alike.values() for p in itertools.combinations(places[:30], 2))
        work, times = self._features[:, 0], np.log(self._milliseconds)
        powers = [
            (times[one] - times[other]) / (work[one] - work[other])
            for one, other in pairs
            if abs(work[one] - work[other]) > _APART
        ]
        return float(np.clip(np.median(powers), 0, 1)) if powers else 1.0

    def estimate(self, part: Part) -> float:
        """Milliseconds: the median over the most alike, each brought to the work of the part."""
        mine, words = _features(part), _words(part)
        shared = np.array([sum(a != b for a, b in zip(words, w, strict=True)) for w in self._words])
        distances = 2.0 * shared + np.abs(self._features - mine).sum(1)
        nearest = np.argsort(distances, kind="stable")[: self._NEAREST]
        scale = np.exp(self._power * (mine[0] - self._features[nearest, 0]))
        return float(np.median(self._milliseconds[nearest] * scale))


def _words(part: Part) -> tuple[object, ...]:
    axes = () if part.mixer is None else [getattr(part.mixer, axis) for axis in AXES]
    return (part.kind, part.type, *axes, *[None] * (len(AXES) - len(axes)))


def _features(part: Part) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Logarithms of the work, the positions and the channels."""
    positions = part.size.height * part.size.width
    return np.log([max(_macs(part), 1), positions, part.width])


def _macs(part: Part) -> int:
    size = part.size
    if part.kind == "stem":
        image = Input(part.outputs, size.height, size.width)
        return stem_cost(image, Stem(part.patch_size, part.type), part.width).macs  # type: ignore[arg-type]
    if part.kind == "head":
        return part.width * size.positions + head_cost(part.width, part.outputs).macs
    if part.kind == "downsample":
        positions = size.reduced(2).positions
        return downsample_cost(part.width, part.outputs, positions, part.type).macs
    assert part.mixer is not None
    around = (1, part.width, part.outputs, size)
    return place_cost(part.type, part.mixer, 0, 1, *around).macs  # type: ignore[arg-type]
