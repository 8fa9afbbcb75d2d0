"""The seeds of the trials of a study."""

from dataclasses import dataclass
from typing import Self

from search.config import Config
from trainers import Protocol, Seeds
from trainers.seeds import derive


@dataclass(frozen=True, slots=True)
class TrialSeeds:
    """Gives every trial its seeds; nothing but these numbers and the architecture decides them.

    Attributes:
        protocol: whose seed policy says whether architectures share their seeds.
        initialisation, data_order: seeds of the study.
    """

    protocol: Protocol
    initialisation: int
    data_order: int

    @classmethod
    def from_config(cls, config: Config, protocol: Protocol) -> Self:
        """Those of a configuration: its own seeds where it has them, else the one seed."""
        own = config.seeds
        return cls(
            protocol,
            config.seed if own.initialisation is None else own.initialisation,
            config.seed if own.data_order is None else own.data_order,
        )

    def of(self, architecture_id: str, repeat: int) -> dict[str, int]:
        """The seeds of a trial, as the store keeps them; a repeat has others than the first."""
        first = self._seeds(self.initialisation, architecture_id, repeat)
        second = self._seeds(self.data_order, architecture_id, repeat)
        return {"initialisation": first.initialisation, "data_order": second.data_order}

    def _seeds(self, seed: int, architecture_id: str, repeat: int) -> Seeds:
        own = seed if repeat == 0 else derive(seed, "repeat", repeat)
        return self.protocol.seeds(own, architecture_id)
