"""Every kernel size and tile edge from 1 to 31 against the definition, gradients too.

All mixer types without rank factors, so that each weight source meets each aggregator.
Maps are long and thin: they reach every row or every column of a kernel, at a hundredth of the
position pairs of a square.
"""

import pytest

from space import Mixer, MixerType, all_mixer_types
from space.axes import Locality, Rank
from space.geometry import MapSize
from tests.space.strategies import type_fields
from tests.space.test_operators_against_reference import assert_agrees

pytestmark = pytest.mark.thorough

GRADIENT_EDGE = 8
"""The slow reference differentiates a whole tile's weights once for every position."""

SMALL = 12
"""Up to here every mixer type has every size; the larger ones are shared among alike types."""


def families(locality: Locality) -> list[MixerType]:
    """The mixer types without rank factors: these only surround what depends on the kernel."""
    return [c for c in all_mixer_types() if c.locality is locality and c.rank is Rank.FULL]


def mixer_of(mixer_type: MixerType, kernel_size: int) -> Mixer:
    sizes = {"kernel_size": kernel_size, "heads": 2, "groups": 2}
    applicable = Mixer.applicable(*mixer_type.values)
    fields = {name: size for name, size in sizes.items() if name in applicable}
    return Mixer(**type_fields(mixer_type), **fields)


def sizes_of(mixer_type: MixerType, sizes: range) -> list[int]:
    """All small ones; of the large ones a third, where other types have the same weight source.

    So each weight source meets each size.
    """
    alike = [c for c in families(mixer_type.locality) if c.dynamics is mixer_type.dynamics]
    own = alike.index(mixer_type)
    return [
        size
        for number, size in enumerate(sizes)
        if size <= SMALL or len(alike) < 3 or (number + own) % 3 == 0
    ]


def thin(length: int, lying: bool, thickness: int = 2) -> MapSize:
    return MapSize(thickness, length) if lying else MapSize(length, thickness)


@pytest.mark.parametrize(
    "mixer_type", families(Locality.SLIDING), ids=lambda mixer_type: mixer_type.label
)
def test_sliding_kernels(mixer_type: MixerType) -> None:
    for kernel_size in sizes_of(mixer_type, range(1, 32, 2)):
        size = thin(kernel_size // 2 + 2, lying=kernel_size % 4 == 1)
        assert_agrees(
            mixer_of(mixer_type, kernel_size),
            4,
            size,
            shifted=False,
            seed=kernel_size,
            image=kernel_size // 2 % 2,
        )


@pytest.mark.parametrize(
    "mixer_type", families(Locality.WINDOW), ids=lambda mixer_type: mixer_type.label
)
def test_tiles(mixer_type: MixerType) -> None:
    for edge in sizes_of(mixer_type, range(1, 32)):
        assert_agrees(
            mixer_of(mixer_type, edge),
            4,
            thin(edge + 2, lying=edge % 2 == 0, thickness=2 if edge < 12 else 1),
            shifted=edge % 3 > 0,
            seed=edge,
            gradient=edge <= GRADIENT_EDGE,
            image=edge // 2 % 2,
        )
