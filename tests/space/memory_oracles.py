"""What torch saves, keeps alive and moves, measured."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_WITHOUT_TRAFFIC = ("empty", "empty_like", "new_empty", "_unsafe_view")
_READS_NOTHING = ("zeros_like",)


def saved_bytes(network: nn.Module, images: Tensor) -> int:
    """Bytes that autograd saves in a training step, each storage once, without parameters."""
    parameters = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        saved.setdefault(tensor.untyped_storage().data_ptr(), tensor)
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        network(images).sum()
    return sum(t.untyped_storage().nbytes() for key, t in saved.items() if key not in parameters)


def forward_traffic(network: nn.Module, images: Tensor) -> tuple[int, int]:
    """Most bytes of activations alive at once, and bytes moved, in a forward pass."""
    watch = _Watch(network)
    watch.note(images)
    with torch.no_grad(), watch:
        network(images)
    return watch.peak, watch.moved


class _Watch(TorchDispatchMode):
    """Sees every operation: which storages are alive after it, what it read and wrote."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        owned = [*network.parameters(), *network.buffers()]
        self.owned = {tensor.untyped_storage()._cdata for tensor in owned}
        self.storages: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = self.moved = 0

    def note(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage._cdata not in self.owned and storage._cdata not in self.storages:
            self.storages[storage._cdata] = StorageWeakRef(storage), storage.nbytes()

    def _forget_the_dead(self) -> None:
        alive = {key: kept for key, kept in self.storages.items() if not kept[0].expired()}
        self.storages = alive

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self._forget_the_dead()
        result = function(*args, **(kwargs or {}))
        self.moved += _traffic(function, (args, kwargs), result)
        for tensor in _tensors(result):
            self.note(tensor)
        self._forget_the_dead()
        self.peak = max(self.peak, sum(size for _, size in self.storages.values()))
        return result


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def _traffic(function: Any, given: Any, result: Any) -> int:
    """Bytes of the inputs and outputs of an operation; none for a view."""
    name, schema = function._overloadpacket.__name__, function._schema
    views = any(r.alias_info is not None and not r.alias_info.is_write for r in schema.returns)
    if views or name in _WITHOUT_TRAFFIC:
        return 0
    size: Callable[[Tensor], int] = lambda tensor: tensor.numel() * tensor.element_size()  # noqa: E731
    written = sum(map(size, _tensors(result)))
    read = 0 if name in _READS_NOTHING else sum(map(size, _tensors(given)))
    fills_given = any(a.kwarg_only and a.alias_info is not None for a in schema.arguments)
    return read + (0 if fills_given else written)
