"""The working file of a table: one line of JSON for every finished training, never rewritten."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.table.measure import Measured

_TUPLES = ("validation_accuracy", "train_loss", "seconds")


class Journal:
    """Appends trainings to a file, and reads back those of one protocol.

    A line that a killed process left unfinished is passed over.

    Args:
        path: of the file; it need not be there yet.
        protocol_hash: trainings under another protocol are not read.
    """

    def __init__(self, path: Path, protocol_hash: str) -> None:
        self._path = path
        self._protocol_hash = protocol_hash

    def append(self, measured: Measured) -> None:
        """Write a training down; it is on the disk when this returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"protocol_hash": self._protocol_hash} | measured.to_dict())
        with self._path.open("ab+") as file:
            if file.tell() and not _ends_a_line(self._path):
                file.write(b"\n")
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> list[Measured]:
        """Every whole training of this protocol, the oldest first."""
        return list(self._whole()) if self._path.exists() else []

    def _whole(self) -> Iterator[Measured]:
        for line in self._path.read_text().splitlines():
            try:
                values: dict[str, Any] = json.loads(line)
            except json.JSONDecodeError:
                continue  # half a line: the process was killed while it wrote
            if values.pop("protocol_hash") == self._protocol_hash:
                yield Measured(**values | {name: tuple(values[name]) for name in _TUPLES})


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
