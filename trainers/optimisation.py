"""How weights change: the loss of a step, AdamW, the schedule of its rate, the moving average.

AdamW has timm's parameter groups and the rate timm's cosine with warm-up, both computed here: timm
brings torchvision along, and to import them takes every worker a second and more. The average is
timm's, which is imported where a protocol wants it.
"""

import math
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from space.torchvision_support import prepare_torchvision
from trainers.outcome import NonFiniteLoss
from trainers.protocol import Protocol

if TYPE_CHECKING:
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
    named = _named_by(model, protocol)
    exempt: list[nn.Parameter] = []
    decayed: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (exempt if _is_exempt(name, parameter, named) else decayed).append(parameter)
    groups = [
        {"params": parameters, "weight_decay": decay}
        for parameters, decay in ((exempt, 0.0), (decayed, protocol.weight_decay))
        if parameters
    ]
    # One fused pass over all parameters: small networks spend much of a step here otherwise.
    return torch.optim.AdamW(
        groups, lr=protocol.learning_rate, betas=protocol.betas, fused=True, weight_decay=0.0
    )


def _is_exempt(name: str, parameter: nn.Parameter, named: Iterable[str]) -> bool:
    """As timm has it: vectors, biases, and what the network names, also by patterns."""
    if parameter.ndim <= 1 or name.endswith(".bias"):
        return True
    return any(fnmatchcase(name, pattern) for pattern in named)


def _named_by(model: nn.Module, protocol: Protocol) -> set[str]:
    """The parameters that the network itself leaves out, where the protocol listens to it."""
    names = getattr(model, "no_weight_decay", None)
    return (
        set(names()) if names is not None and protocol.weight_decay_exempt == "network" else set()
    )


class CosineSchedule:
    """The learning rate of every step: linear warm-up inside one cosine over all epochs.

    To the last bit the rates of timm's `CosineLRScheduler` by step.

    Args:
        optimiser: whose rate is set. protocol: of the rates and lengths.
        steps_per_epoch: batches of an epoch.
    """

    def __init__(
        self, optimiser: torch.optim.Optimizer, protocol: Protocol, steps_per_epoch: int
    ) -> None:
        self._optimiser = optimiser
        self._peak = protocol.learning_rate
        self._first = protocol.warmup_learning_rate
        self._least = protocol.minimum_learning_rate
        self._warmup = round(protocol.warmup_epochs * steps_per_epoch)
        # A step more, so that even the last step moves, and a run of one step is not all end.
        self._length = protocol.epochs * steps_per_epoch + 1

    def rate(self, step: int) -> float:
        """The rate of a step, counted from 0 over all epochs; a function of the step alone."""
        if step < self._warmup:
            return self._first + step * ((self._peak - self._first) / self._warmup)
        falling = 0.5 * (1 + math.cos(math.pi * step / self._length))
        return self._least + (self._peak - self._least) * falling

    def step_update(self, step: int) -> None:
        """Set the rate of a step, before it is made."""
        rate = self.rate(step)
        for group in self._optimiser.param_groups:
            group["lr"] = rate


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
