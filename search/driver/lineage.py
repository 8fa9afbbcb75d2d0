"""Which trained network of a study a new trial starts from, and what its ancestors have cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.driver.checkpoints import Checkpoints
from search.driver.sources import Sources
from search.store import ParentRecord, StudyHistory, TrialRecord, TrialState
from space import Architecture
from space.inclusion import inclusion_kinds

_WITH_WEIGHTS = (TrialState.COMPLETE, TrialState.PRUNED)


class Lineage:
    """Keeps what was trained under a protocol that inherits; finds parents among it.

    Args:
        checkpoints: of the study.
        inherits: whether its protocol does; if not, nothing is kept and no trial has a parent.
        sources: of another study, that every trial starts from; None where the protocol does not
            finetune.
    """

    def __init__(
        self, checkpoints: Checkpoints, *, inherits: bool, sources: Sources | None = None
    ) -> None:
        self._checkpoints, self._sources = checkpoints, sources
        self.inherits = inherits
        self._trained: dict[int, Trained] = {}

    def add_history(
        self, history: StudyHistory, architectures: dict[str, Architecture]
    ) -> "Lineage":
        """Take in what the earlier runs of the study have trained."""
        for trial in history.trials:
            self.add(trial, architectures[trial.architecture_id])
        return self

    def add(self, trial: TrialRecord, architecture: Architecture) -> None:
        """Take in a trial that has ended; without weights or a score it is no parent."""
        if not self.inherits:
            return
        if trial.state not in _WITH_WEIGHTS or trial.last_accuracy is None:
            return
        checkpoint = self._checkpoints.find(trial)
        if checkpoint is not None:
            self._trained[trial.id] = Trained(
                trial.id,
                architecture,
                checkpoint,
                trial.last_accuracy,
                trial.seconds,
                trial.lineage_seconds,
            )

    def parent_of(self, child: Architecture) -> ParentRecord | None:
        """The best trained network that the child contains, as the store notes it."""
        parent = choose_parent(child, list(self._trained.values()))
        if parent is None:
            return None
        along = inclusion_kinds(parent.architecture, child)
        assert along is not None, "it was chosen for that"
        return ParentRecord(parent.trial_id, " + ".join(map(str, along)))

    def source(self, network: Architecture) -> dict[str, Any] | None:
        """The finished training that a network's starts from, as plain values for its worker."""
        return None if self._sources is None else self._sources.of(network)

    def parent(self, trial: TrialRecord) -> "Trained | None":
        """The network that a trial starts from; None without a parent, or when it is gone.

        Whether it still contains that network is asked in the worker, by `space.morphisms.lift`.
        """
        return self._trained.get(trial.parent_trial_id or -1)


@dataclass(frozen=True, slots=True)
class Trained:
    """A trial whose weights are at hand: complete, or pruned with its checkpoint kept.

    All that are compared must be of one protocol; they may be of several studies.

    Attributes:
        trial_id: its row in the store.
        architecture: what was trained.
        checkpoint: file of its weights.
        score: of the weights in that file, higher is better: its accuracy at the last epoch, also
            where an earlier one was better.
        seconds: what its own training has cost.
        lineage_seconds: what the trainings that it inherited from have cost, all together.
    """

    trial_id: int
    architecture: Architecture
    checkpoint: Path
    score: float
    seconds: float
    lineage_seconds: float = 0.0

    @property
    def cost_so_far(self) -> float:
        """Seconds of training behind its weights: the `lineage_seconds` of its children."""
        return self.seconds + self.lineage_seconds

    def to_config(self) -> dict[str, Any]:
        """What the worker of a child needs of it, as plain values."""
        return {"architecture": self.architecture.to_json(), "checkpoint": str(self.checkpoint)}


def choose_parent(child: Architecture, trained: Sequence[Trained]) -> Trained | None:
    """The best of the trained networks that the child contains; None if it contains none.

    Of equal ones the cheaper with its lineage, then the earlier. The child itself, trained in an
    earlier study, is no parent: that would be a longer training and not another network.
    """
    for candidate in sorted(trained, key=lambda t: (-t.score, t.cost_so_far, t.trial_id)):
        own = candidate.architecture == child
        if not own and inclusion_kinds(candidate.architecture, child) is not None:
            return candidate
    return None
