"""How to go on with a run that has ended, said in one way by whoever was asked for it.

The command line and Python differ in how a step is written, and in nothing else.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

DEFAULT_STORE = "mixspace.db"
STORE_VARIABLE = "MIXSPACE_STORE"

_REASONS = ("failed", "infeasible")


@dataclass(frozen=True, slots=True)
class MoreWork:
    """What a run was asked for beside the plan of its study.

    Attributes:
        verb: what asked for it.
        arguments: by their names, such as `pruned`.
        study: that it was asked of; None is the one that is worked on, which is another where the
            best of a study are retrained.
    """

    verb: Literal["continue", "repeat", "retrain"] = "continue"
    arguments: Mapping[str, object] = field(default_factory=dict)
    study: str | None = None

    def once_recorded(self) -> "MoreWork":
        """What is left to ask for from when the store has it: to go on is enough then.

        Repeats are in the store only from when they are handed out, so they are asked for again.
        """
        return self if self.verb == "repeat" else MoreWork()


class NextSteps(ABC):
    """The steps after one run."""

    @abstractmethod
    def go_on(self, *, recorded: bool) -> str:
        """What goes on with the run.

        Args:
            recorded: whether the store has what the run was asked for.
        """

    @abstractmethod
    def more(self, work: MoreWork) -> str:
        """What asks for more work on the study."""

    @property
    def first(self) -> str | None:
        """What has to be done before any of them; None where nothing has."""
        return None

    def train_again(self, *, failed: bool, infeasible: bool) -> str:
        """Trains the failed trials again, the infeasible ones, or both; at least one is asked."""
        asked = dict(zip(_REASONS, (failed, infeasible), strict=True))
        return self.more(MoreWork("continue", asked))

    def when_stopped(self, reason: str, *, recorded: bool) -> Sequence[str]:
        """The last lines of a run that was not done."""
        first = [] if self.first is None else [self.first]
        return [*first, f"Stopped: {reason}. To go on: {self.go_on(recorded=recorded)}"]

    def when_all_failed(self, reason: str, *, failed: bool, infeasible: bool) -> str:
        """The last line of a run that reached its plan, and of which no trial is complete."""
        again = self.train_again(failed=failed, infeasible=infeasible)
        return f"Failed: {reason}. To train them again, once that is mended: {again}"
