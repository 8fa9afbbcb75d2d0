"""What is wrong with data, counted by kind, so that a thousand faults are a line and no more."""

from collections.abc import Iterable

from space.errors import InputError, Problem
from space.input.paths import shown_path

_SHOWN = 5


class Findings:
    """Faults of one part of the data.

    Args:
        where: the field of the configuration that they are told at.
    """

    def __init__(self, where: str = "data.folder") -> None:
        self.where = where
        self._names: dict[str, list[str]] = {}

    def __bool__(self) -> bool:
        return bool(self._names)

    def add(self, kind: str, name: str) -> None:
        """One more.

        Args:
            kind: in the plural, such as "boxes of no width or height". name: which it is.
        """
        self._names.setdefault(kind, []).append(name)

    def sentences(self) -> tuple[str, ...]:
        """One for each kind, with its number and some names."""
        return tuple(f"{kind}: {told(names)}" for kind, names in sorted(self._names.items()))

    def problems(self, place: str) -> list[Problem]:
        """The same as what is refused.

        Args:
            place: the part or file that they are in.
        """
        return [Problem(self.where, f"{place} has {each}") for each in self.sentences()]

    def refuse(self, place: str) -> None:
        """Refuse to go on.

        Raises:
            InputError: with all kinds, if there are any.
        """
        if self:
            raise InputError(self.problems(place))


def told(names: Iterable[str]) -> str:
    """How many there are, and some of them."""
    found = list(names)
    shown = ", ".join(map(shown_path, found[:_SHOWN]))
    more = ", …" if len(found) > _SHOWN else ""
    return f"{len(found):,} ({shown}{more})"
