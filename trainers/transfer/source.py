"""What a transfer begins with: an architecture, its trained weights if any, and what it saw."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from space import Architecture
from space.networks import build
from trainers.checkpoint import load_weights, seal
from trainers.data.describe import IMAGENET_MEAN, IMAGENET_STD
from trainers.export.loading import load

_SEALED = "mixspace backbone"


@dataclass(frozen=True, slots=True)
class BackboneSource:
    """A network whose stages become a backbone.

    Attributes:
        architecture: of it.
        weights: of its whole state dict; None begins with random ones.
        mean, std: by which its pictures were normalised, one value a channel.
        origin: where it comes from, in words.
    """

    architecture: Architecture
    weights: Mapping[str, Tensor] | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    origin: str

    @property
    def weights_hash(self) -> str | None:
        """16 hex digits over the weights; None for random ones."""
        return None if self.weights is None else seal(_SEALED, self.weights, "")[:16]

    @classmethod
    def random(cls, architecture: Architecture) -> "BackboneSource":
        """An architecture alone, from scratch."""
        channels = architecture.input.channels
        mean: tuple[float, ...] = IMAGENET_MEAN
        std: tuple[float, ...] = IMAGENET_STD
        if channels == 1:
            mean, std = (sum(mean) / 3,), (sum(std) / 3,)
        return cls(architecture, None, mean, std, "random weights")

    @classmethod
    def from_checkpoint(
        cls,
        architecture: Architecture,
        checkpoint: Path,
        expected: Mapping[str, Any],
        scale: tuple[tuple[float, ...], tuple[float, ...]],
        origin: str,
    ) -> "BackboneSource":
        """A training of a store.

        Args:
            checkpoint: its file. expected: entries that its state must have.
            scale: mean and deviation of the channels. origin: in words.

        Raises:
            InputError: the file is missing, damaged, or of something else.
        """
        network = build(architecture, seed=0)  # drawn for nothing
        load_weights(network, checkpoint, expected)
        return cls(architecture, network.state_dict(), *scale, origin)

    @classmethod
    def from_export(cls, folder: Path) -> "BackboneSource":
        """A folder that `mixspace.export` wrote.

        Raises:
            InputError: a file is missing or damaged, or belongs to another network.
        """
        network = load(folder)
        how = network.preprocessing
        origin = f"exported folder {folder.name}"
        return cls(network.architecture, network.state_dict(), how.mean, how.std, origin)
