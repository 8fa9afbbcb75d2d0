"""By what a search judged its candidates, and what that is worth as far as its own curves tell."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from search.fidelity import ENOUGH, Agreement, agreement
from search.fidelity.pairs import Floats, drawn
from search.objectives import judged_by
from search.query.conditions import conditions
from search.query.fidelity_proxies import accuracy_after
from search.query.full_trainings import FullTrainings, full_trainings
from search.store.store import Store
from space.wording import count

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Stop:
    """An epoch after which trials were stopped early.

    Attributes:
        epoch: from 1. trials: how many were.
        agreement: of the order then with that of the last epoch, among complete trials.
    """

    epoch: int
    trials: int
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Judging:
    """How a study judged.

    Attributes:
        study: its name.
        conditions: in words.
        stops: the epochs after which most trials were stopped, in order.
        complete: how many architectures were trained to the end.
    """

    study: str
    conditions: str
    stops: tuple[Stop, ...]
    complete: int

    @property
    def sentence(self) -> str:
        """Short: what is known, or that it is not."""
        return f"{self.conditions[0].upper()}{self.conditions[1:]}; {self._of_longer} {self._early}"

    @property
    def _of_longer(self) -> str:
        return (
            "what that says of other trainings is not known here "
            f"(`search fidelity {self.study} --full STUDY`)."
        )

    @property
    def _early(self) -> str:
        if not self.stops:
            return "No trial was stopped early."
        after = " and ".join(str(each.epoch) for each in self.stops)
        plural = "s" if self.stops[-1].epoch > 1 or len(self.stops) > 1 else ""
        told = [_words(each.agreement) for each in self.stops]
        if all(each.agreement.tau is None for each in self.stops):
            return (
                f"Trials were stopped after {after} epoch{plural}; what that is worth is not "
                f"known: {count(self.complete, 'network')} trained to the end, "
                f"and it takes {ENOUGH}."
            )
        return (
            f"Trials were stopped after {after} epoch{plural}: among the {self.complete} networks "
            f"trained to the end, which are survivors, the order then agrees with the last by "
            f"Kendall's tau {' and '.join(told)}."
        )

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"sentence": self.sentence}


def _words(found: Agreement) -> str:
    if found.tau is None or found.low is None or found.high is None:
        return "unknown"
    return f"{found.tau:.2f} [{found.low:.2f}, {found.high:.2f}]"


def judging(store: Store, study: str) -> Judging:
    """How a study judged its candidates.

    Raises:
        InputError: an unknown study.
    """
    group = full_trainings(store, [study])[0]
    often = sorted(group.pruned, key=lambda epoch: (-group.pruned[epoch], epoch))[:_SHOWN]
    stops = tuple(_stop(group, epoch) for epoch in sorted(often))
    return Judging(study, conditions(group.studies[0]), stops, len(group.trainings))


def _stop(group: FullTrainings, epoch: int) -> Stop:
    rule = judged_by(group.protocol)
    early = [accuracy_after(training, epoch, rule) for training in group.trainings]
    last = np.array([training.accuracy for training in group.trainings], dtype=float)
    return Stop(epoch, group.pruned[epoch], _among_known(np.array(early, dtype=float), last))


def _among_known(early: Floats, last: Floats) -> Agreement:
    known = np.flatnonzero(np.isfinite(early))
    known = known[drawn(len(known))]
    return agreement(early[known], last[known])
