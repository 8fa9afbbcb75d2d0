"""A trial that this run has handed out."""

from dataclasses import dataclass, field

from search.schedulers import GO_ON, Verdict
from search.store import TrialRecord
from space import Architecture


@dataclass(slots=True)
class LiveTrial:
    """What the driver remembers of a trial while a worker has it.

    Attributes:
        recorded: epochs in the store, those of earlier attempts included.
        epochs: epochs that this attempt has reported.
        verdict: what the scheduler said last.
    """

    trial: TrialRecord
    architecture: Architecture
    recorded: set[int]
    epochs: set[int] = field(default_factory=set)
    verdict: Verdict = GO_ON
