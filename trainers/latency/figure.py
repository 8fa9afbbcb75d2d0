"""A measured latency: the median with its interval, and everything that says what it is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self

import numpy as np

from space.errors import InputError


class Run(NamedTuple):
    """One forward pass: its wall time, and what disturbed it.

    Attributes:
        interrupted: whether another process took the CPU from it.
        off_pace: whether a fixed computation just before or after it was slower than at its
            quickest: another guest of the host, or a hyper-thread, had part of the core.
    """

    milliseconds: float
    interrupted: bool = False
    off_pace: bool = False

    @property
    def undisturbed(self) -> bool:
        """Whether nothing is known to have disturbed it."""
        return not (self.interrupted or self.off_pace)


@dataclass(frozen=True, slots=True)
class Latency:
    """What was measured of one network, or of one part.

    Attributes:
        median_ms: median wall time of one pass over the batch, over the runs that counted.
        low_ms, high_ms: distribution-free 95 % interval of that median.
        n: runs that counted. Those during which the system took the CPU away for another process,
            or the machine was off its pace, do not, as long as enough others are left (`counted`).
        interrupted: how many runs did not count for the first reason, or would not have.
        quantiles_ms: at 5, 25, 75 and 95 %, of the runs that counted.
        drift: how far the medians of the first, the middle and the last third lie apart, relative.
        gauge_ms: median of a fixed computation that took turns with it; it tells the machine's
            pace. None where there was none.
        reasons: why the machine was not quiet, in words; empty where it was.
        attempts: how often everything was measured, since the machine was not quiet before.
        measured_at: ISO time, UTC.
        device: what identifies the device, driver and versions (`DeviceIdentity.to_dict`).
        spec: batch, precision and so on (`LatencySpec.to_dict`).
        off_pace: how many runs did not count as the machine was slow just then, or would not have.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    n: int
    interrupted: int
    quantiles_ms: Mapping[str, float]
    drift: float
    gauge_ms: float | None = None
    reasons: tuple[str, ...] = ()
    attempts: int = 1
    measured_at: str = ""
    device: Mapping[str, Any] = field(default_factory=dict)
    spec: Mapping[str, Any] = field(default_factory=dict)
    off_pace: int = 0

    @property
    def quiet(self) -> bool:
        """Whether nothing disturbed the measurement, as far as can be seen."""
        return not self.reasons

    @property
    def spread(self) -> float:
        """Distance of the quartiles, relative to the median."""
        return (self.quantiles_ms["75"] - self.quantiles_ms["25"]) / self.median_ms

    @property
    def words(self) -> str:
        """Such as "4.82 ms (4.80 – 4.85, n = 120)"; a disturbed one says so."""
        interval = f"{self.low_ms:.3g} – {self.high_ms:.3g}, n = {self.n}"
        return f"{self.median_ms:.3g} ms ({interval})" + ("" if self.quiet else ", disturbed")

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return asdict(self) | {"reasons": list(self.reasons)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """What `to_dict` made.

        Raises:
            InputError: where="latency", for what is no such mapping.
        """
        try:
            made = cls(**{**values, "reasons": tuple(values.get("reasons", ()))})
            numbers = (made.median_ms, made.low_ms, made.high_ms)
            if not all(np.isfinite(number) and number > 0 for number in numbers):
                raise ValueError("times must be above 0")
        except (TypeError, ValueError, AttributeError) as error:
            raise InputError.of("latency", f"is no measured latency ({error})") from None
        return made


FEWEST = 10
"""Undisturbed runs from which on the disturbed ones are left out."""


def counted(runs: Sequence[Run]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The times of the runs that count: the undisturbed ones, or all where these are too few.

    Runs are left out by what the system, or the gauge beside them, says, and never for being slow
    themselves.
    """
    kept = [run.milliseconds for run in runs if run.undisturbed]
    return np.array(kept if len(kept) >= FEWEST else [run.milliseconds for run in runs])


def quickest(gauged: Sequence[float]) -> float | None:
    """What the gauge takes when the machine is at its pace: of what it took here and there.

    It is the 10 % quantile: the least of many is luck, such as the clock of a core whose neighbours
    all happen to sleep, and what is measured later would never come up to it.
    """
    return float(np.percentile(gauged, 10, method="lower")) if len(gauged) else None


def median_interval(times: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the median from the order of the times alone, whatever their distribution.

    The ranks are those of the normal approximation of the binomial (n/2 ± 0.98 √n); of fewer than
    six times it is their range.
    """
    ordered = np.sort(np.asarray(times, float))
    n = len(ordered)
    if n < 6:
        return float(ordered[0]), float(ordered[-1])
    reach = 0.98 * np.sqrt(n)
    low = max(0, int(np.floor(n / 2 - reach)))
    high = min(n - 1, int(np.ceil(n / 2 + reach)))
    return float(ordered[low]), float(ordered[high])


def drift_of(times: Sequence[float]) -> float:
    """How far the medians of the three thirds of the runs, in their order, lie apart, relative."""
    if len(times) < 6:
        return 0.0
    thirds = [float(np.median(third)) for third in np.array_split(np.asarray(times, float), 3)]
    return (max(thirds) - min(thirds)) / float(np.median(times))
