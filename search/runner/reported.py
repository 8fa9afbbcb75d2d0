"""What a training reports of an epoch, made safe: a user's own training may report anything."""

import math
from collections.abc import Mapping
from typing import Any

from search.numeric import as_number, as_whole_number

FIGURES = ("train_loss", "validation_loss", "validation_accuracy", "learning_rate", "seconds")
"""The figures of an epoch that the store keeps."""
_LATEST = 10_000_000


class WrongReport(ValueError):
    """A training reports what is no figure."""


def plain_epoch(result: Any) -> dict[str, Any]:
    """The figures of an epoch as plain numbers; what is missing or not finite is None.

    Args:
        result: an EpochResult, another object with `to_dict`, or a mapping.

    Raises:
        WrongReport: there is no number of an epoch, or a figure that is no number.
    """
    values = result if isinstance(result, Mapping) else result.to_dict()
    epoch = as_whole_number(_plain(values.get("epoch")), 1)
    if epoch is None or epoch > _LATEST:
        raise WrongReport(f"epoch must be a whole number from 1; got {values.get('epoch')!r:.80}")
    return {"epoch": epoch} | {name: _figure(epoch, name, values.get(name)) for name in FIGURES}


def _figure(epoch: int, name: str, value: Any) -> float | None:
    if value is None:
        return None
    number = as_number(_plain(value))
    if number is None:
        raise WrongReport(f"{name} of epoch {epoch} must be a number; got {value!r:.80}")
    return number if math.isfinite(number) else None


def _plain(value: Any) -> Any:
    """A scalar of NumPy or torch as a number of Python."""
    count = value.numel() if hasattr(value, "numel") else getattr(value, "size", None)
    return value.item() if hasattr(value, "item") and count == 1 else value
