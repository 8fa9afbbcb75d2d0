"""Reads the table: what searchers may know of it, and apart from that its final test."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import pyarrow.parquet
import yaml

from benchmarks.table.columns import SEARCH_COLUMNS, TEST_COLUMN
from benchmarks.table.spec import LONGER
from search.objectives import JudgedBy, judged_accuracy, judged_by
from space import Architecture, DesignSpace
from space.architecture import RENAMED
from space.errors import InputError
from space.input.earlier_names import with_current_names
from trainers.data.held_out_test import refuse_if_locked


def shipped_table(name: str) -> Path:
    """The file of a table that comes with the project."""
    return Path(__file__).parent / f"{name}.parquet"


TABLE = shipped_table("fashion-cells")
"""Every cell of the algebra: what searchers are replayed on."""


def variant_table(path: Path, variant: str) -> Path:
    """The file beside a table that has some of its architectures, trained by another protocol."""
    return path.with_stem(f"{path.stem}-{variant}")


def longer_table(path: Path = TABLE) -> Path:
    """The file beside a table that has longer trainings of some of its architectures."""
    return variant_table(path, LONGER)


@dataclass(frozen=True, slots=True)
class Training:
    """One training, without its final test.

    Attributes:
        validation_accuracy: after every epoch, 0 to 1; fewer than all epochs where it failed.
        train_loss: mean over every epoch.
        seconds: of training and validation, every epoch.
        device: where it ran.
        failure: why it broke off, else None.
        judged_by: which epoch it is judged by, as the table's protocol says.
    """

    validation_accuracy: tuple[float, ...]
    train_loss: tuple[float, ...]
    seconds: tuple[float, ...]
    device: str
    failure: str | None
    judged_by: JudgedBy = "last"

    @property
    def accuracy(self) -> float:
        """The validation accuracy, as a study judges it; 0 for a training that failed."""
        return self.judged(self.validation_accuracy) if self.failure is None else 0.0

    def judged(self, accuracies: Sequence[float]) -> float:
        """What the accuracies of its first epochs come to; 0 of none."""
        return judged_accuracy(accuracies, self.judged_by) or 0.0


class TabularBenchmark:
    """The trainings of a table, by architecture and seed. The test column is not even loaded.

    Attributes:
        metadata: what the file says of itself, such as its protocol.
        architectures: every trained architecture by its id, in the order of the space.
        known: its "params" and "macs", by id.

    Args:
        path: of the file.
        protocol_hash: of the protocol that the caller means; another table is refused.

    Raises:
        InputError: there is no such file, it is no table, or it is of another protocol.
    """

    def __init__(self, path: Path = TABLE, protocol_hash: str | None = None) -> None:
        self.metadata = read_metadata(path)
        _refuse_other_protocol(self.metadata, protocol_hash)
        self.architectures: dict[str, Architecture] = {}
        self.known: dict[str, dict[str, float]] = {}
        self._trainings: dict[str, dict[int, Training]] = {}
        columns = list(SEARCH_COLUMNS)
        for row in pyarrow.parquet.read_table(path, columns=columns).to_pylist():
            self._add(row)

    def _add(self, row: dict[str, Any]) -> None:
        name = row["architecture_id"]
        if name not in self.architectures:
            self.architectures[name] = Architecture.from_json(row["architecture"])
            self.known[name] = {"params": float(row["params"]), "macs": float(row["macs"])}
        self._trainings.setdefault(name, {})[row["seed"]] = Training(
            tuple(row["validation_accuracy"]),
            tuple(row["train_loss"]),
            tuple(row["seconds"]),
            row["device"],
            row["failure"],
            self.judged_by,
        )

    @property
    def judged_by(self) -> JudgedBy:
        """Which epoch a training is judged by."""
        return judged_by(self.metadata["protocol"])

    @property
    def epochs(self) -> int:
        """Of a whole training."""
        return int(self.metadata["protocol"]["epochs"])

    def space(self) -> DesignSpace:
        """The space that the architectures are of; it may have more than the table."""
        space = yaml.safe_load(self.metadata["space"])
        return DesignSpace.from_dict(with_current_names(space, RENAMED, "space"))

    def trainings(self, architecture_id: str) -> dict[int, Training]:
        """The trainings of an architecture by study seed.

        Raises:
            KeyError: the table does not have it.
        """
        return self._trainings[architecture_id]

    def mean_accuracy(self, architecture_id: str) -> float:
        """Validation accuracy as a study judges it, mean over the seeds that there are."""
        return mean(each.accuracy for each in self._trainings[architecture_id].values())

    def seconds(self, architecture_id: str) -> float:
        """Of a whole training, mean over the seeds that there are."""
        return mean(math.fsum(t.seconds) for t in self._trainings[architecture_id].values())


def final_test_accuracy(
    architecture_id: str, record: Callable[[dict[str, Any]], object], path: Path = TABLE
) -> dict[int, float | None]:
    """Accuracy of a finished architecture on the test split, by study seed; None where it failed.

    Args:
        architecture_id: which.
        record: called with what is going to be read before anything is; if it raises, nothing is.
        path: of the file.

    Raises:
        TestSplitLocked: while a search is running in this process or in a parent.
        InputError: there is no such table, or it does not have the architecture.
    """
    refuse_if_locked()
    protocol_hash = read_metadata(path)["protocol_hash"]
    record({"architecture_id": architecture_id, "protocol_hash": protocol_hash})
    wanted = pyarrow.parquet.read_table(
        path,
        columns=["architecture_id", "seed", TEST_COLUMN],
        filters=[("architecture_id", "=", architecture_id)],
    ).to_pylist()
    if not wanted:
        raise InputError.of("architecture_id", f"the table does not have {architecture_id!r}")
    return {row["seed"]: row[TEST_COLUMN] for row in wanted}


def read_metadata(path: Path) -> dict[str, Any]:
    """What a table's file says of itself.

    Raises:
        InputError: there is no such file, or it is no table.
    """
    if not path.is_file():
        raise InputError.of("table", f"there is no file {path}; benchmarks.make_table makes it")
    try:
        found = pyarrow.parquet.read_schema(path)
    except pyarrow.ArrowInvalid as error:
        raise InputError.of("table", f"{path} is not a Parquet file: {error}") from None
    metadata = found.metadata or {}
    if b"protocol_hash" not in metadata or not set(SEARCH_COLUMNS) <= set(found.names):
        raise InputError.of("table", f"{path} is not a table of trainings")
    own = {key.decode(): value for key, value in metadata.items() if b":" not in key}
    return {key: json.loads(value) for key, value in own.items() if key != "pandas"}


def _refuse_other_protocol(metadata: dict[str, Any], wanted: str | None) -> None:
    found = metadata["protocol_hash"]
    if wanted is not None and wanted != found:
        message = f"its trainings are under protocol {found}, not under {wanted}"
        raise InputError.of("table", message)
