"""By what a search judged its candidates, and what that is worth as far as its own curves tell."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from search.fidelity import ENOUGH, Agreement, agreement
from search.fidelity.pairs import Floats, drawn
from search.objectives import judged_by
from search.query.conditions import conditions
from search.query.fidelity_proxies import accuracy_after
from search.query.full_trainings import FullTrainings, full_trainings
from search.query.trained_curves import CurvedTraining, with_curves
from search.store.store import Store

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
class ProxyWorth:
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
        """In one sentence: how, and what that is worth, or that it is not known."""
        conditions = self.conditions[0].upper() + self.conditions[1:]
        return f"{conditions} (of other trainings: not known here); {self._early}."

    @property
    def _early(self) -> str:
        if not self.stops:
            return "no trial was stopped early"
        after = " and ".join(str(each.epoch) for each in self.stops)
        stopped = f"trials were stopped after {after} epoch{'' if after == '1' else 's'}"
        if all(each.agreement.tau is None for each in self.stops):
            return (
                f"{stopped}, and what that is worth is not known: it takes {ENOUGH} trained to the "
                f"end, and {'there is' if self.complete == 1 else 'there are'} {self.complete}"
            )
        told = " and ".join(_words(each.agreement) for each in self.stops)
        return (
            f"{stopped}, whose order agrees with the last epoch's by Kendall's tau {told} "
            f"({self.complete:,} survivors)"
        )

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"sentence": self.sentence}


def _words(found: Agreement) -> str:
    if found.tau is None or found.low is None or found.high is None:
        return "unknown"
    return f"{found.tau:.2f} [{found.low:.2f}, {found.high:.2f}]"


def proxy_worth(store: Store, study: str) -> ProxyWorth:
    """How a study judged its candidates.

    Raises:
        InputError: an unknown study.
    """
    group = full_trainings(store, [study])[0]
    often = sorted(group.pruned, key=lambda epoch: (-group.pruned[epoch], epoch))[:_SHOWN]
    trainings = with_curves(store, group.trainings) if often else []
    stops = tuple(_stop(group, trainings, epoch) for epoch in sorted(often))
    return ProxyWorth(study, conditions(group.studies[0]), stops, len(group.trainings))


def _stop(group: FullTrainings, trainings: Sequence[CurvedTraining], epoch: int) -> Stop:
    rule = judged_by(group.protocol)
    early = [accuracy_after(training, epoch, rule) for training in trainings]
    last = np.array([training.accuracy for training in trainings], dtype=float)
    return Stop(epoch, group.pruned[epoch], _among_known(np.array(early, dtype=float), last))


def _among_known(early: Floats, last: Floats) -> Agreement:
    known = np.flatnonzero(np.isfinite(early))
    known = known[drawn(len(known))]
    return agreement(early[known], last[known])
