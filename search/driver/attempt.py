"""Attempts at trials that are handed out to workers, and which of them give no sign of life."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from search.metrics import MEASURED_METRICS
from search.objectives import JudgedBy, judged_values
from search.store import TrialRecord, TrialState
from search.study import Trial
from space import Architecture
from space.wording import count, duration


@dataclass(slots=True)
class Attempt:
    """What the driver remembers of a trial from when it hands it out until it is back.

    Attributes:
        record: the trial's row in the store when it was handed out.
        trial: the same in the study.
        heard: whether its worker has reported yet.
        sign_of_life: when it started or reported last, in seconds of a clock that is never set;
            None before its worker began.
        hung: whether its worker was ended for giving no sign of life.
        told_of_loss: whether a person knows that epochs of it are lost.
        handed_out: when, in seconds of the same clock.
    """

    record: TrialRecord
    trial: Trial[Architecture]
    heard: bool = False
    sign_of_life: float | None = None
    hung: bool = False
    told_of_loss: bool = False
    handed_out: float = field(default_factory=time.monotonic)

    @property
    def epochs_done(self) -> int:
        """The last epoch of the trial that is known, from whichever attempt; 0 before the first."""
        return max(self.trial.curve, default=0)

    def give_sign(self) -> None:
        """Its worker began, or reported."""
        self.sign_of_life = time.monotonic()

    def forgive(self, seconds: float) -> None:
        """It could not be heard for so long."""
        if self.sign_of_life is not None:
            self.sign_of_life = min(self.sign_of_life + seconds, time.monotonic())

    def waited_for(self) -> float:
        """Seconds since it was handed out."""
        return time.monotonic() - self.handed_out

    def silent_for(self) -> float:
        """Seconds without a sign of life; 0 before it began."""
        return 0.0 if self.sign_of_life is None else time.monotonic() - self.sign_of_life

    def ended(self, state: TrialState, rule: JudgedBy) -> TrialRecord:
        """The row of its trial in the end, also while the store cannot be asked.

        Args:
            state: how it ended.
            rule: the epoch that it is judged by.
        """
        curve = self.trial.curve
        if not curve:
            return replace(self.record, state=state)
        last = max(curve)
        return replace(
            self.record,
            state=state,
            accuracy=judged_values(curve, rule).get("validation_accuracy"),
            last_epoch=last,
            last_accuracy=curve[last].get("validation_accuracy"),
            epochs_done=len(curve),
            seconds=sum(values.get("seconds", 0.0) for values in curve.values()),
        )

    def lacks_results(self, wanted: Sequence[str], rule: JudgedBy) -> str | None:
        """Why its results do not make it complete; None where they do.

        Args:
            wanted: measured metrics, each of which must be finite; of none any measured one is
                enough.
            rule: the epoch that it is judged by.
        """
        lacking = self.trial.lacks(wanted or MEASURED_METRICS, rule)
        if not lacking or (not wanted and len(lacking) < len(MEASURED_METRICS)):
            return None
        curve = self.trial.curve
        nowhere = self.trial.lacks(lacking, "best") == lacking
        where = f"in {len(curve)} epochs" if nowhere else "in its last epoch"
        epochs = where if curve else "and no epoch"
        return f"it ended without a finite {' or '.join(lacking)} {epochs}"


_PAUSE = 2.0
"""Seconds between two looks at the trials from which on this process itself stood still."""
_LONG_WAIT = 120.0
"""Seconds after which it is said that no worker begins."""


class HangDetector:
    """Looks at attempts for signs of life.

    Args:
        live: the attempts by the number of their trial, as they are at each look.
        limit: seconds without a sign of life from which on a trial has hung; None never.
        say: tells a person that nothing begins.
    """

    def __init__(
        self, live: Mapping[int, Attempt], limit: float | None, say: Callable[[str], None]
    ) -> None:
        self._live, self._limit, self._say = live, limit, say
        self._looked = time.monotonic()
        self._told_of_waiting = False

    def look(self) -> list[int]:
        """To be called all the time; the numbers of those that have hung."""
        self._forgive_own_pause()
        self._tell_of_waiting()
        if self._limit is None:
            return []
        return [n for n, live in self._live.items() if live.silent_for() > self._limit]

    def _forgive_own_pause(self) -> None:
        """While this process stood still, or waited for the store, it could not hear of trials."""
        now = time.monotonic()
        pause, self._looked = now - self._looked, now
        if pause > _PAUSE:
            for live in self._live.values():
                live.forgive(pause)

    def _tell_of_waiting(self) -> None:
        """Say once that nothing begins: no node has room, or workers hang at their start."""
        if self._told_of_waiting or any(live.sign_of_life for live in self._live.values()):
            return
        longest = max((live.waited_for() for live in self._live.values()), default=0.0)
        if longest > _LONG_WAIT:
            self._told_of_waiting = True
            waiting = count(len(self._live), "trial")
            why = "no node has room, or no worker starts"
            self._say(f"{waiting} waiting for a worker since {duration(longest)}: {why}")
