"""Trains a model of detection or segmentation, step by step, and resumes exactly."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, get_total_norm

from trainers.checkpoint import load_checkpoint, remove_abandoned, save_checkpoint
from trainers.initial_weights import to_device
from trainers.optimisation import groups_by_decay
from trainers.outcome import NonFiniteLoss
from trainers.seeds import derive, seeded
from trainers.transfer.metrics.judging import metrics_for
from trainers.transfer.model import Batch, losses_of, on_device, parts_of
from trainers.transfer.recipe import Recipe
from trainers.transfer.schedule import TransferSchedule
from trainers.transfer.state import Progress, TransferState

if TYPE_CHECKING:
    from trainers.transfer.data.transfer_data import TransferData

Report = Callable[[Progress, int, float], None]
"""Told of the progress behind a step, of how many steps there are, and of the step's loss."""
SAVE_SECONDS = 60.0
"""What is lost at most when a training is killed."""


class TransferTraining:
    """The training of a model by a recipe.

    What is random in a step follows from the seed and the number of the step, so that a training
    that goes on from its checkpoint ends, on a CPU, with the very weights of an unbroken one.

    Args:
        model: in train mode. recipe: how. data: on what.
        seed: of order, changes of the pictures, drop path and sampling.
        device: where.
        checkpoint_path: where it is kept, and from where it goes on if it is there.
        identity: plain values that a checkpoint must have been written for.
        save_seconds: between two checkpoints.

    Raises:
        InputError: the checkpoint is damaged, or of something else.
    """

    def __init__(
        self,
        model: nn.Module,
        recipe: Recipe,
        data: "TransferData",
        *,
        seed: int,
        device: torch.device | str = "cpu",
        checkpoint_path: Path | None = None,
        identity: Mapping[str, Any] | None = None,
        save_seconds: float = SAVE_SECONDS,
    ) -> None:
        self.recipe, self.data, self.seed = recipe, data, seed
        self.device, self.identity = torch.device(device), dict(identity or {})
        self.checkpoint_path, self._save_seconds = checkpoint_path, save_seconds
        model = to_device(model, self.device)
        self.state = TransferState(model, _optimiser(model, recipe))
        self.schedule = TransferSchedule(recipe, data.train_images)
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._buffers = [b for b in model.buffers() if b.is_floating_point()]
        if checkpoint_path is not None:
            remove_abandoned(checkpoint_path)
            if checkpoint_path.exists():
                found = load_checkpoint(checkpoint_path, self.identity)
                self.state.restore(found, checkpoint_path)

    @property
    def model(self) -> nn.Module:
        """The model that is trained."""
        return self.state.model

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self.state.progress

    @property
    def steps(self) -> int:
        """Steps of the whole training."""
        return self.schedule.steps

    @property
    def done(self) -> bool:
        """Whether all steps are made."""
        return self.progress.step >= self.steps

    def run(self, report: Report = lambda progress, steps, loss: None) -> None:
        """Train to the end, and save on the way.

        Args:
            report: told of every step.

        Raises:
            NonFiniteLoss: too many steps were not finite.
            UnreadableData: a file has changed since the data were opened.
        """
        self.model.train()
        saved = begun = time.monotonic()
        for batch in self._batches():
            loss = self._make_step(batch)
            now = time.monotonic()
            self.progress.seconds += now - begun
            begun = now
            report(self.progress, self.steps, loss)
            if now - saved >= self._save_seconds and not self.done:
                self.save()
                saved = begun = time.monotonic()
        self.save()

    def save(self) -> None:
        """Write the checkpoint, if it has a place."""
        if self.checkpoint_path is not None:
            save_checkpoint(self.checkpoint_path, self.state.to_checkpoint(self.identity))

    @torch.inference_mode()
    def evaluate(
        self, say: Callable[[int, int], None] = lambda seen, images: None
    ) -> dict[str, float]:
        """The figures of the validation part, by the data's own judge.

        Args:
            say: told how many pictures of how many are seen.
        """
        self.model.eval()
        judge: Any = metrics_for(self.data)
        seen = 0
        changes = validation_changes(self.recipe)
        for batch in self.data.validation(changes):
            images, targets = on_device(batch, self.device)
            with self._precision():
                outputs = self.model(images)
            judge.update(outputs, targets)
            seen += len(images)
            say(seen, self.data.validation_images)
        figures: dict[str, float] = judge.compute()
        return figures

    # --- steps ------------------------------------------------------------------------------------

    def _batches(self) -> Iterator[Batch]:
        """Those that are still to come, on the device."""
        per_epoch = self.recipe.steps_per_epoch(self.data.train_images)
        while not self.done:
            epoch, made = divmod(self.progress.step, per_epoch)
            left = min(per_epoch - made, self.steps - self.progress.step)
            found = self.data.train(
                training_changes(self.recipe),
                batch_size=self.recipe.batch_size,
                epoch=epoch + 1,
                seed=self.seed,
                first=made,
            )
            for batch in islice(found, left):
                yield on_device(batch, self.device)

    def _make_step(self, batch: Batch) -> float:
        """Change the weights by a batch; its loss."""
        step = self.progress.step
        self.schedule.set(self.state.optimiser, step)
        kept = [buffer.clone() for buffer in self._buffers]
        with seeded(derive(self.seed, step, "step")):
            loss = float(self._backward(batch))
        norm = float(self._clipped_norm())
        if _finite(loss) and _finite(norm):
            self.state.optimiser.step()
            self.progress.sums += loss
            self.progress.counted += 1
        else:
            self._skip(kept, loss)
        self.progress.step += 1
        self._note_epoch()
        return loss

    def _backward(self, batch: Batch) -> Tensor:
        self.state.optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.device)
        parts = parts_of(batch, self.recipe.accumulation)
        for part in parts:
            with self._precision():
                losses = losses_of(self.model, part)
            loss = torch.stack([each.float() for each in losses.values()]).sum() / len(parts)
            loss.backward()
            total = total + loss.detach()
        return total

    def _clipped_norm(self) -> Tensor:
        if self.recipe.clip_norm is not None:
            return clip_grad_norm_(self._parameters, self.recipe.clip_norm)
        return get_total_norm([p.grad for p in self._parameters if p.grad is not None])

    def _skip(self, kept: list[Tensor], loss: float) -> None:
        """Nothing has happened, but that it is counted."""
        with torch.no_grad():
            for buffer, value in zip(self._buffers, kept, strict=True):
                buffer.copy_(value)
        self.progress.skipped += 1
        if self.progress.skipped > self.recipe.max_nonfinite_steps:
            what = f"train loss is {loss}" if not _finite(loss) else "the gradient is not finite"
            raise NonFiniteLoss(
                f"{what} in step {self.progress.step + 1}, the {self.progress.skipped}. such step; "
                f"max_nonfinite_steps is {self.recipe.max_nonfinite_steps}"
            )

    def _note_epoch(self) -> None:
        """An entry of the history, at the end of an epoch and of the training."""
        progress = self.progress
        per_epoch = self.recipe.steps_per_epoch(self.data.train_images)
        if progress.step % per_epoch and not self.done:
            return
        mean = progress.sums / progress.counted if progress.counted else None
        entry = {
            "epoch": -(-progress.step // per_epoch),
            "step": progress.step,
            "learning_rate": self.schedule.rate(progress.step - 1),
        }
        progress.history.append(entry if mean is None else {**entry, "train_loss": mean})
        progress.sums, progress.counted = 0.0, 0

    def _precision(self) -> AbstractContextManager[Any]:
        """bfloat16 where the recipe wants it; boxes and losses are made float32 by the models."""
        wanted, kind = self.recipe.precision, self.device.type
        low = wanted == "bfloat16" or (wanted == "auto" and kind == "cuda")
        found: AbstractContextManager[Any] = torch.autocast(kind, torch.bfloat16, enabled=low)
        return found


def _optimiser(model: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    named: Any = getattr(model, "no_weight_decay", set)
    groups = groups_by_decay(model, recipe.weight_decay, named())
    return torch.optim.AdamW(
        groups, lr=recipe.learning_rate, betas=recipe.betas, fused=True, weight_decay=0.0
    )


def training_changes(recipe: Recipe) -> Any:
    """How training pictures are changed: normalised by the model, and not by the data."""
    if recipe.task == "segmentation":
        return recipe.changes.model_copy(update=_AS_THEY_ARE)
    return recipe.changes


def validation_changes(recipe: Recipe) -> Any:
    """How validation pictures are changed: torchvision's models resize them by themselves."""
    if recipe.task == "segmentation":
        return recipe.changes.model_copy(update=_AS_THEY_ARE)
    return recipe.changes.model_copy(update={"validation_shortest": None})


_AS_THEY_ARE = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def _finite(value: float) -> bool:
    return value - value == 0
