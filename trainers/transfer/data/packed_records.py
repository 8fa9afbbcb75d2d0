"""Many small values in one array, so that worker processes share it instead of copying it."""

import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PackedRecords:
    """Plain values by number, kept as JSON.

    Python counts references in every object that it looks at, so that a list of a million
    annotations would be copied into each worker, page by page; one array is not.

    Args:
        records: plain values, as JSON has them.
    """

    def __init__(self, records: Iterable[Any]) -> None:
        self._keep(json.dumps(record, separators=(",", ":")).encode() for record in records)

    def _keep(self, records: Iterable[bytes]) -> None:
        texts = list(records)
        self._ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
        self._bytes: NDArray[np.uint8] = np.frombuffer(b"".join(texts), np.uint8)

    def __len__(self) -> int:
        return len(self._ends)

    def text(self, number: int) -> bytes:
        """A record as it is kept: equal ones are equal."""
        start = int(self._ends[number - 1]) if number else 0
        return self._bytes[start : int(self._ends[number])].tobytes()

    def only(self, numbers: Iterable[int]) -> "PackedRecords":
        """Some of them, in the given order."""
        found = PackedRecords(())
        found._keep(self.text(number) for number in numbers)
        return found

    def __getitem__(self, number: int) -> Any:
        if not 0 <= number < len(self):  # so that iteration comes to an end
            raise IndexError(number)
        return json.loads(self.text(number))
