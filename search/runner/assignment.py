"""What a worker is told of its trial, and what it reports. Plain values, so they travel as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.store import TrialRecord
from space import Architecture
from trainers import Failure

TRAINING = "search.trial:make_training"
"""The entry point that makes a Training from an assignment; tests put a faulty one in its place."""


@dataclass(frozen=True, slots=True)
class ParentWeights:
    """The trained network that a trial shall start from.

    Attributes:
        architecture: of the parent.
        checkpoint: file of the parent's weights.
        along: the kinds of inclusion from the parent to the trial's architecture.
    """

    architecture: Architecture
    checkpoint: Path
    along: tuple[str, ...]

    def to_config(self) -> dict[str, Any]:
        """What the worker needs of it, as plain values."""
        return {"architecture": self.architecture.to_json(), "checkpoint": str(self.checkpoint)}


@dataclass(frozen=True, slots=True)
class Assignment:
    """One trial as handed to a worker. A worker never touches the store.

    Attributes:
        trial: its row in the store when it was handed out.
        architecture: what to train.
        protocol, data: how, and on which images, as plain values.
        checkpoint: file that the worker writes after every epoch and goes on from.
        log: file beside it that tells how an attempt broke off.
        parent: whose weights it starts from, None for its own random ones.
        inspected: what the driver found in the data (`trainers.data.image_folder.image_index`).
    """

    trial: TrialRecord
    architecture: Architecture
    protocol: Mapping[str, Any]
    data: Mapping[str, Any]
    checkpoint: Path
    log: Path
    parent: ParentWeights | None = None
    inspected: Mapping[str, Any] | None = None

    def to_config(
        self, *, device: str, threads: int, training: str, whole_gpu: bool = False
    ) -> dict[str, Any]:
        """The configuration of the Ray trial."""
        return {
            "number": self.trial.number,
            "architecture": self.architecture.to_json(),
            "protocol": dict(self.protocol),
            "data": dict(self.data),
            "inspected": None if self.inspected is None else dict(self.inspected),
            "seeds": dict(self.trial.seeds),
            "checkpoint": str(self.checkpoint),
            "log": str(self.log),
            "parent": self.parent.to_config() if self.parent else None,
            "device": device,
            "whole_gpu": whole_gpu,
            "threads": threads,
            "training": training,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker reports after an epoch, or at the end of its trial.

    Attributes:
        epochs: figures by name of the epochs that were not reported yet. The first report of an
            attempt repeats those of earlier attempts, since their driver may have died between a
            checkpoint and its record.
        complete: whether all epochs are trained.
        failure: why it broke off; None while it has not.
        inherited: whether the weights began as those of the assigned parent, whose file may have
            been lost; None where no parent was assigned, or nothing was trained.
    """

    epochs: tuple[Mapping[str, Any], ...] = ()
    complete: bool = False
    failure: Failure | None = None
    inherited: bool | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of this attempt."""
        return self.complete or self.failure is not None

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> "Report":
        """Read the result of a Ray trial back."""
        failure = result.get("failure")
        return cls(
            tuple(result.get("epochs", ())),
            bool(result.get("complete")),
            None if failure is None else Failure.from_dict(failure),
            result.get("inherited"),
        )

    def to_result(self) -> dict[str, Any]:
        """The result for Ray."""
        plain: dict[str, Any] = {
            "epochs": [dict(epoch) for epoch in self.epochs],
            "complete": self.complete,
            "done": self.ended,
        }
        plain |= {} if self.failure is None else {"failure": self.failure.to_dict()}
        return plain | ({} if self.inherited is None else {"inherited": self.inherited})
