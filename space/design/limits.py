"""Hard limits: what an architecture may cost at most, checked before any training."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from space.architecture import Architecture
from space.cost import Cost, Memory, cost, memory
from space.design.quantities import byte_quantity, quantity
from space.errors import InputError, Problem, join

FIGURE_ALIASES = {"flops": "macs"}
"""Other names of figures that people may write, here and in where-clauses, as papers do."""


def figure_of(name: str) -> str:
    """The name that a figure has here, as `flops` is another name of `macs`; else the same name."""
    return FIGURE_ALIASES.get(name, name)


class Infeasible(ValueError):
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
            InputError: for unknown names, both names of one figure, and no positive number.
        """
        if not isinstance(values, dict):
            raise InputError.of(where, f"{values!r} is not a mapping; allowed: {_ALLOWED}")
        problems: list[Problem] = []
        limits: dict[str, int] = {}
        for name, value in values.items():
            path = join(where, str(name))
            if name not in _READERS:
                reason = _NO_EVALUATOR if name == "latency" else "unknown limit"
                problems.append(Problem(path, f"{reason}; allowed: {_ALLOWED}"))
                continue
            figure = figure_of(name)
            if figure != name and figure in values:
                same = f"is the same figure as {join(where, figure)}, give it once"
                problems.append(Problem(path, same))
                continue
            try:
                limits[figure] = _READERS[name](value)
            except InputError as error:
                problems.append(Problem(path, error.problems[0].message))
        if problems:
            raise InputError(problems)
        return cls(**limits)


_COSTS = ("params", "macs")
_MEMORIES = ("training_bytes", "inference_bytes")
_ALLOWED = "params, macs (flops), training_bytes, inference_bytes"
_NO_EVALUATOR = (
    "latency has no closed form: it has to be measured on a device, which no hard limit does yet"
)
_READERS = {
    **dict.fromkeys((*_COSTS, *FIGURE_ALIASES), quantity),
    **dict.fromkeys(_MEMORIES, byte_quantity),
}
