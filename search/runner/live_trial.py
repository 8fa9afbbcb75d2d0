"""A trial that this run has handed out."""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from search.objectives import JudgedBy, judged_accuracy
from search.store import EpochRecord, TrialRecord, TrialState
from space import Architecture


@dataclass(slots=True)
class LiveTrial:
    """What the driver remembers of a trial while a worker has it.

    Attributes:
        recorded: epochs in the store, those of earlier attempts included.
        curve: the epochs that this attempt has reported, by their numbers.
        sign_of_life: when it started or reported last, in seconds of a clock that is never set;
            None before its worker began.
        hung: whether its worker was ended for giving no sign of life.
        told_of_loss: whether a person knows that epochs of it are lost.
        handed_out: when, in seconds of the same clock.
    """

    trial: TrialRecord
    architecture: Architecture
    recorded: set[int]
    curve: dict[int, EpochRecord] = field(default_factory=dict)
    sign_of_life: float | None = None
    hung: bool = False
    told_of_loss: bool = False
    handed_out: float = field(default_factory=time.monotonic)

    def begin(self) -> int:
        """A worker takes it up; for the how many-th time."""
        self.trial = replace(self.trial, attempts=self.trial.attempts + 1)
        self.sign_of_life = time.monotonic()
        return self.trial.attempts

    def report(self, record: EpochRecord) -> None:
        """An epoch came."""
        self.curve[record.epoch] = record
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

    def lacks(self, figures: Iterable[str], rule: JudgedBy) -> list[str]:
        """Those of the figures that it cannot be judged by, as no finite value is there.

        Args:
            figures: that are wanted.
            rule: "last" looks at the last epoch alone, "best" at all of them.
        """
        epochs = list(self.curve.values())
        if rule == "last":
            epochs = [self.curve[max(self.curve)]] if self.curve else []

        def known(name: str) -> bool:
            values = (getattr(record, name) for record in epochs)
            return any(value is not None and math.isfinite(value) for value in values)

        return [name for name in figures if not known(name)]

    def ended(self, state: TrialState, rule: JudgedBy) -> TrialRecord:
        """Its record in the end, also while the store cannot be asked.

        Args:
            state: how it ended.
            rule: the epoch that it is judged by.
        """
        if not self.curve:
            return replace(self.trial, state=state)
        last = max(self.curve)
        accuracies = [self.curve[epoch].validation_accuracy for epoch in sorted(self.curve)]
        return replace(
            self.trial,
            state=state,
            accuracy=judged_accuracy(accuracies, rule),
            last_epoch=last,
            last_accuracy=self.curve[last].validation_accuracy,
            epochs_done=len(self.curve),
            seconds=sum(record.seconds or 0.0 for record in self.curve.values()),
        )
