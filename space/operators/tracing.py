"""What the module of a custom mixer costs, traced on the meta device: shapes without numbers."""

from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from space.cost.custom_cost import TracedMemory
from space.custom import CustomMixer
from space.errors import InputError
from space.geometry import MapSize
from space.operators.custom import CustomTokenMixer

_WITHOUT_TRAFFIC = ("empty", "empty_like", "new_empty", "_unsafe_view", "detach")


def traced_cost(mixer: CustomMixer, width: int, size: MapSize) -> tuple[int, int, int]:
    """Params, the multiply-accumulates for one image that torch counts, and 0.

    Raises:
        InputError: it cannot be built, or run, without numbers.
    """
    try:
        module = _on_meta(mixer, width, size)
        params = sum(each.numel() for each in module.parameters() if each.requires_grad)
        module.requires_grad_(False)  # what a module hands on would have no place in a graph
        values, context = _maps(width, size, 1)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            result = module.eval()(values, context)
        if result.shape != values.shape:
            shapes = f"from {list(values.shape)} to {list(result.shape)}"
            raise InputError.of("forward", f"changes the shape of the map: {shapes}")
    except Exception as error:  # noqa: BLE001  whatever the code of others raises
        _refuse(mixer, width, size, error)
    return params, counter.get_total_flops() // 2, 0


def traced_memory(mixer: CustomMixer, width: int, size: MapSize, batch: int) -> TracedMemory:
    """What it saves, holds and moves for a batch.

    Raises:
        InputError: it cannot be built, or run, without numbers.
    """
    try:
        module = _on_meta(mixer, width, size)
        values, context = _maps(width, size, batch)
        try:
            saved, result = _saved(module, values, context)
        except ValueError:  # a batch norm of one value has statistics in evaluation alone
            saved, result = _saved(module.eval(), values, context)
        watch = _Watch(module, values, context)
        with torch.no_grad(), watch:
            module(values, context)
    except Exception as error:  # noqa: BLE001  whatever the code of others raises
        _refuse(mixer, width, size, error)
    given = {_key(tensor): tensor for tensor in (values, context, result)}
    more = sum(_bytes(tensor) for key, tensor in saved.items() if key not in given)
    return TracedMemory(
        saved=more,
        saves_values=_key(values) in saved,
        saves_context=_key(context) in saved,
        saves_result=_key(result) in saved,
        peak=watch.peak,
        moved=watch.moved,
    )


def _on_meta(mixer: CustomMixer, width: int, size: MapSize) -> CustomTokenMixer:
    with torch.device("meta"):
        module = CustomTokenMixer(mixer, width, size)
    return module.to("meta")


def _maps(width: int, size: MapSize, batch: int) -> tuple[Tensor, Tensor]:
    """Values and context, channels last as between the blocks of a network."""
    shape = batch, width, size.height, size.width
    made = [
        torch.empty(shape, device="meta").to(memory_format=torch.channels_last) for _ in range(2)
    ]
    return made[0], made[1]


def _saved(module: nn.Module, values: Tensor, context: Tensor) -> tuple[dict[int, Tensor], Tensor]:
    """What autograd saves, by storage, without the parameters; and the result."""
    owned = {_key(each) for each in module.parameters()}
    saved: dict[int, Tensor] = {}

    def pack(tensor: Tensor) -> Tensor:
        if _key(tensor) not in owned:
            saved.setdefault(_key(tensor), tensor)
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        result = module(values.requires_grad_(), context.requires_grad_())
    return saved, result


class _Watch(TorchDispatchMode):
    """Sees every operation: which storages are alive after it, what it read and wrote."""

    def __init__(self, module: nn.Module, *given: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        known = [*module.parameters(), *module.buffers(), *given]
        self._known = {_key(tensor) for tensor in known}
        self._alive: dict[int, tuple[StorageWeakRef, int]] = {}
        self.peak = self.moved = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = function(*args, **(kwargs or {}))
        self.moved += _traffic(function, (args, kwargs), result)
        self._alive = {key: kept for key, kept in self._alive.items() if not kept[0].expired()}
        for tensor in _tensors(result):
            key = _key(tensor)
            if key not in self._known and key not in self._alive:
                weak: Any = StorageWeakRef
                self._alive[key] = weak(tensor.untyped_storage()), _bytes(tensor)
        self.peak = max(self.peak, sum(size for _, size in self._alive.values()))
        return result


def _key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


def _bytes(tensor: Tensor) -> int:
    return int(tensor.untyped_storage().nbytes())


def _tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def _traffic(function: Any, given: Any, result: Any) -> int:
    """Bytes of the inputs and outputs of an operation; none for a view."""
    views = any(
        each.alias_info is not None and not each.alias_info.is_write
        for each in function._schema.returns
    )
    if views or function._overloadpacket.__name__ in _WITHOUT_TRAFFIC:
        return 0
    size: Callable[[Tensor], int] = lambda tensor: tensor.numel() * tensor.element_size()  # noqa: E731
    return sum(map(size, (*_tensors(given), *_tensors(result))))


def _refuse(mixer: CustomMixer, width: int, size: MapSize, error: Exception) -> NoReturn:
    if isinstance(error, InputError):
        raise error
    try:
        CustomTokenMixer(mixer, width, size)
    except Exception as own:
        message = f"building it at width {width} on {size.height}×{size.width} fails"
        said = f"{type(own).__name__}: {(str(own).splitlines() or [''])[0][:200]}"
        raise InputError.of("factory", f"{message}: {said}") from own
    said = str(error).splitlines()[0][:200] if str(error) else ""
    raise InputError.of(
        "mixer",
        f"{mixer.label!r} at width {width} on {size.height}×{size.width} cannot be traced on the "
        f"meta device: {type(error).__name__}: {said}. Formulas of its cost (`params=`, `macs=`) "
        "need no tracing, memory limits do",
    ) from error
