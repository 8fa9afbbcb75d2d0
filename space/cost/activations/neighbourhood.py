"""Sums and products over neighbourhoods, a shift at a time (mirrors
`space.operators.neighbourhood`)."""

from space.cost.activations.plan import Plan
from space.cost.activations.tape import Tape, Tensor


def batch_last(t: Tape, x: Tensor, channels_last: bool) -> Tensor:
    """A map with the batch innermost, for which one image with channels first needs no copy."""
    return t.copy_if(t.batch > 1 or channels_last, x)


def _padded(t: Tape, x: Tensor, plan: Plan) -> Tensor:
    border = plan.kernel_size - 1
    height, width = plan.targets.height + border, plan.targets.width + border
    return t.run(t.map(plan.width, height * width), x)


def neighbourhood_sum(t: Tape, weights: Tensor, x: Tensor, plan: Plan) -> Tensor:
    """Σ over taps of weights · shifted x; both are saved. Every tap reads and writes the sum."""
    t.save(weights, x)
    total = t.run(x.size)
    padded = _padded(t, x, plan)
    t.moved += plan.kernel_size**2 * 3 * x.size + weights.size
    t.free(padded)
    return total


def neighbourhood_dot(t: Tape, targets: Tensor, sources: Tensor, plan: Plan) -> Tensor:
    """Σ over channels of targets · shifted sources at each tap; both are saved."""
    t.save(targets, sources)
    taps = plan.kernel_size**2
    logits = t.make(t.map(plan.outputs, taps * plan.targets.positions))
    product = t.make(targets.size)
    padded = _padded(t, sources, plan)
    t.moved += taps * 4 * targets.size + logits.size
    t.free(product, padded)
    return logits
