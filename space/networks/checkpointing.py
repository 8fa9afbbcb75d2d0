"""Gradient checkpointing: blocks that keep their input alone, and compute the rest once more.

timm and torch call it so; it saves memory, and costs a second forward pass in the backward pass.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from space.errors import InputError
from space.operators.recording import is_symbolic, recorded_for_any_batch


def switched(enable: object) -> bool:
    """The value of `set_grad_checkpointing`.

    Raises:
        InputError: for what is neither true nor false.
    """
    if type(enable) is not bool:
        raise InputError.of("enable", f"{enable!r:.80} is not allowed; true or false")
    return enable


def through_blocks(blocks: nn.Module, x: Tensor, checkpointing: bool) -> Tensor:
    """The blocks one after the other.

    Args:
        blocks: of a stage.
        x: (B, C, H, W), to the same shape.
        checkpointing: whether only the input of each block is kept for the gradients. Random
            numbers are drawn again as they were, and batch norms count a batch once. Where no
            gradient is taken, and in traces and exports, nothing is kept in either case.
    """
    if (
        not checkpointing
        or not torch.is_grad_enabled()
        or recorded_for_any_batch()
        or is_symbolic(x)
    ):
        y: Tensor = blocks(x)
        return y
    for block in blocks.children():
        x = _checkpointed(block, x)
    return x


def _checkpointed(block: nn.Module, x: Tensor) -> Tensor:
    if torch.compiler.is_compiling():
        # A compiled graph writes the statistics at its end, once, whatever it computes again.
        compiled: Tensor = checkpoint(block, x, use_reentrant=False)
        return compiled

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _statistics_kept(block)

    y: Tensor = checkpoint(block, x, use_reentrant=False, context_fn=contexts)
    return y


@contextmanager
def _statistics_kept(block: nn.Module) -> Iterator[None]:
    """Batch norms still go by the images of the batch, but have seen them already."""
    norms = [part for part in block.modules() if isinstance(part, _BatchNorm)]
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    try:
        for norm in norms:
            # The running values stay what they are, to the bit; the count is of a copy.
            norm.momentum = 0.0
            norm.num_batches_tracked = _copy(norm.num_batches_tracked)
        yield
    finally:
        for norm, (momentum, count) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, count


def _copy(count: Tensor | None) -> Tensor | None:
    return None if count is None else count.clone()
