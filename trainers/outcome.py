"""What comes of a trial: what its epochs report, or why it broke off.

`trainers.failure_classification` makes a `Failure` of an exception, and of what Ray says of a dead
worker. Only a fault of the architecture or of the trial's code ends a trial for good; faults of the
data and of the surroundings say nothing of the architecture.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

from space.errors import MixspaceError
from space.passwords import masked


@dataclass(frozen=True, slots=True)
class EpochResult:
    """Metrics of one epoch.

    Attributes:
        epoch: number of the epoch, from 1.
        train_loss: mean over the training batches, with label smoothing and mixing.
        validation_loss: plain cross entropy, mean over the validation images (nats).
        validation_accuracy: share of validation images classified rightly, 0 to 1.
        learning_rate: rate of the last step.
        seconds: wall time of training and validation together.
        images_per_second: training images per second of training time, by all processes together.
        skipped_steps: steps that changed nothing, as their loss or gradient was not finite.
        peak_memory_bytes: on a GPU the most that was allocated on it; on a CPU the most memory that
            the process held, libraries and images included (see `trainers.memory`). Of several
            processes that of the one with the most. None where it is not known.
        fused_mixers: token mixers that were computed by fused kernels, and not as they are composed
            (`space.operator_choice`).
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float
    skipped_steps: int = 0
    peak_memory_bytes: int | None = None
    fused_mixers: int | None = None

    def to_dict(self) -> dict[str, int | float | None]:
        """The metrics by name."""
        return asdict(self)


class Cause(StrEnum):
    """Who is to blame."""

    ARCHITECTURE = "architecture"
    """It diverges, or it needs more memory than there is."""
    CODE = "code"
    """An exception of the training, or a crash of its process."""
    DATA = "data"
    """Images that cannot be read."""
    SURROUNDINGS = "surroundings"
    """Disk, permissions, network, packages, GPU, node."""
    REQUEST = "request"
    """Nobody: it was asked to stop."""

    @property
    def ends_trial(self) -> bool:
        """Whether the trial has ended for good; else it goes on once the fault is mended."""
        return self in (Cause.ARCHITECTURE, Cause.CODE)

    @property
    def stops_run(self) -> bool:
        """Whether other trials would meet the same fault."""
        return self in (Cause.DATA, Cause.SURROUNDINGS)


class Retry(StrEnum):
    """Whether another worker takes the trial up, from its checkpoint."""

    NEVER = "never"
    COUNTED = "counted"
    """As often as the configuration's `retries` allow."""
    OFTEN = "often"
    """It has lost its node or its place there, of which a cluster may lose many."""


EndState = Literal["failed", "infeasible", "preempted"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a trial broke off.

    Attributes:
        cause: who is to blame.
        reason: what happened, on one line, without colours, passwords and Ray's own names.
        advice: what a person can do; empty where nothing general can be said.
        infeasible: whether it was for want of memory.
        retry: whether another worker takes it up.
        breaks_worker: whether the process is of no more use, as after an error on a GPU.
    """

    cause: Cause
    reason: str
    advice: str = ""
    infeasible: bool = False
    retry: Retry = Retry.NEVER
    breaks_worker: bool = False

    def __post_init__(self) -> None:
        # It goes into the store and on pages; what a library says of a connection may hold its URL.
        object.__setattr__(self, "reason", masked(self.reason))

    @property
    def state(self) -> EndState:
        """The state of the trial once it is not taken up again."""
        if not self.cause.ends_trial:
            return "preempted"
        return "infeasible" if self.infeasible else "failed"

    @property
    def sentence(self) -> str:
        """The reason, with the advice behind it."""
        return f"{self.reason}; {self.advice}" if self.advice else self.reason

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Failure":
        """What `to_dict` made."""
        plain = {**values, "cause": Cause(values["cause"]), "retry": Retry(values["retry"])}
        return cls(**plain)


class NonFiniteLoss(MixspaceError, RuntimeError):
    """A loss became nan or infinite; the message says which, and in which epoch and step."""


class UnreadableData(MixspaceError, RuntimeError):
    """A file of the data cannot be read; the message names it."""
