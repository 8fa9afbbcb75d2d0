"""The model of a transfer, whatever its task: who trains and who judges it sees only this."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from space import Architecture
from space.errors import all_of
from trainers.transfer.backbone import Backbone, refuse_as_backbone
from trainers.transfer.recipe import DetectionRecipe, Recipe, SegmentationRecipe
from trainers.transfer.segmentation import LEAST_STAGES, Segmenter, upernet_decoder
from trainers.transfer.source import BackboneSource

if TYPE_CHECKING:
    from trainers.transfer.detection import Detector

Batch = tuple[Any, Any]
"""Images and targets, as `trainers.transfer.data` makes batches of them."""


def make_model(
    source: BackboneSource,
    recipe: Recipe,
    classes: int,
    *,
    frozen: bool = False,
    masks: bool = True,
) -> "Detector | Segmenter":
    """A model over a backbone, its new parts drawn from torch's global generator, in train mode.

    Args:
        source: the backbone's network.
        recipe: of the model.
        classes: of the data, without the background.
        frozen: whether the network of the backbone stays as it is.
        masks: of detection, whether the data have masks, and not boxes alone.

    Raises:
        InputError: with the reasons why the network is no backbone for this model.
    """
    norms = isinstance(recipe, DetectionRecipe)
    backbone = Backbone(source, recipe, frozen=frozen, norms=norms)
    mean, std = (_of_three(each) for each in (source.mean, source.std))
    if isinstance(recipe, SegmentationRecipe):
        return Segmenter(backbone, recipe, classes, mean, std)
    from trainers.transfer.detection import Detector  # torchvision's detection is heavy

    return Detector(backbone, recipe, classes, mean, std, masks=masks)


def _of_three(values: tuple[float, ...]) -> tuple[float, ...]:
    """A number for each colour; of grey pictures one stands for all."""
    return values * 3 if len(values) == 1 else values


def refuse_model(architecture: Architecture, recipe: Recipe) -> None:
    """Refuse what cannot be built, or needs what is not installed, before any data are read.

    Raises:
        InputError: with every reason.
    """
    least = LEAST_STAGES if isinstance(recipe, SegmentationRecipe) else 1
    all_of(
        (
            partial(refuse_as_backbone, architecture, least),
            partial(_refuse_library, architecture, recipe),
        )
    )


def _refuse_library(architecture: Architecture, recipe: Recipe) -> None:
    if isinstance(recipe, SegmentationRecipe):
        upernet_decoder()
        return
    from trainers.transfer.detection import refuse_detection

    refuse_detection(architecture.stem.patch_size)


def on_device(batch: Batch, device: torch.device) -> Batch:
    """A batch on a device, of either task."""
    images, targets = batch
    return _moved(images, device), _moved(targets, device)


def _moved(values: Any, device: torch.device) -> Any:
    if isinstance(values, Tensor):
        return values.to(device, non_blocking=True)
    if isinstance(values, dict):
        return {name: _moved(value, device) for name, value in values.items()}
    if isinstance(values, list | tuple) and not _is_plain(values):
        return [_moved(value, device) for value in values]
    return values


def _is_plain(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int | float | str) for value in values)


def losses_of(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    """The losses of a batch by name, in train mode."""
    images, targets = batch
    if isinstance(model, Segmenter):
        return model.losses(images, targets)
    found: dict[str, Tensor] = model(images, targets)
    return found


def parts_of(batch: Batch, parts: int) -> list[Batch]:
    """A batch cut into equal parts, one after the other."""
    images, targets = batch
    size = -(-len(images) // parts)
    cuts = [slice(start, start + size) for start in range(0, len(images), size)]
    return [(images[cut], targets[cut]) for cut in cuts]
