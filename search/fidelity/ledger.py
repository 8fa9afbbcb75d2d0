"""The fidelity ledger: what every proxy says of full training, a row each.

A proxy is whatever is known before a full training is over: the accuracy of an earlier epoch, the
number of parameters, a training on fewer images. Sizes are the least that it is held to: what does
not order the full results better than params or MACs do is not worth its cost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from search.fidelity.agreement import (
    Agreement,
    Difference,
    agreement,
    agreement_of,
    difference,
    spearman,
)
from search.fidelity.ceiling import in_top_decile
from search.fidelity.pairs import Floats, PairCounts, count_pairs, drawn
from search.fidelity.top_picks import TopPick, top_picks
from search.fidelity.without_size import without_size
from space.errors import InputError, Problem, refuse

SIZES = ("params", "macs")
"""The names of the proxies that all others are held to."""


@dataclass(frozen=True)
class FullResults:
    """What full trainings of n architectures came to.

    Attributes:
        accuracy: (n,) finite, higher is better; of one training each.
        families: (n,) names of operator families.
        params, macs: (n,).
        again: (n,) accuracy of another training with other seeds; NaN where there is none.

    Raises:
        InputError: lengths that differ, or an accuracy that is not finite.
    """

    accuracy: Floats
    families: Sequence[str]
    params: Floats
    macs: Floats
    again: Floats

    def __post_init__(self) -> None:
        number = len(self.accuracy)
        parts = {name: getattr(self, name) for name in ("families", "params", "macs", "again")}
        refuse(
            Problem(name, f"must have a value for each of {number} results; got {len(values)}")
            for name, values in parts.items()
            if len(values) != number
        )
        if not np.isfinite(self.accuracy).all():
            raise InputError.of("accuracy", "must be finite")

    def __len__(self) -> int:
        return len(self.accuracy)

    def only(self, chosen: np.ndarray) -> "FullResults":
        """Those of some architectures, by their positions."""
        families = [self.families[place] for place in chosen]
        rest = (self.params[chosen], self.macs[chosen], self.again[chosen])
        return FullResults(self.accuracy[chosen], families, *rest)


@dataclass(frozen=True)
class Proxy:
    """What is known of each architecture before its full training is over.

    Attributes:
        name: for people, such as "accuracy after 3 epochs"; of the sizes one of `SIZES`.
        values: (n,), NaN where it is not known.
        cost: share of a full training that it takes, 0 to 1; None where that is not known.
        lower_is_better: as of a loss.
    """

    name: str
    values: Floats
    cost: float | None = None
    lower_is_better: bool = False


@dataclass(frozen=True)
class LedgerRow:
    """What one proxy says of full training.

    Attributes:
        proxy: its name. cost: as there. n: architectures that have it.
        overall: agreement with the full results.
        spearman: the same by Spearman's rank correlation.
        top_decile: among the best tenth of the full results, with all that equal the last of it.
        within, between: over pairs of one operator family, and of two.
        without_size: after log params and log MACs are taken out; None of these themselves.
        other_seed: agreement with another training of the same architectures.
        picks: what choosing by it costs.
        over_size: how much better it orders than the better of params and MACs; None of these
            themselves, and where it cannot be told.
    """

    proxy: str
    cost: float | None
    n: int
    overall: Agreement
    spearman: float | None
    top_decile: Agreement
    within: Agreement
    between: Agreement
    without_size: Agreement | None
    other_seed: Agreement
    picks: tuple[TopPick, ...]
    over_size: Difference | None

    @property
    def beats_size(self) -> str:
        """ "yes", "no" or "cannot tell"; "" of params and MACs themselves."""
        if self.proxy in SIZES:
            return ""
        return "cannot tell" if self.over_size is None else self.over_size.verdict


def ledger(
    results: FullResults, proxies: Sequence[Proxy], sets: int | None = None
) -> list[LedgerRow]:
    """A row for each proxy, in their order; params and MACs come last.

    Args:
        results: of n architectures.
        proxies: with a value for each of them; the sizes are not among them.
        sets: as of `top_picks`.

    Raises:
        InputError: a proxy with another number of values.
    """
    refuse(
        Problem(each.name, f"must have {len(results)} values; got {len(each.values)}")
        for each in proxies
        if len(each.values) != len(results)
    )
    sizes = [Proxy(name, getattr(results, name), 0.0) for name in SIZES]
    return [_row(results, proxy, sets) for proxy in [*proxies, *sizes]]


def _row(every: FullResults, proxy: Proxy, sets: int | None) -> LedgerRow:
    known = np.flatnonzero(np.isfinite(proxy.values))
    results = every.only(known)
    values = -proxy.values[known] if proxy.lower_is_better else proxy.values[known]
    points = drawn(len(known))
    some, shown = results.only(points), values[points]
    counts, within = count_pairs(shown, some.accuracy, some.families)
    best, again = in_top_decile(results.accuracy), np.isfinite(results.again)
    is_size = proxy.name in SIZES
    return LedgerRow(
        proxy.name,
        proxy.cost,
        len(known),
        agreement_of(counts),
        spearman(values, results.accuracy),
        _drawn_agreement(values[best], results.accuracy[best]),
        agreement_of(within),
        agreement_of(counts - within),
        None if is_size else without_size(shown, some.accuracy, some.params, some.macs),
        _drawn_agreement(values[again], results.again[again]),
        top_picks(values, results.accuracy, sets),
        None if is_size else _over_size(counts, some),
    )


def _drawn_agreement(values: Floats, full: Floats) -> Agreement:
    points = drawn(len(full))
    return agreement(values[points], full[points])


def _over_size(counts: PairCounts, results: FullResults) -> Difference | None:
    sizes = [count_pairs(getattr(results, name), results.accuracy)[0] for name in SIZES]
    told = [each for each in sizes if np.isfinite(each.tau)]
    return difference(counts, max(told, key=lambda each: abs(each.tau))) if told else None
