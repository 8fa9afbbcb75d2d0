"""Curves and families of full trainings: what proxies are held to, and what they are read from."""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields

from search.query.full_trainings import FullTraining, of_ids
from search.store.models import ArchitectureMixerRow
from search.store.records import EpochRecord
from search.store.store import Store


@dataclass(frozen=True)
class CurvedTraining(FullTraining):
    """A full training with its epochs.

    Attributes:
        family: the localities and dynamics of its token mixers, such as "sliding static".
        curve: its epochs, in order.
    """

    family: str
    curve: tuple[EpochRecord, ...]

    @property
    def key(self) -> str:
        """The same for architectures that differ by the images and the classes alone."""
        values = json.loads(self.architecture)
        head = {name: each for name, each in values["head"].items() if name != "classes"}
        network = {name: each for name, each in values.items() if name != "input"}
        return json.dumps(network | {"head": head})


def with_curves(store: Store, trainings: Sequence[FullTraining]) -> list[CurvedTraining]:
    """The same trainings with their curves and families."""
    curves = store.epochs.of_trials([each.trial_id for each in trainings])
    families = _families(store, {each.architecture_id for each in trainings})
    names = [field.name for field in fields(FullTraining)]
    return [
        CurvedTraining(
            **{name: getattr(each, name) for name in names},
            family=families[each.architecture_id],
            curve=tuple(curves[each.trial_id]),
        )
        for each in trainings
    ]


def _families(store: Store, ids: Collection[str]) -> dict[str, str]:
    mixer = ArchitectureMixerRow
    found: dict[str, set[str]] = defaultdict(set)
    columns = (mixer.architecture_id, mixer.locality, mixer.dynamics)
    for id_, locality, dynamics in of_ids(store, mixer.architecture_id, ids, *columns):
        found[id_].add(f"{locality} {dynamics}")
    return {id_: " + ".join(sorted(names)) for id_, names in found.items()}
