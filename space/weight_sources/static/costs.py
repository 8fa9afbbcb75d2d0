"""What static weights cost: they are there."""

from space.geometry import MapSize, weight_sets
from space.mixer import Mixer


def weights(
    mixer: Mixer, width: int, targets: MapSize, sources: MapSize, taps: int, untied: int
) -> tuple[int, int]:
    """Params and multiply-accumulates of making the weights, see `space.cost.mixer_cost`."""
    return weight_sets(mixer, width) * untied * taps, 0


def paper_macs(mixer: Mixer, width: int, positions: int) -> int:
    """The same as the paper's authors count it."""
    return 0
