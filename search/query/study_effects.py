"""What each design decision does, by the full trainings of studies of one protocol."""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from search.effects import MARGIN, Effect, SeedSpread, TrainedNetwork, move_effects
from search.metrics import analytic_metrics
from search.query.accuracy_notes import optimism_of
from search.query.conditions import conditions
from search.query.full_trainings import FullTraining, FullTrainings, full_trainings
from search.query.repeats import Spread, pooled
from search.query.where import Where
from search.store.store import Store
from space.architecture import Architecture
from space.errors import InputError
from space.wording import count

COSTS = ("params", "macs", "training_bytes", "seconds")
"""Of an image, but for params; seconds are those of a whole training."""


@dataclass(frozen=True)
class StudyEffects:
    """The effects of all moves between the networks of one protocol.

    Attributes:
        studies: names of the studies, or of the file.
        judged: under what conditions the networks were trained.
        networks: how many.
        effects: edges of the paper's graph first, then axes, types, sizes and block types.
        notes: what is to be known of them, a sentence each.
    """

    studies: tuple[str, ...]
    judged: str
    networks: int
    effects: tuple[Effect, ...]
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For JSON; what is not known is None."""
        rows = [asdict(each) | {"name": each.move.name} for each in self.effects]
        return asdict(self) | {"effects": [known(row) for row in rows]}


def known(value: Any) -> Any:
    """The same with None for every number of a dictionary that is not known."""
    if isinstance(value, dict):
        return {name: known(each) for name, each in value.items()}
    return None if isinstance(value, float) and math.isnan(value) else value


def study_effects(
    store: Store,
    studies: Sequence[str],
    *,
    where: Where | str | None = None,
    margin: float = MARGIN,
) -> list[StudyEffects]:
    """The effects of moves, for each protocol of the studies apart.

    Args:
        store: with them.
        studies: their names.
        where: only trainings that fulfil this clause; a note says what it leaves out.
        margin: a difference of accuracies (0 to 1) that matters to nobody.

    Raises:
        InputError: an unknown study, or a malformed clause.
    """
    groups = full_trainings(store, studies, where=where)
    notes = _APART if len(groups) > 1 else ()
    return [_of_group(group, margin, notes) for group in groups]


_APART = (
    "The studies have several protocols: a difference between results of two is none of the "
    "networks', so each has effects of its own.",
)


def _of_group(group: FullTrainings, margin: float, notes: tuple[str, ...]) -> StudyEffects:
    networks = [_network(training) for training in group.trainings]
    said = [*notes, *group.left_out]
    optimism = optimism_of((study.name, study.protocol) for study in group.studies)
    if optimism is not None:
        said.append(optimism)
    names = tuple(study.name for study in group.studies)
    return effects_of(names, conditions(group.studies[0]), networks, margin, said)


def effects_of(
    names: tuple[str, ...],
    judged: str,
    networks: Sequence[TrainedNetwork],
    margin: float,
    notes: Sequence[str] = (),
) -> StudyEffects:
    """The effects of moves between networks that were trained by one protocol.

    Args:
        names: whose networks they are.
        judged: under what conditions they were trained.
        networks: the networks.
        margin: a difference of accuracies (0 to 1) that matters to nobody.
        notes: what is to be known besides.
    """
    spread = pooled([[*network.accuracies.values()] for network in networks])
    seeds = None if spread is None else SeedSpread(spread.deviation, spread.freedom)
    found = move_effects(networks, seeds=seeds, margin=margin)
    said = (*notes, _of_seeds(spread), _OF_THE_RECIPE)
    return StudyEffects(names, judged, len(networks), tuple(found), said)


_OF_THE_RECIPE = (
    "One learning rate and one number of epochs served all networks: a move that wants others is "
    "seen at a disadvantage, and few epochs favour what learns quickly."
)


def _of_seeds(spread: Spread | None) -> str:
    if spread is None:
        return (
            "No network was trained with several seeds: what a seed does is in the intervals only "
            "as far as contexts differ by it."
        )
    deviation = f"{100 * spread.deviation:.2f}"
    return (
        f"Trainings of one network scatter by {deviation} points over seeds (standard deviation, "
        f"of {count(spread.freedom, 'training')} beside the first of each)."
    )


def _network(training: FullTraining) -> TrainedNetwork:
    accuracies = (training.accuracy, *training.others)
    by_seeds: dict[Hashable, float] = dict(zip(training.seeds, accuracies, strict=True))
    return TrainedNetwork(training.architecture, by_seeds, _Costs(training))


class _Costs(Mapping[str, float]):
    """COSTS of a training, worked out when they are asked for: few networks are in a pair."""

    def __init__(self, training: FullTraining) -> None:
        self._training = training

    def __getitem__(self, name: str) -> float:
        return _COSTS[name](self._training)

    def __iter__(self) -> Iterator[str]:
        return iter(COSTS)

    def __len__(self) -> int:
        return len(COSTS)


@lru_cache(1 << 16)  # of fewer than are asked for in turn none would be kept
def _training_bytes(architecture: str) -> float:
    """NaN of a network whose mixer is not registered here."""
    try:
        return analytic_metrics(["training_bytes"])(Architecture.from_json(architecture))[
            "training_bytes"
        ]
    except InputError:
        return math.nan


_COSTS: dict[str, Callable[[FullTraining], float]] = {
    "params": lambda training: float(training.params),
    "macs": lambda training: float(training.macs),
    "training_bytes": lambda training: _training_bytes(training.architecture),
    "seconds": lambda training: training.seconds,
}
