"""A training whose accuracies follow from the architecture alone, wherever it runs."""

import random
from collections.abc import Mapping
from typing import Any

from space import Architecture
from tests.search.driving import accuracy
from trainers import EpochResult

EPOCHS = 9


def accuracies_of(id_: str) -> list[float]:
    """Of its epochs; of some architectures the best is not the last, some break off after four."""
    late = 3 if accuracy(id_, 1) > 0.06 else EPOCHS
    found = [accuracy(id_, late if epoch == EPOCHS else epoch) for epoch in range(1, EPOCHS + 1)]
    return found[:4] if random.Random(f"{id_} breaks").random() < 0.2 else found


class Broken(RuntimeError):
    """A training broke off."""


class MadeUpTraining:
    """Reports at once."""

    def __init__(self, accuracies: list[float]) -> None:
        self.history: tuple[EpochResult, ...] = ()
        self._accuracies = accuracies

    @property
    def done(self) -> bool:
        return len(self.history) == EPOCHS

    def run_epoch(self) -> EpochResult:
        epoch = len(self.history) + 1
        if epoch > len(self._accuracies):
            raise Broken("it was made up so")
        result = EpochResult(epoch, 1.0, 1.0, self._accuracies[epoch - 1], 0.1, 0.0, 0.0)
        self.history += (result,)
        return result


def make_training(config: Mapping[str, Any]) -> MadeUpTraining:
    """In place of the real training of an assignment."""
    return MadeUpTraining(accuracies_of(Architecture.from_json(config["architecture"]).id))
