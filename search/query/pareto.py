"""The Pareto front of accuracy against cost."""

from collections.abc import Iterable
from typing import Literal

from search.query.best import BestRow
from space.errors import InputError

Cost = Literal["params", "flops"]
COSTS: tuple[Cost, ...] = ("params", "flops")


def pareto_front(rows: Iterable[BestRow], cost: Cost = "params") -> list[BestRow]:
    """The rows that no other beats: none is as cheap and as accurate, and better in one of both.

    Rows that tie in both stay together; rows without an accuracy are left out. In order of
    rising cost. O(n log n).

    Raises:
        InputError: an unknown cost.
    """
    if cost not in COSTS:
        raise InputError.of("cost", f"{cost!r} is not allowed; one of {', '.join(COSTS)}")
    known = [(getattr(row, cost), -row.accuracy, row) for row in rows if row.accuracy is not None]
    known.sort(key=lambda entry: (entry[0], entry[1], entry[2].architecture_id))
    front: list[tuple[float, float, BestRow]] = []
    for entry in known:
        # All before are as cheap or cheaper, and the front's last is their most accurate.
        if not front or entry[1] < front[-1][1] or entry[:2] == front[-1][:2]:
            front.append(entry)
    return [row for _, _, row in front]
