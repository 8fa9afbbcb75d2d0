"""What a study of full trainings is asked for: whose networks, which, and with how many seeds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Planned:
    """A network that is trained in full.

    Attributes:
        architecture_id: of the network; trial: the number of the search's trial of it.
        seeds: how often it is trained, each time with seeds of its own.
    """

    architecture_id: str
    trial: int
    seeds: int


@dataclass(frozen=True, slots=True)
class RetrainingPlan:
    """The networks of one study that another one trains in full, in their order.

    Attributes:
        study: the name of the search. networks: each once.
    """

    study: str
    networks: tuple[Planned, ...]

    @classmethod
    def from_stored(cls, value: Mapping[str, Any] | None) -> Self | None:
        """What `to_stored` gave; None of a study that retrains none, or of an earlier release."""
        if value is None:
            return None
        networks = (Planned(n["architecture"], n["trial"], n["seeds"]) for n in value["networks"])
        return cls(value["study"], tuple(networks))

    def to_stored(self) -> dict[str, Any]:
        """Plain values."""
        networks = [
            {"architecture": each.architecture_id, "trial": each.trial, "seeds": each.seeds}
            for each in self.networks
        ]
        return {"study": self.study, "networks": networks}

    def with_more(self, wanted: Iterable[Planned]) -> Self:
        """This plan and more networks, or more seeds for its own: nothing is taken back."""
        found = {each.architecture_id: each for each in self.networks}
        for each in wanted:
            known = found.get(each.architecture_id)
            if known is None or known.seeds < each.seeds:
                trial = each.trial if known is None else known.trial
                found[each.architecture_id] = Planned(each.architecture_id, trial, each.seeds)
        return type(self)(self.study, tuple(found.values()))

    @property
    def seeds(self) -> int:
        """The most seeds that a network is to have; 1 without any network."""
        return max((each.seeds for each in self.networks), default=1)

    @property
    def trainings(self) -> int:
        """How many trainings it has in all."""
        return sum(each.seeds for each in self.networks)
