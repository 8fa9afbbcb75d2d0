"""What the simulator asks of a way to search, ours or a peer's."""

from abc import ABC, abstractmethod

from search.trial_states import TrialState


class Method(ABC):
    """One search. Trials are numbered from 0 by the simulator, and run at the same time."""

    @abstractmethod
    def start(self, trial: int) -> str:
        """The id of the architecture that the trial shall train.

        Raises:
            search.searchers.Exhausted: there is nothing left to propose.
        """

    @abstractmethod
    def report(self, trial: int, epoch: int, accuracy: float) -> bool:
        """Take note of an epoch (from 1) that is not the last; whether the trial shall stop."""

    @abstractmethod
    def end(self, trial: int, state: TrialState, accuracy: float | None) -> None:
        """Take note of the end, and of the last accuracy; None where it failed."""
