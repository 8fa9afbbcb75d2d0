"""One transfer from beginning to end: a model over a backbone, trained, judged, written down."""

import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from space import Architecture, cost
from space.cost import memory
from space.errors import InputError, MixspaceError
from space.input.paths import shown_path
from trainers.seeds import derive, seeded
from trainers.transfer.model import make_model
from trainers.transfer.recipe import Recipe
from trainers.transfer.result import CHECKPOINT, finished, write_result
from trainers.transfer.source import BackboneSource
from trainers.transfer.state import Progress
from trainers.transfer.training import SAVE_SECONDS, TransferTraining

if TYPE_CHECKING:
    from trainers.transfer.data.transfer_data import TransferData

Say = Callable[[str], None]
_PACKAGES = ("torch", "torchvision", "segmentation-models-pytorch", "pycocotools", "torchmetrics")


class TransferFailed(MixspaceError):
    """A transfer that began and could not be finished; its checkpoint, if any, is whole."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What is trained on what.

    Attributes:
        source: of the backbone. recipe: of model and training. data: opened for its task.
        seed: of first weights, order, changes and sampling.
        frozen: whether only what is new is trained.
    """

    source: BackboneSource
    recipe: Recipe
    data: "TransferData"
    seed: int = 0
    frozen: bool = False

    @property
    def identity(self) -> dict[str, Any]:
        """What makes it this transfer; equal ones give equal results on equal machines."""
        return {
            "architecture": self.source.architecture.id,
            "weights": self.source.weights_hash,
            "recipe": self.recipe.hash,
            "data": self.data.content_hash,
            "seed": self.seed,
            "frozen": self.frozen,
        }

    def refuse(self) -> None:
        """Refuse what could not be trained.

        Raises:
            InputError: too few classes, or too few pictures for a step.
        """
        classes, pictures = len(self.data.classes), self.data.train_images
        if self.recipe.task == "segmentation" and classes < 2:
            message = f"{classes} is not enough: with one class every pixel is right from the start"
            raise InputError.of("data.classes", message)
        part = min(self.recipe.batch_size, pictures) // self.recipe.accumulation
        if self.recipe.task == "segmentation" and part < 2:
            message = f"{pictures} training pictures are too few: a step needs two, for batch norms"
            raise InputError.of("data", message)


def run_transfer(
    asked: Transfer,
    folder: Path,
    *,
    device: torch.device | str = "cpu",
    say: Say = lambda text: None,
    report: Callable[[Progress, int, float], None] = lambda progress, steps, loss: None,
    save_seconds: float = SAVE_SECONDS,
) -> dict[str, Any]:
    """Train, judge and write down; goes on where an earlier call into the folder was broken off.

    Args:
        asked: what is trained. folder: of this transfer alone. device: where.
        say: told what is being done. report: told of every step.
        save_seconds: between two checkpoints.

    Returns:
        The content of result.json; that of an earlier call, if it is finished.

    Raises:
        InputError: before work starts, why it cannot be done.
        NonFiniteLoss: too many steps were not finite.
        TransferFailed: nothing can be written into the folder, as for want of room.
    """
    asked.refuse()
    if (found := finished(folder, asked.identity)) is not None:
        return found
    training = begin_training(asked, folder, device, save_seconds)
    if training.progress.step and not training.done:
        say(f"going on behind step {training.progress.step:,} of {training.steps:,}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        training.run(report)
        say(f"validating on {asked.data.validation_images:,} pictures")
        metrics = training.evaluate()
        return write_result(
            folder, training.model, asked.source.architecture, _result(asked, training, metrics)
        )
    except OSError as error:
        why = error.strerror or str(error)
        raise TransferFailed(f"{shown_path(str(folder))} cannot be written: {why}") from error


def begin_training(
    asked: Transfer, folder: Path | None, device: torch.device | str, save_seconds: float
) -> TransferTraining:
    """The training of a transfer, at its beginning or behind its last checkpoint.

    Raises:
        InputError: the network is no backbone, or the checkpoint is damaged or of something else.
    """
    masks = has_masks(asked.data)
    with seeded(derive(asked.seed, "first weights")):
        model: nn.Module = make_model(
            asked.source, asked.recipe, len(asked.data.classes), frozen=asked.frozen, masks=masks
        )
    return TransferTraining(
        model,
        asked.recipe,
        asked.data,
        seed=asked.seed,
        device=device,
        checkpoint_path=None if folder is None else folder / CHECKPOINT,
        identity=asked.identity,
        save_seconds=save_seconds,
    )


def has_masks(data: "TransferData") -> bool:
    """Whether things have masks; pixels of a segmentation have no things."""
    return bool(getattr(data, "has_masks", False))


# --- what is told ---------------------------------------------------------------------------------


def _result(
    asked: Transfer, training: TransferTraining, metrics: dict[str, float]
) -> dict[str, Any]:
    source, data, progress = asked.source, asked.data, training.progress
    return {
        "identity": asked.identity,
        "task": asked.recipe.task,
        "model": asked.recipe.model,
        "metrics": metrics,
        "train_images": data.train_images,
        "validation_images": data.validation_images,
        "classes": list(data.classes),
        "masks": has_masks(data),
        "remarks": list(data.remarks),
        "seed": asked.seed,
        "backbone": {
            "origin": source.origin,
            "mean": list(source.mean),
            "std": list(source.std),
            "frozen": asked.frozen,
            **backbone_costs(source.architecture, asked.recipe),
        },
        "params": sum(each.numel() for each in training.model.parameters()),
        "trained_params": sum(p.numel() for p in training.model.parameters() if p.requires_grad),
        "steps": progress.step,
        "skipped_steps": progress.skipped,
        "seconds": round(progress.seconds, 1),
        "history": progress.history,
        "environment": environment(training.device),
        "recipe": asked.recipe.to_dict(),
        "architecture": source.architecture.to_dict(),
    }


def largest_picture(recipe: Recipe) -> tuple[int, int]:
    """Height and width, in pixels, of what costs are told for: the largest of validation.

    Papers count FLOPs of detection at 800 × 1280, for pictures of 3:5 or so.
    """
    if recipe.task == "segmentation":
        return recipe.changes.crop, recipe.changes.crop
    shortest = recipe.changes.validation_shortest or max(recipe.changes.shortest)
    return shortest, min(recipe.changes.longest, round(shortest * 1.6))


def backbone_costs(architecture: Architecture, recipe: Recipe) -> dict[str, Any]:
    """What the backbone costs for one picture at the recipe's size, analytic.

    The classifier and its norm, which a backbone has no use for, are counted in.
    """
    height, width = largest_picture(recipe)
    values = architecture.to_dict()
    values["input"] |= {"height": height, "width": width}
    larger = Architecture.from_dict(values)
    found, held = cost(larger), memory(larger)
    return {
        "height": height,
        "width": width,
        "params": found.params,
        "macs": found.macs,
        "training_bytes": held.training_bytes,
    }


def environment(device: torch.device) -> dict[str, Any]:
    """The machine and the versions, for people who read the figures later."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": f"{device} ({name})",
        "python": platform.python_version(),
        "packages": {package: _version(package) for package in _PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
