"""As many parameters as static weights have; a softmax multiplies nothing."""

from space.geometry import MapSize, weight_sets
from space.mixer import Mixer


def weights(
    mixer: Mixer, width: int, targets: MapSize, sources: MapSize, taps: int, untied: int
) -> tuple[int, int]:
    """Params and multiply-accumulates of making the weights."""
    return weight_sets(mixer, width) * untied * taps, 0
