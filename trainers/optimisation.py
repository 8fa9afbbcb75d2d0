"""AdamW with timm's parameter groups, and timm's cosine schedule with warm-up, by step."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from space.torchvision_support import prepare_torchvision
from trainers.protocol import Protocol

if TYPE_CHECKING:
    from timm.scheduler import CosineLRScheduler


def make_optimiser(model: nn.Module, protocol: Protocol) -> torch.optim.AdamW:
    """AdamW; what `protocol.weight_decay_exempt` names is not decayed."""
    prepare_torchvision()
    from timm.optim import param_groups_weight_decay

    groups = param_groups_weight_decay(
        model, protocol.weight_decay, no_weight_decay_list=_named_by(model, protocol)
    )
    # One fused pass over all parameters: small networks spend much of a step here otherwise.
    return torch.optim.AdamW(
        groups, lr=protocol.learning_rate, betas=protocol.betas, fused=True, weight_decay=0.0
    )


def _named_by(model: nn.Module, protocol: Protocol) -> set[str]:
    """The parameters that the network itself leaves out, where the protocol listens to it."""
    names = getattr(model, "no_weight_decay", None)
    return (
        set(names()) if names is not None and protocol.weight_decay_exempt == "network" else set()
    )


def make_schedule(
    optimiser: torch.optim.Optimizer, protocol: Protocol, steps_per_epoch: int
) -> "CosineLRScheduler":
    """The learning rate of every step: linear warm-up inside one cosine over all epochs.

    The rate is a function of the step alone: `schedule.step_update(step)` sets it.
    """
    prepare_torchvision()
    from timm.scheduler import CosineLRScheduler

    return CosineLRScheduler(
        optimiser,
        # A step more, so that even the last step moves, and a run of one step is not all end.
        t_initial=protocol.epochs * steps_per_epoch + 1,
        lr_min=protocol.minimum_learning_rate,
        warmup_t=round(protocol.warmup_epochs * steps_per_epoch),
        warmup_lr_init=protocol.warmup_learning_rate,
        t_in_epochs=False,
    )
