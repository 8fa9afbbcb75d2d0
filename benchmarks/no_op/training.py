"""A training that does nothing but report an accuracy."""

import hashlib
from collections.abc import Mapping
from typing import Any

from trainers import EpochResult


def accuracy_of(text: str) -> float:
    """A made-up accuracy, 0 to 1, always the same for the same text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32


class NoOpTraining:
    """One epoch without any computation."""

    def __init__(self, accuracy: float) -> None:
        self.history: tuple[EpochResult, ...] = ()
        self._accuracy = accuracy

    @property
    def done(self) -> bool:
        """After its only epoch."""
        return bool(self.history)

    def run_epoch(self) -> EpochResult:
        """Report at once."""
        result = EpochResult(1, 1.0, 1.0, self._accuracy, 0.1, 0.0, 0.0)
        self.history += (result,)
        return result


def make_training(config: Mapping[str, Any]) -> NoOpTraining:
    """In place of the real training of an assignment."""
    return NoOpTraining(accuracy_of(config["architecture"]))
