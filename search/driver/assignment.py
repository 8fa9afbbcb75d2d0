"""What a worker is told of its trial, and what it reports: plain values, which travel as JSON."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.numeric import as_number, as_whole_number
from space import Architecture
from trainers import Failure

if TYPE_CHECKING:  # workers import this module, and have no use for the store
    from search.driver.lineage import Trained
    from search.store import TrialRecord

TRAINING = "search.ray_executor.making:make_training"
"""The entry point that makes a Training from an assignment; tests put a faulty one in its place."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One trial as handed to a worker. A worker never touches the store.

    Attributes:
        trial: its row in the store when it was handed out.
        architecture: what to train.
        settings: what every worker of the study is told, as plain values.
        checkpoint: file that the worker writes after every epoch and goes on from.
        log: file beside it that tells how an attempt broke off.
        parent: whose weights it starts from, None for its own random ones.
        measures: whether the worker first measures how fast pictures come and the network is.
        source: the finished training that it starts from where the protocol finetunes: its
            architecture, checkpoint and protocol, as plain values.
    """

    trial: "TrialRecord"
    architecture: Architecture
    settings: Mapping[str, Any]
    checkpoint: Path
    log: Path
    parent: "Trained | None" = None
    measures: bool = False
    source: Mapping[str, Any] | None = None

    def to_config(self) -> dict[str, Any]:
        """The configuration of the Ray trial."""
        return {
            **self.settings,
            "number": self.trial.number,
            "architecture": self.architecture.to_json(),
            "seeds": dict(self.trial.seeds),
            "checkpoint": str(self.checkpoint),
            "log": str(self.log),
            "parent": self.parent.to_config() if self.parent else None,
            "measures": self.measures,
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """What a worker reports after an epoch, or at the end of its trial.

    Attributes:
        epochs: metrics by name of the epochs that were not reported yet. The first report of an
            attempt repeats those of earlier attempts, since their driver may have died between a
            checkpoint and its record.
        complete: whether all epochs are trained.
        failure: why it broke off; None while it has not.
        inherited: whether the weights began as those of the assigned parent, whose file may have
            been lost; None where no parent was assigned, or nothing was trained.
        throughput: what was measured before the training (`trainers.throughput`), or None.
    """

    epochs: tuple[Mapping[str, Any], ...] = ()
    complete: bool = False
    failure: Failure | None = None
    inherited: bool | None = None
    throughput: Mapping[str, Any] | None = None

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
            result.get("throughput"),
        )

    def to_result(self) -> dict[str, Any]:
        """The result for Ray."""
        plain: dict[str, Any] = {
            "epochs": [dict(epoch) for epoch in self.epochs],
            "complete": self.complete,
            "done": self.ended,
        }
        plain |= {} if self.failure is None else {"failure": self.failure.to_dict()}
        plain |= {} if self.throughput is None else {"throughput": dict(self.throughput)}
        return plain | ({} if self.inherited is None else {"inherited": self.inherited})


_COUNTS = ("skipped_steps", "peak_memory_bytes", "fused_mixers")
EPOCH_METRICS = (
    *("train_loss", "validation_loss", "validation_accuracy", "learning_rate", "seconds"),
    *("images_per_second", *_COUNTS),
)
"""The metrics of an epoch that the store keeps."""
_LATEST = 10_000_000


class WrongReport(ValueError):
    """A training reports what cannot be read."""


def plain_epoch(result: Any) -> dict[str, Any]:
    """The metrics of an epoch as plain numbers; what is missing or not finite is None.

    Args:
        result: an EpochResult, another object with `to_dict`, or a mapping.

    Raises:
        WrongReport: there is no number of an epoch, or a metric that is no number.
    """
    values = result if isinstance(result, Mapping) else result.to_dict()
    epoch = as_whole_number(_plain(values.get("epoch")), 1)
    if epoch is None or epoch > _LATEST:
        raise WrongReport(f"epoch must be a whole number from 1; got {values.get('epoch')!r:.80}")
    return {"epoch": epoch} | {
        name: _metric(epoch, name, values.get(name)) for name in EPOCH_METRICS
    }


def _metric(epoch: int, name: str, value: Any) -> float | None:
    if value is None:
        return None
    number = as_number(_plain(value))
    if number is None:
        raise WrongReport(f"{name} of epoch {epoch} must be a number; got {value!r:.80}")
    if not math.isfinite(number):
        return None
    return int(number) if name in _COUNTS else number


def _plain(value: Any) -> Any:
    """A scalar of NumPy or torch as a number of Python."""
    count = value.numel() if hasattr(value, "numel") else getattr(value, "size", None)
    return value.item() if hasattr(value, "item") and count == 1 else value
