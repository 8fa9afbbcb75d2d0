"""Hard limits: what an architecture may cost at most, checked before any training; and the numbers
that people write for them, such as 30M, 4.5G, 200k, or bytes: 512 MiB, 2 GB."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from space.architecture import Architecture
from space.cost import Cost, Memory, cost, memory
from space.cost.piece_costs import Vector
from space.errors import InputError, MixspaceError, Problem, join, refuse
from space.wording import as_written, did_you_mean

PEAK = "inference_bytes"
"""The one quantity of which a network has as much as its largest piece; the others add up."""

METRIC_ALIASES = {"flops": "macs"}
"""Other names of metrics that people may write, here and in where-clauses, as papers do."""


def canonical_metric(name: str) -> str:
    """The name that a metric has here, as `flops` is another name of `macs`; else the same name."""
    return METRIC_ALIASES.get(name, name)


class Infeasible(MixspaceError, ValueError):
    """An architecture that the hard limits refuse.

    Attributes:
        reasons: one line for every limit that is exceeded.
    """

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True)
class Limits:
    """Upper limits; None is no limit.

    Attributes:
        params: trainable parameters.
        macs: multiply-accumulates for one image.
        training_bytes: activations that autograd saves, for one image in float32.
        inference_bytes: largest sum of activations alive at once, for one image in float32.
    """

    params: int | None = None
    macs: int | None = None
    training_bytes: int | None = None
    inference_bytes: int | None = None

    def violations(self, architecture: Architecture) -> list[str]:
        """The limits that an architecture exceeds, in words."""
        found: list[str] = []
        for measure, limits in self._asked:
            spent = measure(architecture)
            for name, limit in limits.items():
                value = getattr(spent, name)
                if value > limit:
                    found.append(f"{name} {value:,} exceed the limit {limit:,}")
        return found

    @cached_property
    def summed(self) -> tuple[str, ...]:
        """The limited quantities that add up along a network; all but `PEAK` do."""
        return tuple(name for name in self.to_dict() if name != PEAK)

    @cached_property
    def bounds(self) -> Vector:
        """The limits of the quantities that add up."""
        return tuple(limit for name, limit in self.to_dict().items() if name != PEAK)

    @property
    def peak(self) -> int | None:
        """The limit of `PEAK`, if there is one."""
        return self.inference_bytes

    def clipped(self, spent: Vector) -> Vector:
        """A cost in the summed quantities; too much for 64 bits is just above the limit."""
        return tuple(min(a, limit + 1) for a, limit in zip(spent, self.bounds, strict=True))

    @cached_property
    def _asked(self) -> list[tuple[Callable[[Architecture], Cost | Memory], dict[str, int]]]:
        """What has to be measured, and the limits of it."""
        limits = self.to_dict()
        asked = [
            (measure, {name: limits[name] for name in names if name in limits})
            for measure, names in ((cost, _COSTS), (memory, _MEMORIES))
        ]
        return [(measure, of_it) for measure, of_it in asked if of_it]

    def to_dict(self) -> dict[str, int]:
        """The limits that are set."""
        pairs = ((name, getattr(self, name)) for name in (*_COSTS, *_MEMORIES))
        return {name: value for name, value in pairs if value is not None}

    @classmethod
    def from_dict(cls, values: Any, where: str) -> "Limits":
        """Limits from a mapping; `flops` is another name of `macs`, as papers print them.

        Raises:
            InputError: for unknown names, both names of one metric, and no positive number.
        """
        if not isinstance(values, dict):
            message = f"must be a mapping of {_ALLOWED}; got {as_written(values)}"
            raise InputError.of(where, message)
        problems: list[Problem] = []
        limits: dict[str, int] = {}
        for name, value in values.items():
            path = join(where, str(name))
            if name not in _READERS:
                reason = _NO_EVALUATOR if name == "latency" else "unknown limit"
                near = did_you_mean(str(name), _READERS)
                problems.append(Problem(path, f"{reason}; allowed: {_ALLOWED}{near}"))
                continue
            metric = canonical_metric(name)
            if metric != name and metric in values:
                same = f"is the same metric as {join(where, metric)}, give it once"
                problems.append(Problem(path, same))
                continue
            try:
                limits[metric] = _READERS[name](value)
            except InputError as error:
                problems.append(Problem(path, error.problems[0].message))
        refuse(problems)
        return cls(**limits)


_UNITS = {
    "": 1,
    "k": 10**3,
    "m": 10**6,
    "g": 10**9,
    "t": 10**12,
    "ki": 2**10,
    "mi": 2**20,
    "gi": 2**30,
    "ti": 2**40,
}
# Python reads more than people write: 1_000, nan, digits of other scripts.
_NUMBER = r"(?P<number>[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?)\s*"
_QUANTITY = re.compile(rf"{_NUMBER}(?P<unit>[kmgt]?)")
_BYTES = re.compile(rf"{_NUMBER}(?P<unit>([kmgt]i?)?)b?")


def parse_quantity(value: object) -> int:
    """The whole number meant by `value`: an integer, or text with a suffix k, M, G or T.

    Raises:
        InputError: for anything else, and for numbers below 1.
    """
    return _whole(value, _QUANTITY, "a positive number such as 250000, 250k or 4.5G")


def parse_bytes(value: object) -> int:
    """The bytes meant by `value`: a number, or text with a unit: kB, MB and GB are powers of 1000,
    KiB, MiB and GiB powers of 1024; the B may be left out.

    Raises:
        InputError: for anything else, and for numbers below 1.
    """
    return _whole(value, _BYTES, "a number of bytes such as 500000000, 512 MiB or 2 GB")


def _whole(value: object, written: re.Pattern[str], allowed: str) -> int:
    number = _parsed(value, written)
    if number is None or not 1 <= number < 10**18:
        raise InputError.of("", f"must be {allowed}; got {as_written(value)}")
    return round(number)


def _parsed(value: object, written: re.Pattern[str]) -> float | None:
    if isinstance(value, str):
        found = written.fullmatch(value.strip().lower())
        return float(found["number"]) * _UNITS[found["unit"]] if found else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value]


_COSTS = ("params", "macs")
_MEMORIES = ("training_bytes", "inference_bytes")
_ALLOWED = "params, macs (flops), training_bytes, inference_bytes"
_NO_EVALUATOR = (
    "latency has no closed form: it is measured on a device, and a configuration limits it, by "
    "latency: {device: cpu, at_most: 5 ms}"
)
_READERS = {
    **dict.fromkeys((*_COSTS, *METRIC_ALIASES), parse_quantity),
    **dict.fromkeys(_MEMORIES, parse_bytes),
}
