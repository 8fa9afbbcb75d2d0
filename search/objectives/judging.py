"""Which epoch's metrics are those of a trial: one rule for all who ask.

It is a field of the protocol, since results that are judged by different epochs do not compare.
`search.store.epochs` keeps the accuracy of every trial by the same rule.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from search.objectives.objectives import Objectives, Values

JudgedBy = Literal["last", "best"]

Best = Mapping[str, Callable[[Iterable[float]], float]]
"""The best of several epochs, metric by metric."""

BEST_MEASURED: Best = {"validation_accuracy": max, "validation_loss": min}
"""Of the metrics that every training measures, as the store keeps them, whatever a study is for."""


def best_for(objectives: Objectives) -> Best:
    """Of every metric that the objectives, or a bound on one side, tell which end is better."""
    bounds = {
        each.name: min if each.lower is None else max
        for each in objectives.constraints
        if (each.lower is None) != (each.upper is None)
    }
    wanted = {each.name: max if each.sign > 0 else min for each in objectives}
    return {**bounds, **BEST_MEASURED, **wanted}


def unkept(objectives: Objectives) -> list[str]:
    """The objectives of which the store would keep the other end, as the best of several epochs."""
    best = best_for(objectives)
    return [name for name, kept in BEST_MEASURED.items() if best[name] is not kept]


def judged_by(protocol: Mapping[str, Any]) -> JudgedBy:
    """The rule of a stored protocol; in earlier releases, which had no such field, the best."""
    return "last" if protocol.get("judged_by", "best") == "last" else "best"


def judged_values(
    curve: Mapping[int, Values], rule: JudgedBy, best: Best = BEST_MEASURED
) -> Values:
    """The metrics that a trial is judged by, of all that its epochs have; empty before the first.

    Args:
        curve: the metrics by epoch; those that are not finite are left out of it.
        rule: "last" takes what the last epoch has, "best" of every measured metric the best.
        best: which value of several is; of metrics that it does not name the last that there is.
    """
    if not curve:
        return {}
    if rule == "last":
        return dict(curve[max(curve)])
    latest = {name: value for epoch in sorted(curve) for name, value in curve[epoch].items()}
    found = {}
    for name, best_of in best.items():
        values = [metrics[name] for metrics in curve.values() if name in metrics]
        if values:
            found[name] = best_of(values)
    return latest | found


def judged_accuracy(accuracies: Sequence[float | None], rule: JudgedBy) -> float | None:
    """The same of accuracies alone, from the first epoch on; None before it.

    Args:
        accuracies: of every epoch; one that is missing or not finite is none.
        rule: as above.
    """
    curve = {
        epoch: {} if each is None or not math.isfinite(each) else {"validation_accuracy": each}
        for epoch, each in enumerate(accuracies, 1)
    }
    return judged_values(curve, rule).get("validation_accuracy")
