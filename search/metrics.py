"""The metrics of an architecture that a study may want or bound, and which need no training."""

from collections.abc import Callable, Iterable

from search.objectives import Values
from space import Architecture
from space.cost import cost, memory

MEASURED_METRICS = ("validation_accuracy", "validation_loss")
"""What every epoch of a training reports."""

_COSTS = ("params", "macs")
MEMORY_METRICS = ("training_bytes", "inference_bytes")
ANALYTIC_METRICS = (*_COSTS, *MEMORY_METRICS)
"""What follows from the architecture alone, exactly; memory is for one image in float32."""

DEVICE_METRICS = ("latency",)
"""What is measured of a network on a device, trained or not, in milliseconds; a study that wants
or bounds it says on which."""

METRICS = (*MEASURED_METRICS, *ANALYTIC_METRICS, *DEVICE_METRICS)


def analytic_metrics(names: Iterable[str]) -> Callable[[Architecture], Values]:
    """The function that computes those of the named metrics that need no training."""
    wanted = set(names)
    costs = [name for name in _COSTS if name in wanted]
    memories = [name for name in MEMORY_METRICS if name in wanted]

    def known(architecture: Architecture) -> Values:
        found: dict[str, float] = {}
        if costs:
            spent = cost(architecture)
            found |= {name: float(getattr(spent, name)) for name in costs}
        if memories:
            held = memory(architecture)
            found |= {name: float(getattr(held, name)) for name in memories}
        return found

    return known
