"""Memory of homogeneous weights (mirrors `module`)."""

from space.cost.generator import generated
from space.cost.memory_plan import MemoryPlan
from space.cost.tape import Tape, Tensor


def make_weights(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    """Kernels of its own for each image."""
    pooled = t.run(t.map(plan.width, 1), targets)
    kernels = generated(t, plan, pooled, bias=False)
    t.free(pooled)
    return kernels
