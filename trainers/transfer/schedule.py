"""The learning rate of every step of a transfer: steps or a polynomial, behind a warm-up."""

import torch

from trainers.transfer.recipe import TransferRecipe


class TransferSchedule:
    """A function of the step alone; the warm-up multiplies the rate of the schedule, as in mmcv.

    Args:
        recipe: of the rates.
        pictures: to train on, which decide the steps of an epoch.
    """

    def __init__(self, recipe: TransferRecipe, pictures: int) -> None:
        self._recipe = recipe
        self.steps = recipe.steps(pictures)
        unit = 1 if recipe.iterations is not None else recipe.steps_per_epoch(pictures)
        self._milestones = [unit * milestone for milestone in recipe.milestones]

    def rate(self, step: int) -> float:
        """The rate of a step, counted from 0."""
        return self._recipe.learning_rate * self._factor(step) * self._warmup(step)

    def set(self, optimiser: torch.optim.Optimizer, step: int) -> None:
        """Set the rate of a step, before it is made."""
        for group in optimiser.param_groups:
            group["lr"] = self.rate(step)

    def _factor(self, step: int) -> float:
        recipe = self._recipe
        if recipe.schedule == "poly":
            return float((1 - step / self.steps) ** recipe.power)
        return float(recipe.decay_factor ** sum(step >= each for each in self._milestones))

    def _warmup(self, step: int) -> float:
        length, first = self._recipe.warmup_steps, self._recipe.warmup_factor
        return 1.0 if step >= length else first + (1 - first) * step / length
