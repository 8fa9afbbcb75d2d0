"""A paired comparison: networks of one skeleton that differ by their token mixer alone."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from search.query.best import BestRow
from space.design.paired_points import PAIRED


@dataclass(frozen=True, slots=True)
class Pair:
    """An operator in the skeleton of the comparison.

    Attributes:
        operator: its name.
        row: its network.
        behind: accuracy of the best of the comparison minus its own, 0 to 1.
    """

    operator: str
    row: BestRow
    behind: float


def paired(rows: Iterable[BestRow]) -> list[Pair]:
    """The complete networks of a study's paired comparison, the best first; none if it has none.

    Args:
        rows: of one study.
    """
    found = [
        (row.accuracy, row)
        for row in rows
        if row.is_complete and row.accuracy is not None and row.origin.startswith(PAIRED)
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1].params, pair[1].architecture_id))
    return [
        Pair(row.origin.removeprefix(PAIRED), row, found[0][0] - accuracy)
        for accuracy, row in found
    ]


def chance_of_images(pairs: Iterable[Pair], images: int) -> float:
    """The difference of two accuracies that as few images may make by chance, 0 to 1.

    It is 1.96 standard errors of the difference of two shares, each of so many images, at the mean
    accuracy of the comparison. The images are the same for both, which makes the true one smaller;
    that other seeds would give other accuracies is not in it.
    """
    accuracies = [pair.row.accuracy or 0.0 for pair in pairs]
    mean = sum(accuracies) / len(accuracies)
    return 1.96 * math.sqrt(2 * mean * (1 - mean) / images)
