"""Proxies of full trainings: their earlier epochs, what their networks hold, how fast they went."""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median

import numpy as np

from search.fidelity import Ceiling, FullResults, Proxy, ceiling
from search.fidelity.pairs import Floats
from search.metrics import MEMORY_METRICS, analytic_metrics
from search.objectives import JudgedBy, judged_accuracy
from search.query.evaluated import architecture_texts
from search.query.full_trainings import FullTrainings
from search.query.repeats import pooled
from search.query.trained_curves import CurvedTraining
from search.store.store import Store
from space.architecture import Architecture
from space.errors import InputError
from space.wording import count

_EPOCHS = 12
_FREEDOM = 5
"""Degrees of freedom from which on a standard deviation over seeds is used."""


def results(trainings: Sequence[CurvedTraining]) -> FullResults:
    """What proxies are held to."""
    return FullResults(
        _column(each.accuracy for each in trainings),
        [each.family for each in trainings],
        _column(each.params for each in trainings),
        _column(each.macs for each in trainings),
        _column(each.others[0] if each.others else None for each in trainings),
    )


def _column(values: Iterable[float | None]) -> Floats:
    """(n,), NaN where there is none."""
    return np.array([math.nan if each is None else each for each in values], dtype=float)


def accuracy_after(training: CurvedTraining, epoch: int, rule: JudgedBy) -> float | None:
    """By which the training would have been judged then."""
    return judged_accuracy([one.validation_accuracy for one in training.curve[:epoch]], rule)


def of_curves(
    trainings: Sequence[CurvedTraining],
    epochs: Sequence[int],
    rule: JudgedBy,
    costs: Callable[[int], float | None],
    whose: str = "",
) -> list[Proxy]:
    """Accuracies, and losses in training, after some of the epochs."""
    found = []
    for epoch in epochs:
        after = f"after {count(epoch, 'epoch')}{whose}"
        accuracies = _column(accuracy_after(each, epoch, rule) for each in trainings)
        losses = _column(each.curve[epoch - 1].train_loss for each in trainings)
        found += [
            Proxy(f"accuracy {after}", accuracies, costs(epoch)),
            Proxy(f"train loss {after}", losses, costs(epoch), lower_is_better=True),
        ]
    return found


def shown_epochs(group: FullTrainings) -> list[int]:
    """All before the last where they are few; else some, and those at which trials were stopped."""
    last = group.epochs
    if last <= _EPOCHS + 1:
        return list(range(1, last))
    spread = {round(last ** (step / _EPOCHS)) for step in range(_EPOCHS)}
    often = sorted(group.pruned, key=lambda epoch: -group.pruned[epoch])[:4]
    return sorted(epoch for epoch in spread.union(often) if 0 < epoch < last)


def costs(
    proxied: Sequence[CurvedTraining], full: Sequence[CurvedTraining]
) -> Callable[[int], float | None]:
    """The share of the seconds of a full training that so many epochs took, in the median."""
    seconds = [[one.seconds for one in each.curve] for each in proxied]
    whole = [sum(one.seconds or 0.0 for one in each.curve) for each in full]

    def cost(epoch: int) -> float | None:
        shares = [
            sum(each or 0.0 for each in spent[:epoch]) / total
            for spent, total in zip(seconds, whole, strict=True)
            if total > 0
        ]
        return median(shares) if shares else None

    return cost


def pace(training: CurvedTraining) -> float:
    """Seconds of an epoch, in the median; NaN where the store does not tell."""
    known = [one.seconds for one in training.curve if one.seconds is not None]
    return median(known) if known else math.nan


def of_memory(store: Store, group: FullTrainings) -> list[Proxy]:
    """Activations of one image; none where the store has a mixer that is not registered here."""
    texts: dict[str, str] = {}
    for study in group.studies:
        texts |= architecture_texts(store, study.name)
    known = analytic_metrics(MEMORY_METRICS)
    try:
        found = [known(Architecture.from_json(texts[t.architecture_id])) for t in group.trainings]
    except InputError:
        return []
    return [
        Proxy(name, np.array([values[name] for values in found]), 0.0) for name in MEMORY_METRICS
    ]


def ceiling_of(trainings: Sequence[CurvedTraining]) -> Ceiling:
    """That the seeds of these trainings set."""
    spread = pooled([(each.accuracy, *each.others) for each in trainings])
    known = None if spread is None or spread.freedom < _FREEDOM else spread.deviation
    full = results(trainings)
    return ceiling(full.accuracy, full.again, known)
