"""What a custom mixer declares of itself on the axes of the algebra."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from space.axes import AXES, Channels, Dynamics, Locality, Sharing
from space.errors import InputError, Problem
from space.input.dataclass_fields import coerced, shown

UNDECLARED = "undeclared"
"""What stores and queries have in place of an axis value that a mixer does not declare."""
MARKED = ("locality", "channels", "sharing", "dynamics")
"""The axes with marks. A low rank is how a matrix is made, and no sight of it tells that."""


@dataclass(frozen=True, slots=True)
class Marks:
    """y[p, c] = Σ_q Σ_c' W[p, q, c, c'](x) · x[q, c'] read the other way: what W looks like.

    A mark that is None is not declared; without any the mixer is not in the algebra. Declared marks
    are checked on the Jacobian before a search (`space.operators.custom_marks`).

    Attributes:
        locality: which positions q a position p reads; `sliding` and `window` with a kernel size.
        channels: which channels a channel reads; `grouped` with an option `groups`.
        sharing: which entries are tied; of `channel` and `both` the channels of a head, with an
            option `heads`, or all of them.
        dynamics: what W depends on: nothing (`static`), the map, with one W for all offsets q − p
            (`homogeneous`), x[p] alone (`inhomogeneous`), or x[p] and others (`attention`).
        kernel_size: of `sliding` and `window`, where no option of the mixer has that name.
    """

    locality: Locality | None = None
    channels: Channels | None = None
    sharing: Sharing | None = None
    dynamics: Dynamics | None = None
    kernel_size: int | None = None

    @classmethod
    def of(cls, marks: object) -> "Marks":
        """The marks that a mapping from axis to value describes.

        Raises:
            InputError: for an axis that has no marks, or a value that it does not have.
        """
        if isinstance(marks, Marks):
            return marks
        if not isinstance(marks, Mapping):
            message = f"must be a mapping from axis to value; got {shown(marks)}"
            raise InputError.of("marks", message)
        problems: list[Problem] = []
        values: dict[str, Any] = {}
        for name, value in marks.items():
            try:
                values[name] = _read(str(name), value)
            except ValueError as error:
                problems.append(Problem(f"marks.{name}", str(error)))
        if problems:
            raise InputError(problems)
        return cls(**values)

    @property
    def declared(self) -> dict[str, str]:
        """The marks that are declared, by axis."""
        pairs = ((name, getattr(self, name)) for name in MARKED)
        return {name: str(value) for name, value in pairs if value is not None}


def _read(name: str, value: object) -> object:
    if name == "kernel_size":
        if type(value) is int and value >= 1:
            return value
        raise ValueError(f"{shown(value)} is not allowed; must be a whole number from 1")
    if name not in MARKED:
        allowed = ", ".join((*MARKED, "kernel_size"))
        raise ValueError(f"is no mark; allowed: {allowed}")
    try:
        return coerced(value, AXES[name])
    except ValueError:
        words = ", ".join(AXES[name])
        raise ValueError(f"{shown(value)} is not allowed; allowed: {words}") from None
