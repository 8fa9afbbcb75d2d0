"""TensorBoard: event files, one folder for each trial."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.options import Options
from search.trackers.tracker import TrackedStudy, TrackedTrial, Tracker
from search.trial_states import TrialState


class TensorBoardOptions(Options):
    """Options of the tracker of TensorBoard.

    Attributes:
        folder: for the event files; a study has a folder in it: `tensorboard --logdir FOLDER`.
    """

    folder: str = "tensorboard"


class TensorBoardTracker(Tracker):
    """Event files in `folder/STUDY/TRIAL`, which TensorBoard reads while they grow.

    A trial that goes on after an interruption writes a second file into its folder; TensorBoard
    shows both as one run.
    """

    Options = TensorBoardOptions
    options: TensorBoardOptions
    package = "tensorboardX"

    def __init__(self, study: TrackedStudy, **options: Any) -> None:
        super().__init__(study, **options)
        self._writers: dict[int, Any] = {}

    def start(self, trial: TrackedTrial) -> None:
        """Open the trial's folder, and write down what it is."""
        from tensorboardX import SummaryWriter

        name = f"{trial.number:05d}-{trial.architecture}"
        folder = Path(self.options.folder) / self.study.name / name
        is_new = not folder.exists()
        writer = self._writers[trial.number] = SummaryWriter(str(folder), write_to_disk=True)
        if is_new:
            rows = "\n".join(f"| {key} | {value} |" for key, value in trial.parameters.items())
            writer.add_text("architecture", f"| {trial.name} | |\n|---|---|\n{rows}")

    def epoch(self, trial: int, epoch: int, metrics: Mapping[str, float]) -> None:
        """Scalars by the names of the metrics, with the epoch as the step."""
        writer = self._writers[trial]
        for name, value in metrics.items():
            writer.add_scalar(name, value, epoch)
        writer.flush()

    def pause(self, trial: int) -> None:
        """Close the file."""
        self._writers.pop(trial).close()

    def end(self, trial: int, state: TrialState, reason: str | None) -> None:
        """Write the state down, and close the file."""
        writer = self._writers.pop(trial)
        writer.add_text("state", f"{state}: {reason}" if reason else str(state))
        writer.close()

    def close(self) -> None:
        """Close what is open."""
        for trial in list(self._writers):
            self.pause(trial)
