"""The training loss, and the watch for values that are not finite."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from trainers.failures import NonFiniteLoss

LOOK_EVERY = 32


def training_loss(logits: Tensor, targets: Tensor, smoothing: float) -> Tensor:
    """Cross entropy with label smoothing.

    Args:
        logits: (batch, classes). targets: (batch,) labels, or (batch, classes) soft targets, which
            have the smoothing in them already.
    """
    soft = targets.is_floating_point()
    return functional.cross_entropy(logits, targets, label_smoothing=0.0 if soft else smoothing)


class LossLog:
    """Collects the losses of an epoch on their device and ends it at the first non-finite one.

    On a GPU it looks only now and then, since every look waits for the device.
    """

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
