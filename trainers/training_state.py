"""Packs a training into a checkpoint and back."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trainers.checkpoint import Checkpoint, check_tensors
from trainers.epoch_result import EpochResult

if TYPE_CHECKING:
    from trainers.loop import Training

SLOTS = ("step", "exp_avg", "exp_avg_sq")


def pack_state(training: "Training") -> Checkpoint:
    """Weights, buffers, AdamW's moments, and the epochs so far.

    `model` is what is judged, tested and inherited; where that is an average, `trained` goes on.
    """
    from trainers.loop import identity

    tensors = {f"model.{name}": t for name, t in training.judged.state_dict().items()}
    if training.average is not None:
        tensors |= {f"trained.{name}": t for name, t in training.model.state_dict().items()}
    for name, parameter in training.model.named_parameters():
        for slot, value in training.optimiser.state[parameter].items():
            tensors[f"optimiser.{slot}.{name}"] = value
    state: dict[str, Any] = dict(identity(training.architecture, training.protocol, training.seeds))
    state["epoch"] = training.epoch
    state["step"] = training.epoch * training.data.steps_per_epoch
    state["inherited_from"] = training.inherited_from
    state["history"] = [result.to_dict() for result in training.history]
    return Checkpoint(tensors, state)


def unpack_state(training: "Training", checkpoint: Checkpoint, path: Path) -> None:
    """Put a checkpoint into a fresh training; refuses what does not fit before changing anything.

    Raises:
        InputError: naming the file.
    """
    model, optimiser = checkpoint.part("model"), checkpoint.part("optimiser")
    parameters = dict(training.model.named_parameters())
    trained = {n: p for n, p in parameters.items() if f"exp_avg.{n}" in optimiser}
    check_tensors(path, model, training.model.state_dict(), "network")
    trained_weights = model if training.average is None else checkpoint.part("trained")
    check_tensors(path, trained_weights, training.model.state_dict(), "network")
    check_tensors(path, optimiser, _fresh_slots(trained), "optimiser")
    training.judged.load_state_dict(model)
    training.model.load_state_dict(trained_weights)
    for name, parameter in trained.items():
        values = {slot: optimiser[f"{slot}.{name}"] for slot in SLOTS}
        training.optimiser.state[parameter] = {
            slot: _like(parameter, value) for slot, value in values.items()
        }
    training.inherited_from = checkpoint.state.get("inherited_from")
    training.history = tuple(EpochResult(**entry) for entry in checkpoint.state["history"])


def _fresh_slots(parameters: dict[str, torch.nn.Parameter]) -> dict[str, Tensor]:
    slots: dict[str, Tensor] = {}
    for name, parameter in parameters.items():
        slots[f"step.{name}"] = torch.zeros((), dtype=torch.float32)
        slots[f"exp_avg.{name}"] = slots[f"exp_avg_sq.{name}"] = parameter.detach()
    return slots


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    if value.dim() == 0 and parameter.dim() != 0:
        return value.to(parameter.device)
    # The fused AdamW walks over memory: moments must be laid out as their parameter is.
    return torch.empty_like(parameter).copy_(value)
