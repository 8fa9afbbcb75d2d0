"""Whether decoding keeps up with training: both rates of a trial, and what to change."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_ENOUGH = 1.1
"""How many times the network's rate the loader's must be, so that nothing waits."""
_FAR_BELOW = 3
"""So many times fewer images than were promised are worth a word."""
_TELLING_SECONDS = 10.0
"""A shorter epoch is the start of workers, above all."""
_OF_ONE_PROCESS = 10
"""The same where both take turns in one process: then decoding takes a tenth of the time."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Training images a second, measured for about a second each, one after the other.

    Pictures are chosen from small to large files, but few of a large set: the first epoch tells
    whether they stood for the others (`contradicted`).

    Attributes:
        loader: that are read, decoded and augmented, with so many `workers`.
        network: that go forward and back through the network, without the optimiser's step.
        workers: processes that decode; 0 is the process that trains.
        cores: of the machine, that this process may use.
        device: that trained, as torch calls it.
        pictures: that the loader's rate was measured on; 0 where that is not known.
    """

    loader: float
    network: float
    workers: int
    cores: int
    device: str
    pictures: int = 0

    @property
    def keeps_up(self) -> bool:
        """Whether training hardly waits for pictures."""
        return self.loader >= self.network * (_ENOUGH if self.workers else _OF_ONE_PROCESS)

    @property
    def enough_workers(self) -> int:
        """Workers with which it would keep up, if each does what one does now."""
        return math.ceil(_ENOUGH * self.network / self.loader * max(1, self.workers))

    def sentence(self) -> str:
        """Both rates, and what to change where training waits for pictures."""
        workers = f"{self.workers} workers" if self.workers != 1 else "1 worker"
        who = workers if self.workers else "the process that trains"
        measured = f", measured on {self.pictures:,}" if self.pictures else ""
        rates = (
            f"Loader: {_rate(self.loader)} images/s by {who}{measured}; the network takes "
            f"{_rate(self.network)} on {self.device}"
        )
        return f"{rates}: {self._advice()}."

    def contradicted(self, rate: float, seconds: float) -> str | None:
        """What an epoch tells that was far slower than these rates; None where it was not.

        Args:
            rate: training images a second of the epoch. seconds: that it took.
        """
        together = 1 / (1 / self.loader + 1 / self.network)
        promised = min(self.loader, self.network) if self.workers else together
        if seconds < _TELLING_SECONDS or rate * _FAR_BELOW > promised:
            return None
        return (
            f"warning: the first epoch trained {_rate(rate)} images/s, where {_rate(promised)} "
            "were to be expected of the rates above: other trials or programs take the cores, or "
            "some pictures take far longer than those that were measured; large ones are read "
            "quickly when they are stored at about protocol.augmentation.image_size"
        )

    def _advice(self) -> str:
        if self.keeps_up:
            return "it does not wait for pictures"
        most = max(1, self.cores - 1)
        if self.enough_workers <= most:
            wanted = self.enough_workers
            return f"raise data.workers to {wanted}, and resources.cpus_per_trial to {wanted + 1}"
        could = self.cores > 1 and most > self.workers
        larger = f"raise data.workers to {most}; " if could else ""
        return (
            f"{larger}the {self.cores} cores here decode too slowly: store the pictures at about "
            "protocol.augmentation.image_size, or train on a machine with more cores"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Throughput":
        """What `to_dict` made."""
        return cls(**values)


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"
