"""What the weights of attention cost: two projections, and a table of relative positions."""

from space.axes import Locality
from space.geometry import MapSize, tile_edges
from space.mixer import Mixer


def weights(
    mixer: Mixer, width: int, targets: MapSize, sources: MapSize, taps: int, untied: int
) -> tuple[int, int]:
    """Params and multiply-accumulates but for the logits, see `space.cost.mixer_cost`."""
    params = 2 * width * width + (2 * width if mixer.query_key_bias else 0)
    if mixer.position_bias:
        params += (mixer.heads or 1) * _offsets(mixer, targets, taps)
    return params, width * width * (targets.positions + sources.positions)


def _offsets(mixer: Mixer, targets: MapSize, taps: int) -> int:
    """How many different q − p a reach has."""
    if mixer.locality is Locality.SLIDING:
        return taps
    height, width = tile_edges(mixer, targets)
    return (2 * height - 1) * (2 * width - 1)
