"""Where the operators stand: the best architecture of each, among all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from search.query.best import BestRow
from search.query.pareto import pareto_front


@dataclass(frozen=True, slots=True)
class OperatorStanding:
    """How far the architectures that use one operator throughout got.

    Attributes:
        name: of the operator.
        row: its most accurate architecture (the cheapest of equals).
        rank: its place by accuracy among all architectures, from 1; equal accuracies share one.
        count: how many architectures use this operator throughout.
        on_front: whether the row is on the front of accuracy against params or against FLOPs.
    """

    name: str
    row: BestRow
    rank: int
    count: int
    on_front: bool


def standings(rows: Iterable[BestRow]) -> list[OperatorStanding]:
    """Every operator that some architecture uses throughout, the best first.

    Rows without an accuracy are left out.
    """
    pairs = [(row.accuracy, row) for row in rows if row.accuracy is not None]
    pairs.sort(key=lambda pair: (-pair[0], pair[1].params, pair[1].architecture_id))
    ranked = [row for _, row in pairs]
    front = {row.trial_id for row in pareto_front(ranked, "params") + pareto_front(ranked, "flops")}
    pure = [row for row in ranked if len(row.names) == 1]
    counts = Counter(row.operators for row in pure)
    # Setting from the worst to the best leaves the first place of every accuracy.
    place = {accuracy: i for i, (accuracy, _) in reversed(list(enumerate(pairs, start=1)))}
    found: dict[str, OperatorStanding] = {}
    for row in pure:
        if row.operators not in found and row.accuracy is not None:
            found[row.operators] = OperatorStanding(
                row.operators,
                row,
                place[row.accuracy],
                counts[row.operators],
                row.trial_id in front,
            )
    return list(found.values())
