"""The searches that are compared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LiveMethod:
    """One way to search.

    Attributes:
        name: of the row. searcher, scheduler: names of ours.
        inherits: whether a trial starts from the best trained network that it contains.
    """

    name: str
    searcher: str
    scheduler: str
    inherits: bool


METHODS = (
    LiveMethod("evolution + asha, inheriting", "evolution", "asha", inherits=True),
    LiveMethod("evolution + asha, from scratch", "evolution", "asha", inherits=False),
    LiveMethod("tpe + asha, from scratch", "tpe", "asha", inherits=False),
)
"""The second one tells what of the first is due to inheritance."""
