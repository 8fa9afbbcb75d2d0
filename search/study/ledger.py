"""Where a study writes down what becomes of its trials."""

from collections.abc import Mapping
from typing import Any, Protocol

from search.study.trial import Trial
from search.trial_states import TrialState


class Ledger(Protocol):
    """Is told of every event before a searcher or a scheduler hears of it.

    So whoever repeats what is written in it, in its order, comes to the same study
    (`search.driver.replay.replay_history`), however far the hearing had come.
    """

    def start(self, trial: Trial[Any]) -> None:
        """A worker has taken the trial up, for the `attempts`-th time."""

    def epoch(self, trial: Trial[Any], epoch: int, metrics: Mapping[str, float | None]) -> None:
        """An epoch was reported for the first time."""

    def forget(self, trial: Trial[Any], last: int) -> None:
        """The epochs behind `last` are lost."""

    def preempt(self, trial: Trial[Any], reason: str) -> None:
        """Its worker is gone, and another may take it up."""

    def end(self, trial: Trial[Any], state: TrialState, reason: str | None) -> None:
        """The trial has ended."""


class MemoryLedger:
    """Writes nothing down: the trials of the study are all that is kept."""

    def start(self, trial: Trial[Any]) -> None:
        """Nothing to do."""

    def epoch(self, trial: Trial[Any], epoch: int, metrics: Mapping[str, float | None]) -> None:
        """Nothing to do."""

    def forget(self, trial: Trial[Any], last: int) -> None:
        """Nothing to do."""

    def preempt(self, trial: Trial[Any], reason: str) -> None:
        """Nothing to do."""

    def end(self, trial: Trial[Any], state: TrialState, reason: str | None) -> None:
        """Nothing to do."""
