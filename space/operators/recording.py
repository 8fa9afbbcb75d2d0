"""Being recorded rather than run: by which of PyTorch's tools, and how a part stands in a graph."""

from typing import Any

import torch
from torch import Tensor, fx, nn


def recorded_for_any_batch() -> bool:
    """Whether what runs now is written down, with the batch size of the example as a number.

    `torch.jit.trace` and `torch.export` do (ONNX is made by the latter): what they write must hold
    for all batch sizes. `torch.compile` compiles anew where something changes.
    """
    return being_traced() or torch.compiler.is_exporting()


def being_traced() -> bool:
    """Whether `torch.jit.trace` looks on."""
    return bool(torch.jit._trace.is_tracing())


def being_transformed() -> bool:
    """Whether what runs is inside of `torch.func`: vmap, grad and their like."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def is_symbolic(x: Any) -> bool:
    """Whether it only stands for a tensor, as in `torch.fx.symbolic_trace`."""
    return isinstance(x, fx.Proxy)


def as_one_node(module: nn.Module, *inputs: Any) -> Tensor:
    """The call of a module whose inside depends on its mode or on sizes, in a symbolic trace.

    It stands there whole, as PyTorch's own layers do.
    """
    tracer = next(each.tracer for each in inputs if is_symbolic(each))
    node: Tensor = tracer.create_proxy("call_module", tracer.path_of_module(module), inputs, {})
    return node
