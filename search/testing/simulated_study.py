"""Studies that are played without any training, on spaces whose metrics are made up.

Several points run at the same time, report curves, and end in any order and in any way. What was
told and asked is recorded, so that it can be told again.
"""

import copy
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from search.objectives import Constraint, Objective, Objectives
from search.schedulers import NoScheduler
from search.searchers import Exhausted, Observation, Searcher, Task
from search.study import Study
from search.testing.toy_spaces import Bare, Corner, Lattice, ToySpace
from search.trial_states import EVALUATED, TrialState
from space import DesignSpace

FIDELITIES = 9
_ENDS = 0.5  # the chance that a trial which is not complete in the end is over after an epoch
_ACCURACY, _COST, _NOISE = Objective("accuracy"), Objective("cost", "minimise"), Objective("noise")
_OBJECTIVES = (_ACCURACY, _COST, _NOISE)
ENDINGS = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAILED, TrialState.INFEASIBLE)


@dataclass(frozen=True)
class SpaceCase:
    """A space with metrics: accuracy is measured, cost is known, noise is measured.

    Attributes:
        name: of the case.
        space: what is searched.
        accuracy: of a point, at the highest fidelity.
        count: of its points, where it is small enough to be searched to the last.
    """

    name: str
    space: Any
    accuracy: Callable[[Any], float]
    count: int | None = None

    def __str__(self) -> str:
        return self.name

    def task(self, objectives: int = 1, constraints: Sequence[Constraint] = ()) -> Task[Any]:
        """The search for so many objectives, of accuracy, cost and noise."""
        wanted = Objectives(_OBJECTIVES[:objectives], tuple(constraints))
        return Task(self.space, wanted, self.known, FIDELITIES)

    def known(self, point: Any) -> dict[str, float]:
        """What is known of a point without evaluating it."""
        return {"cost": float(sum(map(abs, self.space.encode(point))))}

    def values(self, point: Any, fidelity: int = FIDELITIES) -> dict[str, float]:
        """Metrics that come near the final ones as the fidelity rises."""
        final, off = self.accuracy(point), float(np.sin(sum(self.space.encode(point))))
        return {"accuracy": final * (1 - 1 / (1 + fidelity)) + off / fidelity / 9, "noise": off}


_TINY: dict[str, Any] = {
    "name": "tiny",
    "input": {"channels": 1, "size": 28},
    "classes": 10,
    "stem": {"patch_size": 7},
    "block_type": "conv",
    "mixers": [
        {"operator": ["dw-s conv.", "conv."], "kernel_size": [3, 5]},
        {"operator": "vit", "heads": 4},
        {"operator": "sep. mlp", "heads": 1},
    ],
    "stages": [{"depth": [1, 2], "width": [16, 32], "mlp_ratio": 2}],
}
_WIDE: dict[str, Any] = _TINY | {
    "name": "wide",
    "stem": {"patch_size": 4},
    "block_type": ["conv", "prenorm", "convnext"],
    "limits": {"params": "2M"},
    "mixers": [
        {"locality": "global", "groups": 4, "heads": 4, "ratio": 2},
        {"locality": "window", "kernel_size": 4, "groups": 4, "heads": 4, "ratio": 2},
        {"locality": "sliding", "sharing": ["position", "both"], "kernel_size": [3, 5]}
        | {"groups": 4, "heads": 4, "ratio": 2},
    ],
    "stages": [{"depth": [1, 2], "width": 16, "mlp_ratio": [1, 2]}],
}


def space_cases() -> list[SpaceCase]:
    """Vision, conditional, without decisions, and too large to be tried out."""
    toy, tiny, wide = ToySpace(), DesignSpace.from_dict(_TINY), DesignSpace.from_dict(_WIDE)
    return [
        SpaceCase("tiny-vision", tiny, _of_the_encoding(tiny), tiny.count()),
        SpaceCase("vision", wide, _of_the_encoding(wide)),
        SpaceCase("conditional", toy, toy.value, len(toy.points())),
        SpaceCase("bare", Bare(toy), toy.value, len(toy.points())),
        SpaceCase("lattice", Lattice(), Lattice().value),
    ]


def rare_case() -> SpaceCase:
    """A space of which the constraint on its known cost leaves next to nothing.

    Not among `space_cases`, since every random point of it takes hundreds of draws.
    """
    count = (Corner.reach + 1) * (Corner.reach + 2) // 2
    return SpaceCase("rare", Corner(), Corner().value, count)


def _of_the_encoding(space: DesignSpace) -> Callable[[Any], float]:
    """A smooth metric of the encoding, for spaces that have none of their own."""
    return lambda point: float(np.tanh(np.mean(space.encode(point))))


@dataclass
class Recording:
    """What was told, in order, and what was asked after how many tellings."""

    told: list[tuple[Any, Observation]] = field(default_factory=list)
    asked: list[tuple[int, Any]] = field(default_factory=list)

    @property
    def points(self) -> list[Any]:
        """Those that were asked for."""
        return [point for _, point in self.asked]

    def replay(self, searcher: Searcher[Any], cut: int | None = None) -> Searcher[Any]:
        """Tell a new searcher the same, up to a cut."""
        for point, observation in self.told[:cut]:
            searcher.tell(point, observation)
        return searcher


class _Recorder(Searcher[Any]):
    """Passes everything on to a searcher, writes it down and looks whether it is kept."""

    def __init__(self, searcher: Searcher[Any], recording: Recording) -> None:
        super().__init__(searcher.task, 0)
        self._searcher, self._recording = searcher, recording
        self._keys: set[Hashable] = set()

    def ask(self, attempt: int = 0) -> Any:
        point = self._searcher.ask()
        key = self.task.space.key(point)
        assert key not in self._keys, f"{point} was proposed twice"
        self._keys.add(key)
        self._recording.asked.append((len(self._recording.told), point))
        return point

    def tell(self, point: Any, observation: Observation) -> None:
        self._recording.told.append((point, observation))
        before = copy.deepcopy(observation)
        self._searcher.tell(point, observation)
        assert observation == before, "the searcher changed what it was told"


def play(
    searcher: Searcher[Any],
    case: SpaceCase,
    trials: int,
    *,
    workers: int = 3,
    endings: Mapping[TrialState, float] | None = None,
    seed: int = 0,
) -> Recording:
    """A study of so many trials; which trial goes on, when and how it ends, is drawn.

    Raises:
        AssertionError: a point was proposed twice, or the searcher changed what it was told.
    """
    rng = np.random.default_rng([seed, 99])
    shares = endings or dict(zip(ENDINGS, (0.5, 0.3, 0.1, 0.1), strict=True))
    recording, running = Recording(), dict[int, TrialState]()
    task = searcher.task
    scheduler = NoScheduler(task.objectives, FIDELITIES)
    study = Study(task, (_Recorder(searcher, recording),), scheduler)
    while len(study.trials) < trials or running:
        if len(running) < workers and len(study.trials) < trials:
            ending = TrialState(rng.choice(list(shares), p=list(shares.values())))
            running[study.ask().number] = ending
            continue
        number = list(running)[int(rng.integers(len(running)))]
        trial, ending = study.trials[number], running[number]
        epoch = len(trial.curve) + 1
        if ending in EVALUATED:
            study.report(number, epoch, case.values(trial.point, epoch))
        if epoch == FIDELITIES or (ending != TrialState.COMPLETE and rng.random() < _ENDS):
            del running[number]
            study.tell(number, ending, "it was drawn so")
    return recording


def ask_until_exhausted(searcher: Searcher[Any], case: SpaceCase, known: int) -> list[Any]:
    """The points that are asked for until nothing is left of a space with so many known ones.

    Raises:
        AssertionError: more points were proposed than there are.
    """
    found = []
    try:
        for _ in range((case.count or 0) - known + 1):
            point = searcher.ask()
            found.append(point)
            searcher.tell(point, Observation(TrialState.RUNNING))
            searcher.tell(point, Observation(TrialState.COMPLETE, case.values(point), {}))
    except Exhausted:
        return found
    raise AssertionError(f"{len(found)} points were proposed where {known} of {case.count} are new")
