"""A budget of a study in device-hours, such as `40 gpu-hours`."""

import re
from dataclasses import dataclass
from typing import Literal

Device = Literal["cpu", "gpu"]

_UNITS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}
_WRITTEN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(cpu|gpu)[- ](second|minute|hour|day)s?")
EXAMPLES = "40 gpu-hours, 90 gpu-minutes or 8 cpu-hours"


@dataclass(frozen=True, slots=True)
class DeviceBudget:
    """How long devices may train for a study, all of its runs and trials together.

    Attributes:
        amount: of the units.
        device: of which kind. unit: of time of one of them: second, minute, hour or day.
    """

    amount: float
    device: Device
    unit: str

    @classmethod
    def parse(cls, text: str) -> "DeviceBudget":
        """Read a budget as a person writes it.

        Raises:
            ValueError: it is none.
        """
        match = _WRITTEN.fullmatch(text.strip().lower())
        if match is None or not float(match[1]) > 0:
            raise ValueError(f"must be device time above 0 such as {EXAMPLES}, or null")
        device: Device = "gpu" if match[2] == "gpu" else "cpu"
        return cls(float(match[1]), device, match[3])

    @property
    def seconds(self) -> float:
        """The time of one device that it is worth."""
        return self.amount * _UNITS[self.unit]

    @property
    def doubled(self) -> "DeviceBudget":
        """Twice as much."""
        return DeviceBudget(2 * self.amount, self.device, self.unit)

    def in_words(self, seconds: float) -> str:
        """So much device time beside all of it, such as `1.25 of 40 gpu-hours`."""
        return f"{seconds / _UNITS[self.unit]:.3g} of {self}"

    def __str__(self) -> str:
        plural = "" if self.amount == 1 else "s"
        return f"{self.amount:g} {self.device}-{self.unit}{plural}"


def parse_device_budget(value: object) -> DeviceBudget | None:
    """A budget from what a configuration holds; None stays None.

    Raises:
        ValueError: for anything else.
    """
    if value is None or isinstance(value, DeviceBudget):
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be device time above 0 such as {EXAMPLES}, or null")
    return DeviceBudget.parse(value)
