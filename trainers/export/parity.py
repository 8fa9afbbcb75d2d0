"""Whether what was written computes what the network computes, and how far it is off."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from space import Architecture
from space.errors import MixspaceError

BATCHES = (1, 3)
"""Sizes of the batches that are compared: one image, and an odd number that nothing is traced with.
"""
_SEED = 20220428


class NotEqual(MixspaceError):
    """What was written computes something else than the network; nothing is exported."""


@dataclass(frozen=True, slots=True)
class Parity:
    """How far two networks are apart.

    Attributes:
        error: largest difference of a logit, over all batches. allowed: the most that it may be;
            where logits are larger than 1, so many times more than is asked for.
        batches: the sizes of the batches that were compared.
    """

    error: float
    allowed: float
    batches: tuple[int, ...] = BATCHES


def compared(
    what: str,
    network: nn.Module,
    other: Callable[[Tensor], Tensor],
    architecture: Architecture,
    allowed: float,
) -> Parity:
    """Compare a network with what was written of it, on random images.

    Args:
        what: its name, for the message.
        network: in evaluation mode, on the CPU.
        other: (B, channels, height, width) to (B, classes).
        architecture: of the network.
        allowed: the largest difference of a logit, where the largest logit is at most 1; where
            logits are larger, so many times larger.

    Raises:
        NotEqual: they differ by more, or one of them is not finite.
    """
    image = architecture.input
    chance = torch.Generator().manual_seed(_SEED)
    worst, largest = 0.0, 1.0
    for batch in BATCHES:
        shape = (batch, image.channels, image.height, image.width)
        images = torch.randn(shape, generator=chance)
        with torch.no_grad():
            wanted, found = network(images), other(images)
        if found.shape != wanted.shape:
            message = f"gives {tuple(found.shape)} for {batch} images, not {tuple(wanted.shape)}"
            raise NotEqual(f"{what} {message}; nothing was exported")
        # A maximum keeps what is not a number, so that it is seen below.
        worst = max(worst, float((found - wanted).abs().max()), key=_nan_last)
        largest = max(largest, float(wanted.abs().max()))
    allowed *= largest
    if not worst <= allowed:
        message = f"differs from the network by {worst:.2g}, and {allowed:.2g} is allowed"
        raise NotEqual(f"{what} {message}; nothing was exported")
    return Parity(worst, allowed)


def _nan_last(value: float) -> tuple[bool, float]:
    return value != value, value
