"""Writes the table's file from the trainings of a journal."""

import json
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import torch

from benchmarks.table.columns import PLANNED, SCHEMA, SEARCH_COLUMNS, TEST_COLUMN
from benchmarks.table.measure import Measured
from benchmarks.table.spec import TableSpec
from benchmarks.timing import processor
from space import Architecture, cost
from space.errors import InputError
from trainers import Protocol

COMMAND = "python -m benchmarks.make_table"


def write_table(
    path: Path, trainings: Iterable[Measured], spec: TableSpec, protocol: Protocol
) -> None:
    """Write a Parquet file, compressed with zstd; an older file is replaced at once.

    The rows are in the order of the space and of the seeds; of two trainings of the same
    architecture and seed the older one counts.

    Args:
        path: of the file.
        trainings: the oldest first.
        spec: what the table is of.
        protocol: of all trainings, with the hashes of the images.

    Raises:
        InputError: a training is of an architecture that the space does not have.
    """
    first: dict[tuple[str, int], Measured] = {}
    for training in trainings:
        first.setdefault((training.architecture_id, training.seed), training)
    rows = _rows(first, list(spec.space().enumerate()))
    table = pyarrow.Table.from_pylist(rows, SCHEMA).replace_schema_metadata(
        {key: json.dumps(value) for key, value in _metadata(spec, protocol, rows).items()}
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".unfinished")
    pyarrow.parquet.write_table(table, unfinished, compression="zstd", compression_level=19)
    unfinished.replace(path)


def _rows(
    trainings: dict[tuple[str, int], Measured], architectures: list[Architecture]
) -> list[dict[str, Any]]:
    order = {architecture.id: place for place, architecture in enumerate(architectures)}
    strangers = sorted({name for name, _ in trainings if name not in order})
    if strangers:
        message = f"{len(strangers)} architectures are not in the space, such as {strangers[0]}"
        raise InputError.of("journal", message)
    rows = []
    for name, seed in sorted(trainings, key=lambda key: (order[key[0]], key[1])):
        architecture = architectures[order[name]]
        costs = cost(architecture)
        rows.append(
            trainings[name, seed].to_dict()
            | {"architecture": architecture.to_json(), "params": costs.params, "macs": costs.macs}
        )
    return rows


def _metadata(spec: TableSpec, protocol: Protocol, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What the file says of itself, as JSON by name."""
    return {
        "protocol": protocol.to_dict(),
        "protocol_hash": protocol.hash,
        "data": spec.data.to_dict(),
        "space": spec.space_file.read_text(),
        "columns_for_searchers": list(SEARCH_COLUMNS),
        "columns_for_the_final_test_only": [TEST_COLUMN],
        "command": _command(spec),
        PLANNED: len(spec.trainings()),
        "written": f"{datetime.now(UTC):%Y-%m-%d}",
        "trained_on": sorted({row["device"] for row in rows}),
        "machine": f"{processor()}, {platform.system()}",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "pyarrow": pyarrow.__version__,
        },
    }


def _command(spec: TableSpec) -> str:
    variant = () if spec.variant is None else ("--variant", spec.variant)
    return " ".join([COMMAND, spec.name, *variant])
