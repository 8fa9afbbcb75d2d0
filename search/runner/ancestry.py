"""The trained networks of a study that new trials may start from."""

from search.checkpoints import Checkpoints
from search.runner.assignment import ParentWeights
from search.runner.inheritance import Trained, choose_parent, weights_for
from search.store import Parent, StudyHistory, TrialRecord, TrialState
from space import Architecture

_WITH_WEIGHTS = (TrialState.COMPLETE, TrialState.PRUNED)


class Ancestry:
    """Keeps what was trained under a protocol that inherits; finds parents among it.

    Args:
        checkpoints: of the study.
        inherits: whether its protocol does; if not, nothing is kept and no trial has a parent.
    """

    def __init__(self, checkpoints: Checkpoints, *, inherits: bool) -> None:
        self._checkpoints = checkpoints
        self.inherits = inherits
        self._trained: dict[int, Trained] = {}

    def add_history(
        self, history: StudyHistory, architectures: dict[str, Architecture]
    ) -> "Ancestry":
        """Take in what the earlier runs of the study have trained."""
        for trial in history.trials:
            self.add(trial, architectures[trial.architecture_id])
        return self

    def add(self, trial: TrialRecord, architecture: Architecture) -> None:
        """Take in a trial that has ended; without weights, or without a figure, it is no parent."""
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
                trial.ancestry_seconds,
            )

    def parent_of(self, child: Architecture) -> Parent | None:
        """The best trained network that the child contains, as the store notes it."""
        parent = choose_parent(child, list(self._trained.values()))
        if parent is None:
            return None
        return Parent(parent.trial_id, " + ".join(weights_for(child, parent).along))

    def weights(self, trial: TrialRecord, child: Architecture) -> ParentWeights | None:
        """What the worker of a trial is told; None without a parent, or when it is gone."""
        parent = self._trained.get(trial.parent_trial_id or -1)
        return None if parent is None else weights_for(child, parent)
