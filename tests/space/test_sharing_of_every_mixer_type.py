"""What static, position-shared and channel-shared mean, both ways, on W of every mixer type.

Entries of W are made generic: generators with open ReLUs, no two parameters equal. Then W changes
with x exactly when the weights are dynamic, is the same at all p exactly when positions share it,
and the same for the channels of a head exactly when channels share it.
"""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from space import Mixer, MixerType, all_mixer_types
from space.axes import Channels, Dynamics, Locality, Rank
from space.geometry import MapSize
from space.operators import TokenMixer
from space.reference import mixing_matrix
from tests.space.strategies import type_fields
from tests.space.test_operators_against_reference import randomise

HEADS, WIDTH = 2, 8
SIZES = {"kernel_size": 3, "heads": HEADS, "groups": 2, "ratio": 2, "generator_ratio": 1}


@dataclass(frozen=True)
class Made:
    """An operator of a mixer type with W's core for two images, (targets, d, sources, d) each."""

    mixer: Mixer
    operator: TokenMixer
    cores: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, mixer_type: MixerType) -> "Made":
        torch.manual_seed(3)
        applicable = Mixer.applicable(*mixer_type.values)
        fields = {name: size for name, size in SIZES.items() if name in applicable}
        mixer = Mixer(**type_fields(mixer_type), **fields)
        operator = TokenMixer(mixer, WIDTH, MapSize(6, 6)).double().eval()
        randomise(operator)
        if mixer.dynamics in (Dynamics.HOMOGENEOUS, Dynamics.INHOMOGENEOUS):
            with torch.no_grad():
                operator.mixing.weights.norm.bias.fill_(50.0)  # type: ignore[union-attr]
        images = torch.randn(2, WIDTH, 6, 6, dtype=torch.float64)
        with torch.no_grad():
            one, other = (mixing_matrix(operator, image, image).core for image in images)
        return cls(mixer, operator, (one, other))

    def by_offset(self) -> dict[tuple[int, int], list[Tensor]]:
        """The (d, d) blocks of the pairs (p, q) that reach each other, by q − p."""
        plan, core = self.operator.plan, self.cores[0]
        across = plan.sources.width
        found: dict[tuple[int, int], list[Tensor]] = {}
        for p, q in (core != 0).any(3).any(1).nonzero().tolist():
            row, column = divmod(p, plan.targets.width)
            offset = (q // across - row, q % across - column)
            found.setdefault(offset, []).append(core[p, :, q])
        return found


MIXER_TYPES = [mixer_type for mixer_type in all_mixer_types() if mixer_type.rank is not Rank.JOINT]
every_mixer_type = pytest.mark.parametrize(
    "mixer_type", MIXER_TYPES, ids=lambda mixer_type: mixer_type.label
)


def close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-9, atol=1e-12)


@every_mixer_type
def test_weights_are_the_same_for_every_image_exactly_when_static(mixer_type: MixerType) -> None:
    one, other = Made.of(mixer_type).cores
    assert torch.equal(one, other) == (mixer_type.dynamics is Dynamics.STATIC)


@every_mixer_type
def test_weights_depend_on_the_offset_only_exactly_when_positions_share(
    mixer_type: MixerType,
) -> None:
    made = Made.of(mixer_type)
    repeated = [blocks for blocks in made.by_offset().values() if len(blocks) > 1]
    assert repeated
    tied = [close(blocks[0], other) for blocks in repeated for other in blocks[1:]]
    if made.mixer.position_shared:
        assert all(tied)
    elif mixer_type.locality is Locality.WINDOW and mixer_type.dynamics is Dynamics.STATIC:
        # The tiles of a map have the same weights, and within one tile no two positions do.
        assert sum(tied) < len(tied) / 2
    else:
        assert not any(tied)


@every_mixer_type
def test_channels_of_a_head_have_equal_weights_exactly_when_channels_share(
    mixer_type: MixerType,
) -> None:
    made = Made.of(mixer_type)
    width = made.operator.plan.width
    if mixer_type.channels is not Channels.SEPARABLE:
        block = made.cores[0][0, :, 0]
        entries = block[block != 0]
        assert len(entries.unique()) == len(entries)
        return
    diagonal = torch.diagonal(made.cores[0], dim1=1, dim2=3)
    reached = diagonal[(diagonal != 0).all(2)]
    assert len(reached) > 0
    for one in range(width):
        for other in range(one):
            together = one // (width // HEADS) == other // (width // HEADS)
            tied = close(reached[:, one], reached[:, other])
            assert tied == (made.mixer.channel_shared and together)


def test_the_joint_mixer_type_has_no_core_and_no_ties() -> None:
    (mixer_type,) = [
        mixer_type for mixer_type in all_mixer_types() if mixer_type.rank is Rank.JOINT
    ]
    operator = TokenMixer(Mixer(**type_fields(mixer_type), ratio=2), 4, MapSize(2, 3)).double()
    randomise(operator)
    images = torch.randn(2, 4, 2, 3, dtype=torch.float64)
    one, other = (mixing_matrix(operator, image, image).full for image in images)
    assert torch.equal(one, other)
    assert len(one.unique()) == one.numel()
