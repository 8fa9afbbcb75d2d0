"""The device time that a study has spent, held to its budget."""

from collections.abc import Iterable

from search.config import Config
from search.driver.stop_request import StopKind, StopRequest
from search.store import TrialRecord

SPENT = "the budget is spent"
"""How the reason of such a stop begins."""


class DeviceTime:
    """Counts what trials train, and asks for a stop once the budget of the study is spent.

    An epoch costs its seconds on every device that a trial has. Results that were taken over from
    other studies cost nothing, nor do the start of workers and epochs that were lost with a
    checkpoint. Trials end between two epochs, so a
    study may go beyond its budget by an epoch of each trial that is under way.

    Args:
        config: the budget, and what a trial gets.
        trials: those of earlier runs, counted at what a trial gets now.
        stop: asked for once nothing is left.
    """

    def __init__(self, config: Config, trials: Iterable[TrialRecord], stop: StopRequest) -> None:
        self._budget, self._stop = config.budget, stop
        resources = config.resources
        is_gpu = self._budget is not None and self._budget.device == "gpu"
        self._devices = resources.gpus_per_trial if is_gpu else resources.cpus_per_trial
        trained = (trial.seconds for trial in trials if trial.source_trial_id is None)
        self._spent = self._devices * sum(trained)
        self.add(0.0)

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be trained."""
        return self._budget is not None and self._spent >= self._budget.seconds

    @property
    def words(self) -> str | None:
        """What is spent of the budget; None where there is none."""
        return None if self._budget is None else self._budget.in_words(self._spent)

    def add(self, seconds: float) -> None:
        """Count what one trial has trained, and ask for a stop where that was the last of it."""
        self._spent += self._devices * seconds
        if self.is_spent:
            reason = f"{SPENT} ({self.words}), and has to be raised to go on"
            self._stop.request(StopKind.DEVICE_BUDGET, reason)
