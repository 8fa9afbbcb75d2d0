"""What a worker is told of its trial, and what it reports. Plain values, so they travel as JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from search.store import TrialRecord
from space import Architecture

TRAINING = "search.trial:make_training"
"""The entry point that makes a Training from an assignment; tests put a faulty one in its place."""

EndState = Literal["complete", "failed", "infeasible", "preempted"]


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
        parent: whose weights it starts from, None for its own random ones.
    """

    trial: TrialRecord
    architecture: Architecture
    protocol: Mapping[str, Any]
    data: Mapping[str, Any]
    checkpoint: Path
    parent: ParentWeights | None = None

    def to_config(self, *, device: str, threads: int, training: str) -> dict[str, Any]:
        """The configuration of the Ray trial."""
        return {
            "number": self.trial.number,
            "architecture": self.architecture.to_json(),
            "protocol": dict(self.protocol),
            "data": dict(self.data),
            "seeds": dict(self.trial.seeds),
            "checkpoint": str(self.checkpoint),
            "parent": self.parent.to_config() if self.parent else None,
            "device": device,
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
        state: how the trial ended, None while it goes on.
        reason: why it ended in that state.
        inherited: whether the weights began as those of the assigned parent, whose file may have
            been lost; None where no parent was assigned, or nothing was trained.
    """

    epochs: tuple[Mapping[str, Any], ...] = ()
    state: EndState | None = None
    reason: str | None = None
    inherited: bool | None = None

    @classmethod
    def from_result(cls, result: Mapping[str, Any]) -> "Report":
        """Read the result of a Ray trial back."""
        epochs = tuple(result.get("epochs", ()))
        return cls(epochs, result.get("state"), result.get("reason"), result.get("inherited"))

    def to_result(self) -> dict[str, Any]:
        """The result for Ray."""
        done = self.state is not None
        plain = {"epochs": [dict(epoch) for epoch in self.epochs], "done": done}
        plain |= {} if self.inherited is None else {"inherited": self.inherited}
        return plain | ({"state": self.state, "reason": self.reason} if done else {})
