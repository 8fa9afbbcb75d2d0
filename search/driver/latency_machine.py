"""Whether a table that the store has is of this machine, or of another that calls itself alike.

Machines of one name need not be equally fast: of a cloud's, one shares its cores with guests that
another has not; of two boxes, one has slower memory. Nothing that a machine says of itself settles
it for good: names of hosts are those of containers, ids of machines are copied with their images,
and the id of a running kernel is a new one after each start. So the id says whether there is a
question, and measuring some parts once more answers it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from search.store.process import kernel_of_this_process
from space.errors import InputError
from space.surface import surface
from space.wording import count
from trainers.latency import Latency, Measures, NotMeasured, Part, PartTable

MOST_OFF, OF_ANOTHER = 0.10, 0.25
"""So far the parts that are measured again may be off, as their median: one machine has phases of
some percent. From there on it is said, and from the second on it cannot be the same machine."""
_AGAIN = 5
"""So many are measured again."""
_BOOT = "boot"
"""Beside what identifies a device, in the store's figures."""


def here() -> str | None:
    """The id of the running kernel: this machine's until its next start, and its containers'."""
    try:
        return kernel_of_this_process()[0]
    except OSError:  # a system that does not say
        return None


def with_place(figure: Latency) -> dict[str, Any]:
    """A figure as the store keeps it, of a machine of which it is known to be true: this one."""
    values = figure.to_dict()
    return values | {"device": {**values["device"], _BOOT: here()}}


@dataclass(frozen=True, slots=True)
class MeasuredAgain:
    """Parts of a table, measured on a machine of which it has nothing since its last start.

    Attributes:
        figures: of this machine. ratios: of their times to those of the table, in order.
    """

    figures: Mapping[Part, Latency]
    ratios: Sequence[float]

    @property
    def fits(self) -> bool:
        """Whether the table may be this machine's."""
        return self._off <= MOST_OFF

    @property
    def _off(self) -> float:
        middle = median(self.ratios)
        return max(middle, 1 / middle) - 1

    @property
    def quiet(self) -> bool:
        """Whether the machine was quiet meanwhile."""
        return all(figure.quiet for figure in self.figures.values())

    @property
    def is_sure(self) -> bool:
        """Whether the table is known to be this machine's."""
        return self.fits and self.quiet

    @property
    def sentence(self) -> str:
        """What differs, and how a machine gets a table of its own."""
        low, middle, high = min(self.ratios), median(self.ratios), max(self.ratios)
        named = surface().setting("latency.machine", "NAME")
        return (
            f"the table was measured elsewhere, or before this machine was started: "
            f"{count(len(self.ratios), 'part')} of it, measured again, took {middle:.2f} times as "
            f"long here ({low:.2f} to {high:.2f}). Where this is another machine that says the "
            f"same of itself, a name gives it a table of its own: {named}; else try again when it "
            "is quiet"
        )

    def refuse(self, say: Callable[[str], None], where: str = "latency.machine") -> None:
        """Refuse a table of another machine, or say that it may be of another one.

        Raises:
            InputError: at `where`, it is far off, and not because this machine is disturbed.
        """
        if self.fits:
            return
        if self.quiet and self._off > OF_ANOTHER:
            raise InputError.of(where, self.sentence)
        say(f"Latency: warning: {self.sentence}.")


def measured_again(table: PartTable, meter: Measures) -> MeasuredAgain | None:
    """Some parts of a table, measured here; None where it is known to be of this machine.

    The pace of this machine is what is in question, so that of the table is not held against it.
    """
    boot = here()
    known = any(figure.device.get(_BOOT) == boot for figure in table.figures.values())
    chosen = [] if boot is not None and known else _telling(table)
    if not chosen:
        return None
    pace, meter.pace = meter.pace, None
    try:
        found = dict(zip(chosen, meter.parts(chosen), strict=True))
    finally:
        meter.pace = pace
    figures = {part: each for part, each in found.items() if not isinstance(each, NotMeasured)}
    before = table.milliseconds()
    ratios = [figure.median_ms / before[part] for part, figure in figures.items()]
    return MeasuredAgain(figures, ratios) if ratios else None


def _telling(table: PartTable) -> list[Part]:
    """Parts from quick to slow that were measured on a quiet machine, or else any."""
    quiet = [part for part, figure in table.figures.items() if figure.quiet]
    ordered = sorted(quiet or table.figures, key=lambda part: table.figures[part].median_ms)
    if len(ordered) <= _AGAIN:
        return ordered
    return [ordered[index * (len(ordered) - 1) // (_AGAIN - 1)] for index in range(_AGAIN)]
