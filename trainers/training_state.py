"""What changes while a training runs, and how it is packed into a checkpoint and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from trainers.checkpoint import Checkpoint, check_tensors
from trainers.outcome import EpochResult

if TYPE_CHECKING:
    from timm.utils import ModelEmaV3

SLOTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW keeps of a parameter."""


@dataclass(slots=True)
class TrainingState:
    """Weights, their average, AdamW's moments, and the epochs so far.

    Attributes:
        model: the network that is trained. average: of its weights, where the protocol wants it.
        optimiser: of the model's parameters.
        history: what every finished epoch reported.
        inherited_from: id of the architecture whose weights this training began with, or None.
        scaler: of the loss, where the precision needs it.
    """

    model: nn.Module
    average: "ModelEmaV3 | None"
    optimiser: torch.optim.AdamW
    history: tuple[EpochResult, ...] = ()
    inherited_from: str | None = None
    scaler: torch.amp.GradScaler | None = None

    @property
    def evaluated(self) -> nn.Module:
        """The network whose metrics count: the average of the weights, or the weights."""
        return self.model if self.average is None else self.average.module

    def to_checkpoint(self, identity: Mapping[str, str], steps_per_epoch: int) -> Checkpoint:
        """All of it, and for what it was trained.

        `model` is what is evaluated, tested and inherited; where that is an average, `trained` goes
        on.
        """
        tensors = {f"model.{name}": t for name, t in self.evaluated.state_dict().items()}
        if self.average is not None:
            tensors |= {f"trained.{name}": t for name, t in self.model.state_dict().items()}
        tensors |= packed_moments(self.model, self.optimiser)
        epoch = len(self.history)
        values: dict[str, Any] = {
            **identity,
            "epoch": epoch,
            "step": epoch * steps_per_epoch,
            "inherited_from": self.inherited_from,
            "history": [result.to_dict() for result in self.history],
        }
        if self.scaler is not None:
            values["scaler"] = self.scaler.state_dict()
        return Checkpoint(tensors, values)

    def restore(self, checkpoint: Checkpoint, path: Path) -> None:
        """Go on from a checkpoint; refuses what does not fit before changing anything.

        Raises:
            InputError: naming the file.
        """
        evaluated, moments = checkpoint.part("model"), checkpoint.part("optimiser")
        weights = evaluated if self.average is None else checkpoint.part("trained")
        check_tensors(path, evaluated, self.model.state_dict(), "network")
        check_tensors(path, weights, self.model.state_dict(), "network")
        check_moments(self.model, moments, path)
        self.evaluated.load_state_dict(evaluated)
        self.model.load_state_dict(weights)
        restore_moments(self.model, self.optimiser, moments)
        if self.scaler is not None:
            self.scaler.load_state_dict(checkpoint.state["scaler"])
        self.inherited_from = checkpoint.state.get("inherited_from")
        self.history = tuple(EpochResult(**entry) for entry in checkpoint.state["history"])


def packed_moments(model: nn.Module, optimiser: torch.optim.AdamW) -> dict[str, Tensor]:
    """What AdamW keeps of a model's parameters, as tensors of a checkpoint."""
    return {
        f"optimiser.{slot}.{name}": value
        for name, parameter in model.named_parameters()
        for slot, value in optimiser.state[parameter].items()
    }


def check_moments(model: nn.Module, moments: Mapping[str, Tensor], path: Path) -> None:
    """Refuse moments that are not those of a model's parameters; some may have none yet.

    Raises:
        InputError: naming the file.
    """
    check_tensors(path, moments, _fresh_moments(_with_moments(model, moments)), "optimiser")


def restore_moments(
    model: nn.Module, optimiser: torch.optim.AdamW, moments: Mapping[str, Tensor]
) -> None:
    """Give AdamW what it kept, once it is known to fit."""
    for name, parameter in _with_moments(model, moments).items():
        optimiser.state[parameter] = {
            slot: _laid_out_as(parameter, moments[f"{slot}.{name}"]) for slot in SLOTS
        }


def _with_moments(model: nn.Module, moments: Mapping[str, Tensor]) -> dict[str, nn.Parameter]:
    return {n: p for n, p in model.named_parameters() if f"exp_avg.{n}" in moments}


def _fresh_moments(parameters: Mapping[str, nn.Parameter]) -> dict[str, Tensor]:
    moments: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        moments[f"step.{name}"] = torch.zeros((), dtype=torch.float32)
        moments[f"exp_avg.{name}"] = moments[f"exp_avg_sq.{name}"] = parameter.detach()
    return moments


def _laid_out_as(parameter: Tensor, value: Tensor) -> Tensor:
    if value.dim() == 0 and parameter.dim() != 0:
        return value.to(parameter.device)
    # The fused AdamW walks over memory: moments must be laid out as their parameter is.
    return torch.empty_like(parameter).copy_(value)
