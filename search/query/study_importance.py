"""How much of what sets accuracies apart each axis explains, in studies of one protocol."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from search.effects import AxisShares, axis_shares, axis_values, drawn
from search.query.conditions import conditions
from search.query.full_trainings import FullTrainings, full_trainings
from search.query.study_effects import known
from search.query.where import Where
from search.store.store import Store
from space.architecture import Architecture
from space.errors import InputError
from space.wording import count, percent


@dataclass(frozen=True)
class StudyImportance:
    """The importance of each axis among the networks of one protocol.

    Attributes:
        studies: names of the studies, or of the file.
        judged: under what conditions the networks were trained.
        shares: of the axes, and of pairs of them.
        notes: what is to be known of them, a sentence each.
    """

    studies: tuple[str, ...]
    judged: str
    shares: AxisShares
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For JSON, and rows of a table in `axes` and `together`; what is not known is None."""
        found = asdict(self)
        shares = found.pop("shares")
        for name in ("axes", "together"):
            shares[name] = [known(row) for row in shares[name]]
        return {**found, **known(shares)}


def study_importance(
    store: Store, studies: Sequence[str], *, where: Where | str | None = None
) -> list[StudyImportance]:
    """The importance of the axes, for each protocol of the studies apart.

    It is of complete trainings from scratch; a network that was trained several times counts with
    the mean.

    Args:
        store: with them.
        studies: their names.
        where: only trainings that fulfil this clause; a note says what it leaves out.

    Raises:
        InputError: an unknown study, or a malformed clause.
    """
    return [_of_group(group) for group in full_trainings(store, studies, where=where)]


def _of_group(group: FullTrainings) -> StudyImportance:
    names = tuple(study.name for study in group.studies)
    trained = {
        each.architecture: float(np.mean([each.accuracy, *each.others])) for each in group.trainings
    }
    return importance_of(names, conditions(group.studies[0]), trained, group.left_out)


def importance_of(
    names: tuple[str, ...],
    judged: str,
    trained: dict[str, float],
    notes: Sequence[str] = (),
) -> StudyImportance:
    """The importance of the axes among networks that were trained by one protocol.

    Args:
        names: whose networks they are.
        judged: under what conditions they were trained.
        trained: accuracies, 0 to 1, by the JSON of the network.
        notes: what is to be known besides.
    """
    networks, accuracies = [], []
    every = [*trained.items()]
    looked_at = [every[place] for place in drawn(len(every))]  # to read a network takes long
    for text, accuracy in looked_at:
        network = _read(text)
        if network is not None:
            networks.append(network)
            accuracies.append(accuracy)
    unread = len(looked_at) - len(networks)
    shares = axis_shares(axis_values(networks), accuracies, len(trained) - unread)
    more = [f"Left out: {count(unread, 'network')} with a mixer that is not known here."]
    said = [*notes, *(more if unread else []), *_said(shares)]
    return StudyImportance(names, judged, shares, tuple(said))


def _read(text: str) -> Architecture | None:
    """None of a network that cannot be read: here its mixer's name is that of another."""
    try:
        return Architecture.from_json(text)
    except InputError:
        return None


def _said(shares: AxisShares) -> list[str]:
    said = []
    if shares.networks < shares.total:
        said.append(f"Of {shares.total:,} networks {shares.networks:,} were drawn for it.")
    if shares.networks < shares.needed:
        return [
            *said,
            f"{count(shares.networks, 'network')} cannot tell the importance of the axes: "
            f"{shares.needed:,} are needed, two for each number that the values of all axes take.",
        ]
    said.append(
        f"All axes, each by itself, explain {percent(shares.explained)} of the variance of "
        f"accuracies over {count(shares.networks, 'network')}; the rest is of seeds and of what "
        "axes do together."
    )
    pairs = count(shares.pairs, "pair")
    named = ", ".join(each.axis for each in shares.together)
    said.append(
        f"Of {pairs} of axes that were tested for more than that, "
        + (f"these have it for certain: {named}." if named else "none has it for certain.")
    )
    return [*said, _OF_THESE]


_OF_THESE = (
    "A share is of the networks that were tried: of an axis that a searcher settled early, or that "
    "the space bounds narrowly, it is small."
)
