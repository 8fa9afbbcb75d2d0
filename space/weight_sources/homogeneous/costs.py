"""What weights cost that are generated once an image."""

from space.cost.generator import generator_cost
from space.geometry import MapSize, generator_width
from space.mixer import Mixer


def weights(
    mixer: Mixer, width: int, targets: MapSize, sources: MapSize, taps: int, untied: int
) -> tuple[int, int]:
    """Params and multiply-accumulates of making the weights, see `space.cost.mixer_cost`."""
    params, macs, _ = generator_cost(mixer, width, taps)
    return params, macs


def paper_macs(mixer: Mixer, width: int, positions: int) -> int:
    """The same as the paper's authors count it: with the pooling, a kernel a channel."""
    hidden, taps = generator_width(mixer, width), (mixer.kernel_size or 1) ** 2
    return positions * width + width * hidden + taps * width * hidden
