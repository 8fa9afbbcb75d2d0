"""The hard limits as numbers for the counting: what adds up along a network, and its peak."""

from dataclasses import dataclass

from space.design.limits import Limits
from space.design.sums import Vector

PEAK = "inference_bytes"
"""The one quantity of which a network has as much as its largest piece; the others add up."""


@dataclass(frozen=True)
class Ceiling:
    """The limits that are set.

    Attributes:
        names: the quantities that add up and have a limit.
        limits: their limits.
        peak: the limit of `PEAK`; None if it has none.
    """

    names: tuple[str, ...]
    limits: Vector
    peak: int | None

    @classmethod
    def of(cls, limits: Limits) -> "Ceiling":
        """The ceiling that hard limits make."""
        values = limits.to_dict()
        peak = values.pop(PEAK, None)
        return cls(tuple(values), tuple(values.values()), peak)

    @property
    def is_open(self) -> bool:
        """Whether there is no limit at all."""
        return not self.names and self.peak is None

    @property
    def nothing(self) -> Vector:
        """What nothing costs."""
        return (0,) * len(self.names)

    def counted(self, spent: Vector) -> Vector:
        """A cost; too much for 64 bits is just above the limit."""
        return tuple(min(a, limit + 1) for a, limit in zip(spent, self.limits, strict=True))
