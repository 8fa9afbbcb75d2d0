"""Whether a network is being recorded, by which of PyTorch's tools, rather than run."""

from typing import Any

import torch
from torch import fx


def recorded_for_any_batch() -> bool:
    """Whether what runs now is written down, with the batch size of the example as a number.

    `torch.jit.trace` and `torch.export` do (ONNX is made by the latter): what they write must hold
    for all batch sizes. `torch.compile` compiles anew where something changes.
    """
    tracing: bool = torch.jit._trace.is_tracing()
    return tracing or torch.compiler.is_exporting()


def is_symbolic(x: Any) -> bool:
    """Whether it only stands for a tensor, as in `torch.fx.symbolic_trace`."""
    return isinstance(x, fx.Proxy)
