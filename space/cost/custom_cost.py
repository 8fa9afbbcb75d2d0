"""Cost and memory of custom mixers: by the formulas that they declare, else traced.

Tracing builds the module on torch's meta device, once for each width and map: no numbers are
computed, only shapes. Torch is imported for it, and for it alone.
"""

from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

from space.custom import CustomMixer
from space.errors import InputError
from space.geometry import MapSize

_KEPT = 1 << 14


class TracedMemory(NamedTuple):
    """What a module does to memory, seen from outside, for a batch in float32, in bytes.

    Attributes:
        saved: tensors that autograd saves, but for the parameters and for what follows.
        saves_values, saves_context, saves_result: whether it saves these maps.
        peak: the most that is alive at once besides what it was given.
        moved: what its operations read and write.
    """

    saved: int
    saves_values: bool
    saves_context: bool
    saves_result: bool
    peak: int
    moved: int


@lru_cache(_KEPT)
def custom_cost(mixer: CustomMixer, width: int, size: MapSize) -> tuple[int, int, int]:
    """Params, MACs and unseen MACs for one image.

    Raises:
        InputError: it is not registered, a formula gives no number, or it cannot be traced.
    """
    definition = mixer.definition
    if definition.params is None or definition.macs is None:
        traced = _tracing().traced_cost(mixer, width, size)
    else:
        traced = (0, 0, 0)
    formulas = (definition.params, definition.macs, definition.unseen_macs)
    names = ("params", "macs", "unseen_macs")
    params, macs, unseen = (
        seen if formula is None else _number(mixer, name, formula, width, size)
        for name, formula, seen in zip(names, formulas, traced, strict=True)
    )
    if definition.macs is not None and definition.unseen_macs is None and traced[1]:
        unseen = max(0, macs - traced[1])
    return params, macs, unseen


def _number(mixer: CustomMixer, name: str, formula: Any, width: int, size: MapSize) -> int:
    try:
        value = formula(width, size, **mixer.all_options)
    except Exception as error:
        where = f"{mixer.custom!r} at width {width} on {size.height}×{size.width}"
        message = f"the formula of {where} failed: {type(error).__name__}: {error}"
        raise InputError.of(name, message) from error
    if type(value) is not int or value < 0:
        raise InputError.of(name, f"the formula of {mixer.custom!r} gave {value!r}, no count")
    return value


@lru_cache(_KEPT)
def custom_memory(mixer: CustomMixer, width: int, size: MapSize, batch: int) -> TracedMemory:
    """What the module does to memory.

    Raises:
        InputError: it is not registered, or cannot be traced.
    """
    found: TracedMemory = _tracing().traced_memory(mixer, width, size, batch)
    return found


def _tracing() -> Any:
    # By its name: costs need no torch, but for the mixers of others.
    return import_module("space.operators.tracing")
