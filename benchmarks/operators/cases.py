"""The mixers and maps that are timed: of the paper's networks at 224, and of small ones."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from space import Mixer
from space.geometry import MapSize


@dataclass(frozen=True)
class Case:
    """A mixer on a batch of maps.

    Attributes:
        family: what it is summed up with.
        mixer: the mixer.
        width: channels. edge: height and width of the map. batch: images.
    """

    family: str
    mixer: Mixer
    width: int
    edge: int
    batch: int

    @property
    def size(self) -> MapSize:
        """The map."""
        return MapSize(self.edge, self.edge)

    @property
    def words(self) -> str:
        """Such as "DW-S Conv. 7, 96 × 28×28, batch 8"."""
        kernel = f" {self.mixer.kernel_size}" if self.mixer.kernel_size else ""
        shape = f"{self.width} × {self.edge}×{self.edge}"
        return f"{self.family}{kernel}, {shape}, batch {self.batch}"


STAGES = ((96, 56, 3), (192, 28, 6), (384, 14, 12), (768, 7, 24))
"""Channels, edge and heads of the stages of Swin-T and of the networks like it at 224."""
SMALL = ((32, 14, 2), (64, 7, 4))
"""The same of networks for small images, of which a batch is long."""

DEPTHWISE = "DW-S Conv."
DYNAMIC = "Dynamic DW-S Conv."
INHOMOGENEOUS = "Dynamic Local-S MLP"
NEIGHBOURHOOD_ATTENTION = "Neighbourhood attention"
UNSHARED = "sliding/separable/full/channel/static"
WINDOW_ATTENTION, WINDOW_MLP = "Local ViT", "Local MLP"
GLOBAL_ATTENTION = "ViT"

_SLIDING_WITH_HEADS = (INHOMOGENEOUS, NEIGHBOURHOOD_ATTENTION, UNSHARED)


def _mixer(family: str, heads: int, kernel_size: int) -> Mixer:
    if family in (DEPTHWISE, DYNAMIC):
        return Mixer.named(family, kernel_size=kernel_size)
    if family == GLOBAL_ATTENTION:
        return Mixer.named(family, heads=heads)
    return Mixer.named(family, kernel_size=kernel_size, heads=heads)


def cases(factor: int = 1, tiny: bool = False) -> Iterator[Case]:
    """All of them.

    Args:
        factor: what the batches of CPUs are multiplied with, for devices that need more at once.
        tiny: one small map of each family, and of large kernels, to see that all runs.
    """
    if tiny:
        families = (DEPTHWISE, DYNAMIC, *_SLIDING_WITH_HEADS, WINDOW_ATTENTION, WINDOW_MLP)
        yield from (Case(each, _mixer(each, 1, 3), 4, 3, 2) for each in families)
        yield Case(GLOBAL_ATTENTION, _mixer(GLOBAL_ATTENTION, 1, 3), 4, 3, 2)
        for family in (DEPTHWISE, DYNAMIC):
            yield Case(family, _mixer(family, 1, 11), 4, 3, 2)
        return
    for family, (width, edge, heads) in itertools.product(_families(), (*STAGES, *SMALL)):
        if family == GLOBAL_ATTENTION and edge > 28:
            continue  # 3,136 × 3,136 weights a head and image do not fit beside a comparison
        batch = factor * (64 if (width, edge, heads) in SMALL else 2 if edge > 28 else 8)
        yield Case(family, _mixer(family, heads, 7), width, edge, batch)
    for family, kernel_size in itertools.product((DEPTHWISE, DYNAMIC), (3, 13, 21, 31)):
        for width, edge, _ in STAGES[1:3]:
            yield Case(family, _mixer(family, 1, kernel_size), width, edge, 8 * factor)
    for family, kernel_size in itertools.product((INHOMOGENEOUS, NEIGHBOURHOOD_ATTENTION), (3, 9)):
        for width, edge, heads in STAGES[1:3]:
            yield Case(family, _mixer(family, heads, kernel_size), width, edge, 8 * factor)


def _families() -> tuple[str, ...]:
    sliding = (DEPTHWISE, DYNAMIC, *_SLIDING_WITH_HEADS)
    return (*sliding, WINDOW_ATTENTION, WINDOW_MLP, GLOBAL_ATTENTION)
