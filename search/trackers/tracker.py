"""What a tracker is told, and which there are."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from search.options import Options
from search.registry import Registry
from search.trial_states import TrialState


@dataclass(frozen=True, slots=True)
class TrackedStudy:
    """A study as trackers see it.

    Attributes:
        name: of the study. uid: of it alone, in whatever store it is, so that a resumed study goes
            on in the runs that it has.
        config: as it is stored.
    """

    name: str
    uid: str
    config: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrackedTrial:
    """A trial as trackers see it: one run.

    Attributes:
        number: in its study. architecture: its id.
        name: for people, such as `00007 DW-S Conv.`.
        parameters: plain values that do not change while it is trained: the operators, depth,
            block type, costs, seeds, and which repeat it is.
    """

    number: int
    architecture: str
    name: str
    parameters: Mapping[str, str | int | float]


class Tracker(ABC):
    """Shows the trials of a study to an experiment tracker; the base class of all.

    One is made for each run of a study, and called from one thread, which is not the search's. A
    call may take its time; what it raises is said once, and the search goes on without the tracker.
    The store is the truth: what is shown twice, or not at all, changes nothing of the study.

    Args:
        study: whose trials are shown.
        options: of its `Options`.
    """

    Options: ClassVar[type[Options]] = Options
    package: ClassVar[str]
    """The module that it cannot do without."""

    def __init__(self, study: TrackedStudy, **options: Any) -> None:
        self.study = study
        self.options = type(self).Options.read("", options)

    @abstractmethod
    def start(self, trial: TrackedTrial) -> None:
        """A worker has taken the trial up, for the first time or again: begin its run, or go on."""

    @abstractmethod
    def epoch(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """An epoch of a trial that was started; metrics are finite."""

    @abstractmethod
    def pause(self, trial: int) -> None:
        """Its worker is gone; it may be started again, in this run of the study or in a later."""

    @abstractmethod
    def end(self, trial: int, state: TrialState, reason: str | None) -> None:
        """A trial that was started has ended."""

    @abstractmethod
    def close(self) -> None:
        """Nothing more comes; write what is not written."""


TRACKERS: Registry[Tracker] = Registry(
    "tracker",
    Tracker,
    "mixspace.trackers",
    {
        "tensorboard": "search.trackers.tensorboard:TensorBoardTracker",
        "mlflow": "search.trackers.mlflow:MlflowTracker",
        "wandb": "search.trackers.wandb:WandbTracker",
    },
)
"""All trackers by name, those of other packages included."""
