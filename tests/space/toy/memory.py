"""Parameters, and their softmax."""

import math

from space.cost.memory_plan import MemoryPlan
from space.cost.tape import Tape, Tensor, softmax, then


def make_weights(t: Tape, plan: MemoryPlan, targets: Tensor, sources: Tensor) -> Tensor:
    """The weights as an aggregator takes them."""
    return then(t, softmax, t.parameter(math.prod(plan.static_shape)))
