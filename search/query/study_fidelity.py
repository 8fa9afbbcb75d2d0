"""The fidelity ledger of studies: what early epochs, losses and sizes say of the last epoch.

Only complete trials of one protocol, and across protocols only where both studies are named: one
as the proxy of the other.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from search.fidelity import Ceiling, LedgerRow, Proxy, ledger
from search.objectives import judged_by
from search.query.accuracy_notes import optimism_of
from search.query.conditions import conditions
from search.query.fidelity_proxies import (
    ceiling_of,
    costs,
    of_curves,
    of_memory,
    pace,
    results,
    shown_epochs,
)
from search.query.full_trainings import FullTrainings, full_trainings
from search.query.trained_curves import with_curves
from search.store.store import Store
from space.errors import InputError
from space.surface import surface
from space.wording import count, some


@dataclass(frozen=True)
class StudyFidelity:
    """The ledger of one or several studies.

    Attributes:
        studies: their names.
        full: what proxies are held to, in words.
        protocol_hash: of the full trainings.
        rows: a row for each proxy; params and MACs are the last.
        ceiling: that seeds set.
        notes: what is to be known of it, a sentence each.
    """

    studies: tuple[str, ...]
    full: str
    protocol_hash: str
    rows: tuple[LedgerRow, ...]
    ceiling: Ceiling
    notes: tuple[str, ...]

    @property
    def offered(self) -> tuple[LedgerRow, ...]:
        """All but those that order the full results worse than params or MACs do."""
        return tuple(row for row in self.rows if row.beats_size != "no")

    @property
    def held_back(self) -> tuple[LedgerRow, ...]:
        """The others."""
        return tuple(row for row in self.rows if row.beats_size == "no")

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        rows = [asdict(row) | {"beats_size": row.beats_size} for row in self.rows]
        return asdict(self) | {"rows": rows}


_APART = (
    "The studies have several protocols: results of one say nothing of another's, so each has a "
    "ledger of its own.",
)


def study_fidelity(store: Store, studies: Sequence[str]) -> list[StudyFidelity]:
    """A ledger for each protocol of the studies, their earlier epochs and sizes being the proxies.

    Raises:
        InputError: an unknown study.
    """
    groups = full_trainings(store, studies)
    notes = _APART if len(groups) > 1 else ()
    return [_of_group(store, group, notes) for group in groups]


def _of_group(store: Store, group: FullTrainings, notes: Iterable[str]) -> StudyFidelity:
    trainings, rule = with_curves(store, group.trainings), judged_by(group.protocol)
    proxies = [
        *of_curves(trainings, shown_epochs(group), rule, costs(trainings, trainings)),
        *of_memory(store, group),
        Proxy("seconds an epoch", np.array([pace(each) for each in trainings])),
    ]
    return StudyFidelity(
        tuple(each.name for each in group.studies),
        f"validation accuracy after {count(group.epochs, 'epoch')}",
        group.studies[0].protocol_hash,
        tuple(ledger(results(trainings), proxies)),
        ceiling_of(trainings),
        (*notes, *_notes(group)),
    )


def paired_fidelity(store: Store, small: str, full: str) -> StudyFidelity:
    """The ledger of one study as the proxy of another: fewer epochs, smaller or fewer images.

    Networks are the same that differ by the size of images and the number of classes alone.

    Args:
        store: with both.
        small: the name of the study that is the proxy, full: of that which it is held to.

    Raises:
        InputError: an unknown study, both of one protocol, or no network that both have trained to
            the end.
    """
    cheap, whole = (full_trainings(store, [name])[0] for name in (small, full))
    if cheap.studies[0].protocol_hash == whole.studies[0].protocol_hash:
        message = f"{full!r} has the protocol of {small!r}: neither is a proxy of the other"
        raise InputError.of(surface().field("full"), message)
    by_key = {each.key: each for each in with_curves(store, cheap.trainings)}
    keyed = [(each.key, each) for each in with_curves(store, whole.trainings)]
    pairs = [(by_key[key], each) for key, each in keyed if key in by_key]
    if not pairs:
        message = f"no network was trained to the end in both {small!r} and {full!r}"
        raise InputError.of(surface().field("full"), message)
    proxied, trainings = zip(*pairs, strict=True)
    epochs = [*shown_epochs(cheap), cheap.epochs]
    proxies = of_curves(
        proxied, epochs, judged_by(cheap.protocol), costs(proxied, trainings), f" of {small}"
    )
    return StudyFidelity(
        (small, full),
        f"validation accuracy of {full}, after {count(whole.epochs, 'epoch')}",
        whole.studies[0].protocol_hash,
        tuple(ledger(results(trainings), proxies)),
        ceiling_of(trainings),
        (
            f"{small} was {conditions(cheap.studies[0])}, {full} {conditions(whole.studies[0])}; "
            f"{len(pairs):,} of {count(len(whole.trainings), 'network')} of {full} are in both.",
            *_notes(cheap),
            *_notes(whole),
        ),
    )


def _notes(group: FullTrainings) -> list[str]:
    names = [each.name for each in group.studies]
    notes = list(group.left_out)
    if stopped := sum(group.pruned.values()):
        verbs = "was stopped early and is" if stopped == 1 else "were stopped early and are"
        notes.append(
            f"Of {some(names)} {count(stopped, 'trial')} {verbs} not here. The others are "
            "survivors, chosen by their accuracies at earlier epochs: the correlations are theirs, "
            "and those among all candidates are not known, as a rule higher."
        )
    biased = optimism_of((each.name, each.protocol) for each in group.studies)
    return [*notes, *([] if biased is None else [biased])]
