"""Says of which accuracies the best epoch was picked by the images that they are measured on."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from search.objectives import judged_by
from search.query.best import BestRow
from space.wording import some

OPTIMISTIC = (
    "are those of the best epoch of each training, chosen by the images that they are measured on: "
    "they are optimistic (protocol.judged_by: best)."
)


def optimism(rows: Sequence[BestRow]) -> str | None:
    """A sentence on the rows that are judged by their best epoch; None where there are none."""
    best = [row for row in rows if row.judged_by == "best"]
    return _said({row.study for row in best}, every=len(best) == len(rows))


def optimism_of(protocols: Iterable[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The same sentence on studies, by name and stored protocol, whose accuracies are shown."""
    rules = {name: judged_by(protocol) for name, protocol in protocols}
    best = {name for name, rule in rules.items() if rule == "best"}
    return _said(best, every=len(best) == len(rules))


def _said(studies: Collection[str], *, every: bool) -> str | None:
    if not studies:
        return None
    whose = "Accuracies" if every else f"Accuracies of {some(sorted(studies))}"
    return f"{whose} {OPTIMISTIC}"
