"""Stand-alone files in tests: executed with torch alone, and compared with what they are of."""

import ast
import builtins
import sys
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from space import Architecture
from space.networks import build


def only_torch(name: str, *more: Any) -> ModuleType:
    """`__import__` that knows torch and the standard library."""
    root = name.partition(".")[0]
    if root != "torch" and root not in sys.stdlib_module_names:
        raise ModuleNotFoundError(f"a stand-alone file imports {name}")
    module: ModuleType = builtins.__import__(name, *more)
    return module


def executed(source: str) -> ModuleType:
    """The module of a file that can import nothing but torch and the standard library."""
    module = ModuleType("network")
    vars(module)["__builtins__"] = {**vars(builtins), "__import__": only_torch}
    exec(compile(source, "network.py", "exec"), vars(module))
    return module


def randomised(network: nn.Module) -> nn.Module:
    """With numbers in every tensor, none of them at rest."""
    chance = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            if tensor.dim() > 1:
                tensor.copy_(torch.randn(tensor.shape, generator=chance, dtype=tensor.dtype) * 0.3)
            else:
                tensor.copy_(torch.rand(tensor.shape, generator=chance, dtype=tensor.dtype) + 0.5)
    return network


def pair(architecture: Architecture, source: str) -> tuple[nn.Module, nn.Module]:
    """The network of a file and ours, in float64, with the same random numbers."""
    ours = randomised(build(architecture).double())
    theirs: nn.Module = executed(source).build().double()
    theirs.load_state_dict(ours.state_dict())
    return theirs, ours


def images(architecture: Architecture, batch: int = 2) -> Tensor:
    """Random ones, in float64."""
    shape = architecture.input
    chance = torch.Generator().manual_seed(2)
    size = (batch, shape.channels, shape.height, shape.width)
    return torch.randn(size, generator=chance, dtype=torch.float64)


def tensors(network: nn.Module) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (each.shape, each.dtype) for name, each in network.state_dict().items()}


def assert_same(theirs: nn.Module, ours: nn.Module, batch: Tensor) -> None:
    """The same tensors, results and gradients, and the same statistics after a step."""
    assert tensors(theirs) == tensors(ours)
    with torch.no_grad():
        assert error(*(each.eval()(batch) for each in (theirs, ours))) < 1e-10
    assert error(*(_trained(each.train(), batch) for each in (theirs, ours))) < 1e-10


def error(found: Tensor, wanted: Tensor) -> float:
    """The largest error, beside the largest number that is wanted, if that is more than 1."""
    assert found.shape == wanted.shape
    return float((found - wanted).abs().max() / wanted.abs().max().clamp_min(1))


def _trained(network: nn.Module, batch: Tensor) -> Tensor:
    """Logits, gradients of all parameters and of the images, and buffers, as one vector."""
    batch = batch.clone().requires_grad_()
    logits = network(batch)
    weights = torch.arange(logits.numel(), dtype=torch.float64).cos().view_as(logits)
    (logits * weights).sum().backward()
    named = sorted(network.named_parameters(), key=lambda each: each[0])
    nothing = [name for name, each in named if each.grad is None]
    assert nothing == []
    kept = sorted(network.state_dict().items())
    buffers = [each.double() for name, each in kept if "running" in name or "batches" in name]
    gradients = [each.grad for _, each in named] + [batch.grad]
    return torch.cat([each.detach().flatten() for each in (logits, *gradients, *buffers)])


def unused(source: str) -> set[str]:
    """The names at the top of a file that none of its code reads."""
    tree = ast.parse(source)
    defined = {e.name for e in tree.body if isinstance(e, ast.ClassDef | ast.FunctionDef)}
    read = {e.id for e in ast.walk(tree) if isinstance(e, ast.Name) and isinstance(e.ctx, ast.Load)}
    return defined - read
