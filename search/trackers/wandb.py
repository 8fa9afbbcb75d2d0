"""Weights & Biases: a run for each trial, grouped by the study."""

import os
from collections.abc import Mapping
from typing import Any

from search.options import Options
from search.trackers.tracker import TrackedStudy, TrackedTrial, Tracker
from search.trial_states import TrialState


class WandbOptions(Options):
    """Options of the tracker of Weights & Biases.

    Attributes:
        project: that the runs belong to. folder: for the files of runs, from the working folder.
        online: whether they are sent at once; otherwise `wandb sync FOLDER/wandb/offline-run-*`
            does it later. The variable WANDB_MODE wins.
    """

    project: str = "mixspace"
    folder: str = "."
    online: bool = False


class WandbTracker(Tracker):
    """Runs with parameters as their configuration, metrics by epoch, and the state in the summary.

    Offline unless `online` or WANDB_MODE says otherwise. A trial that goes on has the same id.
    """

    Options = WandbOptions
    options: WandbOptions
    package = "wandb"

    def __init__(self, study: TrackedStudy, **options: Any) -> None:
        super().__init__(study, **options)
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        self._runs: dict[int, Any] = {}

    def start(self, trial: TrackedTrial) -> None:
        """Begin a run, or go on in the one that the trial has."""
        import wandb

        chosen: Any = "online" if self.options.online else "offline"
        self._runs[trial.number] = wandb.init(
            project=self.options.project,
            group=self.study.name,
            name=trial.name,
            id=f"{self.study.uid}-{trial.number}",
            resume="allow",
            config=dict(trial.parameters) | {"architecture": trial.architecture},
            dir=self.options.folder,
            mode=os.environ.get("WANDB_MODE", chosen),
            reinit="create_new",
            settings=wandb.Settings(silent=True, console="off", save_code=False),
        )

    def epoch(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Metrics by their names, with the epoch as the step."""
        self._runs[trial].log(dict(metrics), step=epoch)

    def pause(self, trial: int) -> None:
        """End this part of the run."""
        self._runs.pop(trial).finish(exit_code=1)

    def end(self, trial: int, state: TrialState, reason: str | None) -> None:
        """End the run, with the state in its summary."""
        run = self._runs.pop(trial)
        run.summary["state"] = str(state)
        if reason:
            run.summary["reason"] = reason
        run.finish(exit_code=0 if state in (TrialState.COMPLETE, TrialState.PRUNED) else 1)

    def close(self) -> None:
        """End all parts that are under way."""
        for trial in list(self._runs):
            self.pause(trial)
