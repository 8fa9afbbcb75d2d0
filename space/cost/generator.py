"""What weights cost that 1×1 C→C/ratio → BN → ReLU → 1×1 makes of a map (mirrors
`space.operators.generated_weights`)."""

from space.cost.memory_plan import MemoryPlan
from space.cost.tape import Tape, Tensor, batch_norm, linear, relu, then
from space.geometry import generator_width, weight_sets
from space.mixer import Mixer


def generator_cost(mixer: Mixer, width: int, taps: int) -> tuple[int, int, int]:
    """Params without a bias of the first layer, MACs for each position, and hidden channels."""
    hidden, weights = generator_width(mixer, width), weight_sets(mixer, width) * taps
    macs = hidden * (width + weights)
    return macs + 2 * hidden + weights, macs, hidden


def generated(t: Tape, plan: MemoryPlan, x: Tensor, bias: bool) -> Tensor:
    """The weights that are made of x; `bias` is that of the first layer."""
    hidden = generator_width(plan.mixer, plan.width)
    y = linear(t, x, plan.width, hidden, bias=bias)
    y = then(t, batch_norm, y, hidden)
    y = then(t, relu, y)
    return then(t, linear, y, hidden, weight_sets(plan.mixer, plan.width) * plan.taps)
