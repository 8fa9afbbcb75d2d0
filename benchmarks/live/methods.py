"""The searches that are compared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
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
    Method("evolution + asha, inheriting", "evolution", "asha", inherits=True),
    Method("evolution + asha, from scratch", "evolution", "asha", inherits=False),
    Method("tpe + asha, from scratch", "tpe", "asha", inherits=False),
)
"""The second one tells what of the first is due to inheritance."""
