"""What is to be known of accuracies: what guessing scores, what data lack, which are optimistic."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from search.objectives import judged_by
from search.query.best_row import BestRow
from search.store.models import StudyRow
from search.store.store import Store
from space.wording import count, percent, some


def chance_sentence(objective: Mapping[str, Any]) -> str | None:
    """What guessing would score, which every accuracy is to be seen beside.

    Args:
        objective: of the stored study; that of a study of an earlier release does not tell.
    """
    told = objective.get("data")
    if not told:
        return None
    return (
        f"Guessing the commonest class scores {percent(told['chance'])} of the "
        f"{count(told['validation_images'], 'validation image')}."
    )


def chance_sentences(objectives: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """The same of several studies, by name: each sentence once, with the studies that it is of.

    Where it is of all of them their names are left out.
    """
    studies = list(objectives)
    named = defaultdict(list)
    for name, objective in studies:
        if (said := chance_sentence(objective)) is not None:
            named[said].append(name)
    return [
        said if len(names) == len(studies) else f"{some(names)}: {said}"
        for said, names in named.items()
    ]


def data_sentences(objective: Mapping[str, Any]) -> list[str]:
    """The same, and what was left out and is to be known; nothing where it is not told."""
    chance = chance_sentence(objective)
    if chance is None:
        return []
    return [chance, *(f"Data: {remark}." for remark in objective["data"]["remarks"])]


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


def accuracy_notes(
    store: Store, studies: Collection[str] | None = None, *, optimistic: bool = True
) -> list[str]:
    """What guessing scores in each study, and whose accuracies are optimistic.

    Args:
        store: where to look.
        studies: their names; None is all.
        optimistic: whether the latter is told too.
    """
    columns = select(StudyRow.name, StudyRow.objective, StudyRow.protocol).order_by(
        StudyRow.id.desc()
    )
    query = columns if studies is None else columns.where(StudyRow.name.in_(studies))
    rows: Any = store.read(lambda connection: connection.execute(query).all())
    said = chance_sentences((row.name, row.objective) for row in rows)
    biased = optimism_of((row.name, row.protocol) for row in rows) if optimistic else None
    return said if biased is None else [*said, biased]
