"""What changes while a transfer trains, and how it is packed into a checkpoint and back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from trainers.checkpoint import Checkpoint, check_tensors
from trainers.training_state import check_moments, packed_moments, restore_moments


@dataclass(slots=True)
class Progress:
    """How far a training is; all of it plain values.

    Attributes:
        step: steps that are made. skipped: of these, those that changed nothing.
        seconds: of training so far, all attempts together.
        sums, counted: of the finite losses since the last entry of the history, and how many.
        history: an entry for each epoch that is through: epoch, step, learning_rate, train_loss.
    """

    step: int = 0
    skipped: int = 0
    seconds: float = 0.0
    sums: float = 0.0
    counted: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(slots=True)
class TransferState:
    """A model, AdamW's moments, and the progress.

    Attributes:
        model: that is trained. optimiser: of what of it is trained.
        progress: see there.
    """

    model: nn.Module
    optimiser: torch.optim.AdamW
    progress: Progress = field(default_factory=Progress)

    def to_checkpoint(self, identity: Mapping[str, Any]) -> Checkpoint:
        """All of it, and for what it was trained."""
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        tensors |= packed_moments(self.model, self.optimiser)
        return Checkpoint(tensors, {**identity, "progress": asdict(self.progress)})

    def restore(self, checkpoint: Checkpoint, path: Path) -> None:
        """Go on from a checkpoint; refuses what does not fit before changing anything.

        Raises:
            InputError: naming the file.
        """
        weights, moments = checkpoint.part("model"), checkpoint.part("optimiser")
        check_tensors(path, weights, self.model.state_dict(), "model")
        check_moments(self.model, moments, path)
        self.model.load_state_dict(weights)
        restore_moments(self.model, self.optimiser, moments)
        self.progress = Progress(**checkpoint.state["progress"])
