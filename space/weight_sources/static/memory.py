"""Memory of static weights (mirrors `module`)."""

from space.cost.memory_plan import MemoryPlan
from space.cost.tape import Tape, Tensor
from space.geometry import weight_sets


def make_weights(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    """The weights as an aggregator takes them; the maps are not read."""
    untied = plan.target_tiles.positions if plan.tiled else 1
    if not plan.tiled and not plan.mixer.position_shared:
        untied = plan.targets.positions
    return t.parameter(weight_sets(plan.mixer, plan.width) * plan.taps * untied)
