"""A paired comparison: networks of one skeleton that differ by their token mixer alone."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from search.query.best import BestRow
from search.store.models import Study, Trial
from search.store.store import Store
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


def paired(store: Store, study: str, rows: Iterable[BestRow]) -> list[Pair]:
    """The complete networks of a study's paired comparison, the best first; none if it has none.

    Args:
        store: with the study.
        study: its name.
        rows: of the study.
    """
    operators = _paired_operators(store, study)
    found = [
        (row.accuracy, row)
        for row in rows
        if row.is_complete and row.accuracy is not None and row.architecture_id in operators
    ]
    found.sort(key=lambda pair: (-pair[0], pair[1].params, pair[1].architecture_id))
    return [
        Pair(operators[row.architecture_id], row, found[0][0] - accuracy) for accuracy, row in found
    ]


def _paired_operators(store: Store, study: str) -> dict[str, str]:
    """The operator of each network of the comparison, by its id.

    The rows do not tell: a repeat of such a network, which may be its best trial, has another
    origin.
    """
    query = (
        select(Trial.architecture_id, Trial.origin)
        .join(Study)
        .where(Study.name == study, Trial.origin.startswith(PAIRED, autoescape=True))
    )
    found = store.read(lambda session: session.execute(query).all())
    return {architecture: origin.removeprefix(PAIRED) for architecture, origin in found}


def chance_of_images(pairs: Iterable[Pair], images: int) -> float:
    """The difference of two accuracies that as few images may make by chance, 0 to 1.

    It is 1.96 standard errors of the difference of two shares, each of so many images, at the mean
    accuracy of the comparison. The images are the same for both, which makes the true one smaller;
    that other seeds would give other accuracies is not in it.
    """
    accuracies = [pair.row.accuracy or 0.0 for pair in pairs]
    mean = sum(accuracies) / len(accuracies)
    return 1.96 * math.sqrt(2 * mean * (1 - mean) / images)
