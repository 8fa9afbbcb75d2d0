"""What a study's data leave to be known, in sentences."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

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
