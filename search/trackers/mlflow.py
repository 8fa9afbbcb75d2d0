"""MLflow: a run for each trial, in an experiment with the name of the study."""

import logging
import os
from collections.abc import Mapping
from typing import Any

from search.options import Options
from search.trackers.tracker import TrackedStudy, TrackedTrial, Tracker
from search.trial_states import TrialState

_KEY = "mixspace.trial"
_STATUS = {TrialState.COMPLETE: "FINISHED", TrialState.PRUNED: "KILLED"}


class MlflowOptions(Options):
    """Options of the tracker of MLflow.

    Attributes:
        uri: of the tracking server or store; where it is left out, that of the variable
            MLFLOW_TRACKING_URI, and without that a file of the working folder.
    """

    uri: str | None = None


class MlflowTracker(Tracker):
    """Runs with parameters, metrics by epoch, and the state as a tag.

    Offline unless a URI says otherwise: `mlflow ui --backend-store-uri sqlite:///mlflow.db` shows
    what is written.
    """

    Options = MlflowOptions
    options: MlflowOptions
    package = "mlflow"

    def __init__(self, study: TrackedStudy, **options: Any) -> None:
        super().__init__(study, **options)
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        logging.getLogger("mlflow").setLevel(logging.WARNING)  # else it tells of every table
        from mlflow import MlflowClient

        uri = self.options.uri or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
        self._client: Any = MlflowClient(tracking_uri=uri)
        found = self._client.get_experiment_by_name(study.name)
        self._experiment = (
            self._client.create_experiment(study.name) if found is None else found.experiment_id
        )
        self._runs: dict[int, str] = {}

    def start(self, trial: TrackedTrial) -> None:
        """Begin a run, or go on in the one that the trial has."""
        key = f"{self.study.uid}/{trial.number}"
        found = self._client.search_runs(
            [self._experiment], filter_string=f"tags.`{_KEY}` = '{key}'", max_results=1
        )
        if found:
            self._runs[trial.number] = found[0].info.run_id
            self._client.update_run(found[0].info.run_id, status="RUNNING")
            return
        tags = {_KEY: key, "architecture": trial.architecture}
        run = self._client.create_run(self._experiment, tags=tags, run_name=trial.name)
        self._runs[trial.number] = run.info.run_id
        for name, value in trial.parameters.items():
            self._client.log_param(run.info.run_id, name, value)

    def epoch(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Metrics by their names, with the epoch as the step."""
        for name, value in metrics.items():
            self._client.log_metric(self._runs[trial], name, value, step=epoch)

    def pause(self, trial: int) -> None:
        """The run waits to be gone on with."""
        self._client.update_run(self._runs.pop(trial), status="SCHEDULED")

    def end(self, trial: int, state: TrialState, reason: str | None) -> None:
        """End the run: finished, killed (pruned) or failed; the exact state is a tag."""
        run = self._runs.pop(trial)
        self._client.set_tag(run, "state", str(state))
        if reason:
            self._client.set_tag(run, "reason", reason)
        self._client.set_terminated(run, status=_STATUS.get(state, "FAILED"))

    def close(self) -> None:
        """The runs of trials that are under way wait to be gone on with."""
        for trial in list(self._runs):
            self.pause(trial)
