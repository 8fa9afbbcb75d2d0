"""What the steps of an epoch came to: their losses, and which of them changed nothing."""

import math

import torch
from torch import Tensor

from trainers.outcome import NonFiniteLoss

LOOK_EVERY = 32
"""Steps on a GPU between two looks at the losses; every look waits for the device."""


_SETTLED = 32
"""Steps after which the scaling of the loss must have found its scale."""


class StepLog:
    """Collects the losses of an epoch on their device, and ends it once too many are not finite.

    Args:
        epoch: number of the epoch. steps: of it. device: of the losses.
        limit: how many steps may count as not finite (`Protocol.max_nonfinite_steps`).
    """

    def __init__(self, epoch: int, steps: int, device: torch.device, limit: int) -> None:
        self._epoch, self._limit = epoch, limit
        self._losses = torch.zeros(steps, device=device)
        self._skipped = torch.zeros(steps, dtype=torch.bool, device=device)
        self._counted = torch.zeros(steps, dtype=torch.bool, device=device)
        self._interval = LOOK_EVERY if device.type == "cuda" else 1
        self._seen = self._made = self._not_finite = 0

    def add(self, loss: Tensor, skipped: Tensor, counted: Tensor) -> None:
        """Note the next step.

        Args:
            loss: 0-d. skipped: 0-d bool, whether it changed nothing. counted: 0-d bool, whether
                that counts towards the limit.

        Raises:
            NonFiniteLoss: naming the step with which there were too many.
        """
        self._losses[self._made] = loss.detach()
        self._skipped[self._made] = skipped
        self._counted[self._made] = counted
        self._made += 1
        if self._made - self._seen >= self._interval:
            self._look()

    def mean(self) -> float:
        """Mean of the finite losses.

        Raises:
            NonFiniteLoss: like `add`, or where every step was skipped.
        """
        self._look()
        all_counted = self._not_finite == self._made
        if all_counted or (self._made >= _SETTLED and self.skipped == self._made):
            raise NonFiniteLoss(
                f"{self._what(0)} in epoch {self._epoch}, step 1, and in every other step of it"
            )
        losses = self._losses[: self._made]
        return float(losses[losses.isfinite()].double().mean())

    @property
    def skipped(self) -> int:
        """How many steps changed nothing."""
        return int(self._skipped[: self._made].sum())

    def _look(self) -> None:
        new = slice(self._seen, self._made)
        for step, counted in enumerate(self._counted[new].tolist(), self._seen):
            self._not_finite += counted
            if self._not_finite > self._limit:
                raise NonFiniteLoss(
                    f"{self._what(step)} in epoch {self._epoch}, step {step + 1}{self._which()}"
                )
        self._seen = self._made

    def _what(self, step: int) -> str:
        loss = float(self._losses[step])
        return "the gradient is not finite" if math.isfinite(loss) else f"train loss is {loss}"

    def _which(self) -> str:
        if not self._limit:
            return ""
        return f", the {self._limit + 1}. such step; max_nonfinite_steps is {self._limit}"
