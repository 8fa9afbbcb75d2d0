"""What a worker measures before it trains, said to a person, and held against its first epoch."""

from collections.abc import Callable, Mapping
from typing import Any, get_args

from trainers.protocol import Decoded
from trainers.throughput import Throughput


class ThroughputPromise:
    """The images a second that one trial of a run has measured.

    Args:
        data: the name of the data set; images that are decoded on the way are worth measuring.
        say: tells a person.
    """

    def __init__(self, data: str, say: Callable[[str], None]) -> None:
        self._is_wanted = data in get_args(Decoded)
        self._say = say
        self._measured: Throughput | None = None
        self._promised_to: int | None = None

    def take_measuring(self) -> bool:
        """Whether the trial that is handed out now shall measure: the first does, and no other."""
        wanted, self._is_wanted = self._is_wanted, False
        return wanted

    def told(self, number: int, throughput: Mapping[str, Any] | None) -> None:
        """What trial `number` reports to have measured; the first to do so is believed."""
        if throughput is None or self._measured is not None:
            return
        self._measured = Throughput.from_dict(throughput)
        self._promised_to = number
        self._say(self._measured.sentence())

    def met_by(self, number: int, epoch: Mapping[str, Any]) -> None:
        """Say where the first epoch behind the measurement was far slower than that."""
        if number != self._promised_to or self._measured is None:
            return
        self._promised_to = None
        rate, seconds = epoch.get("images_per_second"), epoch.get("seconds")
        if not rate or not seconds:
            return
        said = self._measured.contradicted(float(rate), float(seconds))
        if said is not None:
            self._say(said)
