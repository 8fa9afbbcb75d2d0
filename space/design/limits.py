"""Hard limits: what an architecture may cost at most, checked before any training."""

from dataclasses import dataclass
from typing import Any

from space.architecture import Architecture
from space.cost import Cost, cost
from space.design.quantities import quantity
from space.errors import InputError, Problem, join


class Infeasible(ValueError):
    """An architecture that the hard limits refuse.

    Attributes:
        reasons: one line for every limit that is exceeded.
    """

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper limits; None is no limit.

    Attributes:
        params: trainable parameters.
        macs: multiply-accumulates for one image.
    """

    params: int | None = None
    macs: int | None = None

    def exceeded_by(self, spent: Cost) -> list[str]:
        """The limits that a cost exceeds, in words."""
        pairs = (("params", spent.params, self.params), ("macs", spent.macs, self.macs))
        return [
            f"{name} {value:,} exceed the limit {limit:,}"
            for name, value, limit in pairs
            if limit is not None and value > limit
        ]

    def violations(self, architecture: Architecture) -> list[str]:
        """The limits that an architecture exceeds, in words."""
        return self.exceeded_by(cost(architecture)) if self.to_dict() else []

    def to_dict(self) -> dict[str, int]:
        """The limits that are set."""
        pairs = {"params": self.params, "macs": self.macs}
        return {name: value for name, value in pairs.items() if value is not None}

    @classmethod
    def from_dict(cls, values: Any, where: str) -> "Limits":
        """Limits from a mapping; `flops` is another name of `macs`, as papers print them.

        Raises:
            InputError: for unknown names and for what is not a positive number.
        """
        if not isinstance(values, dict):
            raise InputError.of(where, f"{values!r} is not a mapping; allowed: params, macs")
        problems: list[Problem] = []
        limits: dict[str, int] = {}
        for name, value in values.items():
            if name not in ("params", "macs", "flops"):
                problems.append(
                    Problem(join(where, str(name)), "unknown limit; allowed: params, macs (flops)")
                )
                continue
            try:
                limits["macs" if name == "flops" else name] = quantity(value)
            except InputError as error:
                problems.append(Problem(join(where, name), error.problems[0].message))
        if problems:
            raise InputError(problems)
        return cls(**limits)
