"""How weights change: the loss of a step, AdamW, the schedule of its rate, the moving average.

AdamW has timm's parameter groups, the rate timm's cosine with warm-up, the average is timm's too.
"""

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.torchvision_support import prepare_torchvision
from trainers.outcome import NonFiniteLoss
from trainers.protocol import Protocol

if TYPE_CHECKING:
    from timm.scheduler import CosineLRScheduler
    from timm.utils import ModelEmaV3

LOOK_EVERY = 32
"""Steps on a GPU between two looks at the losses; every look waits for the device."""


def training_loss(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Cross entropy with label smoothing.

    Args:
        logits: (batch, classes). targets: (batch,) labels, or (batch, classes) soft targets, which
            have the smoothing in them already.
    """
    soft = targets.is_floating_point()
    return functional.cross_entropy(logits, targets, label_smoothing=0.0 if soft else smoothing)


class LossLog:
    """Collects the losses of an epoch on their device and ends it at the first non-finite one."""

    def __init__(self, epoch: int, steps: int, device: torch.device) -> None:
        self._epoch = epoch
        self._losses = torch.zeros(steps, device=device)
        self._interval = LOOK_EVERY if device.type == "cuda" else 1
        self._seen = 0
        self._count = 0

    def add(self, loss: Tensor) -> None:
        """Note the loss of the next step.

        Raises:
            NonFiniteLoss: naming the first step whose loss is nan or infinite.
        """
        self._losses[self._count] = loss.detach()
        self._count += 1
        if self._count - self._seen >= self._interval:
            self._look()

    def mean(self) -> float:
        """Mean over the steps; raises NonFiniteLoss like `add`."""
        self._look()
        return float(self._losses[: self._count].double().mean())

    def _look(self) -> None:
        for step, loss in enumerate(self._losses[self._seen : self._count].tolist(), self._seen):
            if not math.isfinite(loss):
                where = f"in epoch {self._epoch}, step {step + 1}"
                raise NonFiniteLoss(f"train loss is {loss} {where}")
        self._seen = self._count


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


def make_average(model: nn.Module, protocol: Protocol) -> "ModelEmaV3 | None":
    """The exponential moving average of parameters and buffers, where the protocol wants it.

    It begins as a copy of the model, which is on its device. `average.update(model, step)` takes in
    the weights behind a step, counted from 1 over all epochs. The decay rises with the steps to its
    value, so that the first weights are soon forgotten, and is a function of the step alone:
    nothing of it has to be kept.
    """
    if protocol.ema_decay is None:
        return None
    prepare_torchvision()
    from timm.utils import ModelEmaV3

    return ModelEmaV3(model, decay=protocol.ema_decay, use_warmup=True)
