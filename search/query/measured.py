"""What trainings took: images by second, the most memory, steps that were skipped."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from search.store.models import MetricRow
from search.store.store import Store

_BATCH = 500
"""Ids by query; databases limit how many values one statement may bind."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of the epochs of a trial; None where no epoch has noted it.

    Attributes:
        images_per_second: training images by second of training, the mean over the epochs; on the
            machine that trained it, with all that ran beside it.
        peak_memory_bytes: the most of any epoch, of a GPU; of a trial on CPUs that of its process.
        skipped_steps: of all epochs, those whose loss or gradient was not finite.
        fused_mixers: token mixers that ran by fused kernels, the most of any epoch: machines differ
            in what they have.
    """

    images_per_second: float | None = None
    peak_memory_bytes: int | None = None
    skipped_steps: int | None = None
    fused_mixers: int | None = None


def measured(store: Store, trial_ids: Collection[int]) -> dict[int, Measured]:
    """What each of these trials took, by their ids."""
    ids = list(dict.fromkeys(trial_ids))
    found = dict.fromkeys(ids, Measured())

    def read(connection: Connection) -> None:
        for start in range(0, len(ids), _BATCH):
            some = MetricRow.trial_id.in_(ids[start : start + _BATCH])
            query = select(*_COLUMNS).where(some).group_by(MetricRow.trial_id)
            for id_, rate, *counts in connection.execute(query):
                found[id_] = Measured(rate, *map(_whole, counts))

    store.read(read)
    return found


_COLUMNS = (
    MetricRow.trial_id,
    func.avg(MetricRow.images_per_second),
    func.max(MetricRow.peak_memory_bytes),
    func.sum(MetricRow.skipped_steps),
    func.max(MetricRow.fused_mixers),
)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)  # PostgreSQL sums to a Decimal
