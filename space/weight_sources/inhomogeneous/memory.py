"""Memory of inhomogeneous weights (mirrors `module`)."""

from space.cost.generator import generated
from space.cost.memory_plan import MemoryPlan, split, without
from space.cost.tape import Tape, Tensor, then


def make_weights(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    """The weights of each position, tile by tile where the map is cut."""
    made = generated(t, plan, targets, bias=True)
    if not plan.tiled:
        return made
    width = plan.outputs * plan.taps
    weights = split(t, made, width, plan.target_tiles, plan.weights_channels_last)
    if plan.mask:
        weights = then(t, without, weights, plan.mask)
    t.free(made)
    return weights
