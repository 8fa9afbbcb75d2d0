"""Tensors picked by index maps, and linear maps on channels that stand several times in a row."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from space.structure.entries import IntArray


def to_device(array: NDArray[Any], like: Tensor) -> Tensor:
    """A NumPy array as a tensor on the device of another."""
    return torch.from_numpy(array).to(like.device)


def looked_up(values: Tensor, numbers: IntArray) -> Tensor:
    """The rows of `values` with these numbers, zeros where a number is negative."""
    there = to_device(numbers >= 0, values).to(values.dtype)
    rows = values[to_device(np.maximum(numbers, 0), values)]
    return rows * there.reshape(*there.shape, *[1] * (values.dim() - 1))


def split_over_copies(weight: Tensor, copies: int) -> Tensor:
    """(outputs, inputs, ...) for inputs that each stand `copies` times in a row.

    The copies share every weight unevenly, by chance: the sum stays, but their gradients differ, so
    that training parts channels that even shares would keep equal for ever.
    """
    if copies == 1:
        return weight
    chances = 1 + torch.rand(*weight.shape[:2], copies, device=weight.device, dtype=weight.dtype)
    shares = chances / chances.sum(2, keepdim=True)
    shares = shares.reshape(*shares.shape, *[1] * (weight.dim() - 2))
    return (weight.unsqueeze(2) * shares).flatten(1, 2)
