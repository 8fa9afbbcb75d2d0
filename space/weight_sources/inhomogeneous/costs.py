"""What weights cost that are generated at every position."""

from space.cost.generator import generator_cost
from space.geometry import MapSize, generator_width
from space.mixer import Mixer


def weights(
    mixer: Mixer, width: int, targets: MapSize, sources: MapSize, taps: int, untied: int
) -> tuple[int, int]:
    """Params and multiply-accumulates of making the weights, see `space.cost.mixer_cost`."""
    params, macs, hidden = generator_cost(mixer, width, taps)
    return params + hidden, macs * targets.positions


def paper_macs(mixer: Mixer, width: int, positions: int) -> int:
    """The same as the paper's authors count it."""
    hidden, taps = generator_width(mixer, width), (mixer.kernel_size or 1) ** 2
    return positions * hidden * (width + taps * (mixer.heads or 1))
