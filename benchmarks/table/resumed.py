"""The trainings that a table holds already, so that it can be finished on another machine."""

import json
from pathlib import Path

import pyarrow.parquet

from benchmarks.table.measure import Measured

_TUPLES = ("validation_accuracy", "train_loss", "seconds")


def trainings_of(path: Path, protocol_hash: str) -> list[Measured]:
    """Every training of a table under this protocol, the test figures included.

    Only who makes the table may ask; searchers read through `TabularBenchmark`. A file that is
    not there, or that is of another protocol, holds none.
    """
    if not path.exists():
        return []
    metadata = pyarrow.parquet.read_schema(path).metadata or {}
    if json.loads(metadata.get(b"protocol_hash", b"null")) != protocol_hash:
        return []
    columns = list(Measured.__dataclass_fields__)
    rows = pyarrow.parquet.read_table(path, columns=columns).to_pylist()
    return [Measured(**row | {name: tuple(row[name]) for name in _TUPLES}) for row in rows]
