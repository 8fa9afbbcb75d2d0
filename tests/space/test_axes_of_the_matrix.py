"""What each axis says about W, checked on W itself: zeros, ties, rank, and what W depends on."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from space import Mixer, MixerType, all_mixer_types
from space.axes import Channels, Dynamics, Locality, Rank
from space.geometry import MapSize
from space.operators import TokenMixer
from space.reference import mixing_matrix
from tests.space.strategies import map_sizes, mixers_of, type_fields
from tests.space.test_operators_against_reference import randomise


class Example:
    """A random operator of a mixer type, and its W for two images."""

    def __init__(self, mixer: Mixer, width: int, size: MapSize, shifted: bool) -> None:
        self.mixer, self.size = mixer, size
        self.operator = TokenMixer(mixer, width, size, shifted).double().eval()
        randomise(self.operator)
        shape = (width, size.height, size.width)
        images = [torch.randn(shape, dtype=torch.float64) for _ in range(2)]
        self.matrices = [mixing_matrix(self.operator, image, image) for image in images]
        self.core = self.matrices[0].core.detach()
        plan = self.operator.plan
        self.targets = list(enumerate(_grid(plan.targets)))
        self.sources = list(enumerate(_grid(plan.sources)))


def _grid(size: MapSize) -> list[tuple[int, int]]:
    return [(row, column) for row in range(size.height) for column in range(size.width)]


MIXER_TYPES = [mixer_type for mixer_type in all_mixer_types() if mixer_type.rank is not Rank.JOINT]
every_mixer_type = pytest.mark.parametrize(
    "mixer_type", MIXER_TYPES, ids=lambda mixer_type: mixer_type.label
)


@st.composite
def examples(draw: st.DrawFn, keep: Callable[[MixerType], bool]) -> Example:
    mixer_types = [
        mixer_type
        for mixer_type in all_mixer_types()
        if mixer_type.rank is not Rank.JOINT and keep(mixer_type)
    ]
    mixer, width = draw(mixers_of(mixer_types))
    torch.manual_seed(draw(st.integers(0, 2**20)))
    return Example(mixer, width, draw(map_sizes()), draw(st.booleans()))


def assert_same(one: Tensor, other: Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-12)


@every_mixer_type
@given(data=st.data())
@settings(max_examples=2, deadline=None)
def test_locality_is_where_blocks_are_zero(mixer_type: MixerType, data: st.DataObject) -> None:
    example = data.draw(examples(lambda other: other == mixer_type))
    kernel, size = example.mixer.kernel_size or 0, example.operator.plan.targets
    offsets = [kernel // 2 if example.operator.plan.shifted and example.mixer.shift else 0] * 2
    offsets = [
        offset if kernel < extent else 0
        for offset, extent in zip(offsets, (size.height, size.width), strict=True)
    ]
    for i, p in example.targets:
        for j, q in example.sources:
            block = example.core[i, :, j]
            if example.mixer.locality is Locality.SLIDING:
                reached = all(abs(a - b) <= kernel // 2 for a, b in zip(p, q, strict=True))
            elif example.mixer.locality is Locality.WINDOW:
                tiles = [
                    [(a - offset) // kernel for a, offset in zip(place, offsets, strict=True)]
                    for place in (p, q)
                ]
                reached = tiles[0] == tiles[1]
            else:
                reached = True
            assert bool(block.abs().sum() > 0) == reached


@every_mixer_type
@given(data=st.data())
@settings(max_examples=2, deadline=None)
def test_channels_are_where_entries_of_blocks_are_zero(
    mixer_type: MixerType, data: st.DataObject
) -> None:
    example = data.draw(examples(lambda other: other == mixer_type))
    width = example.operator.plan.width
    groups = {
        Channels.DENSE: 1,
        Channels.GROUPED: example.mixer.groups or 1,
        Channels.SEPARABLE: width,
    }[example.mixer.channels]
    group = torch.arange(width) // (width // groups)
    connected = example.core.abs().sum((0, 2)) > 0
    assert torch.equal(connected, group[:, None] == group[None, :])


@given(examples(lambda mixer_type: mixer_type.sharing in ("position", "both")))
@settings(max_examples=40, deadline=None)
def test_position_sharing_ties_what_has_the_same_offset(example: Example) -> None:
    seen: dict[tuple[int, int], Tensor] = {}
    for i, p in example.targets:
        for j, q in example.sources:
            offset = (q[0] - p[0], q[1] - p[1])
            assert_same(example.core[i, :, j], seen.setdefault(offset, example.core[i, :, j]))


@given(examples(lambda mixer_type: mixer_type.sharing in ("channel", "both")))
@settings(max_examples=40, deadline=None)
def test_channel_sharing_ties_the_channels_of_a_head(example: Example) -> None:
    diagonal = torch.diagonal(example.core, dim1=1, dim2=3)
    heads = diagonal.unflatten(2, (example.mixer.heads or 1, -1))
    assert_same(heads, heads[..., :1].expand_as(heads))


@given(
    examples(
        lambda mixer_type: (
            mixer_type.sharing in ("none", "channel") and mixer_type.dynamics == "static"
        )
    )
)
@settings(max_examples=60, deadline=None)
def test_without_position_sharing_no_two_positions_are_tied(example: Example) -> None:
    core = example.core
    if example.mixer.locality is Locality.WINDOW:
        # Tiles of one tiling are the same pattern of weights again: the first is looked at.
        first = (core[0] != 0).any(2).any(0)
        core = core[first][:, :, first]
    if example.mixer.channel_shared:
        diagonal = torch.diagonal(core, dim1=1, dim2=3)
        core = diagonal.unflatten(2, (example.mixer.heads or 1, -1))[..., 0]
    entries = core[core != 0]
    assert len(torch.unique(entries)) == entries.numel()


@pytest.mark.parametrize(
    "mixer_type",
    [c for c in MIXER_TYPES if c.dynamics in ("inhomogeneous", "attention")],
    ids=lambda mixer_type: mixer_type.label,
)
def test_weights_made_at_a_position_differ_between_positions(mixer_type: MixerType) -> None:
    torch.manual_seed(1)
    sizes = {"kernel_size": 3, "heads": 2, "ratio": 2, "generator_ratio": 1}
    applicable = Mixer.applicable(*mixer_type.values)
    fields = {name: size for name, size in sizes.items() if name in applicable}
    example = Example(Mixer(**type_fields(mixer_type) | fields), 8, MapSize(6, 6), shifted=False)
    image = torch.randn(8, 6, 6, dtype=torch.float64)
    if mixer_type.dynamics is Dynamics.INHOMOGENEOUS:
        with torch.no_grad():
            example.operator.mixing.weights.norm.bias.fill_(50.0)  # type: ignore[union-attr]
    rows = mixing_matrix(example.operator, image, image).core.detach().flatten(1)
    if mixer_type.locality is Locality.WINDOW:
        rows = torch.stack([row[row != 0] for row in rows])
    assert len(torch.unique(rows, dim=0)) == len(rows)


@given(examples(lambda mixer_type: mixer_type.dynamics == "static"))
@settings(max_examples=40, deadline=None)
def test_static_weights_are_the_same_for_every_image(example: Example) -> None:
    one, other = (matrix.core for matrix in example.matrices)
    assert torch.equal(one, other)


@given(examples(lambda mixer_type: mixer_type.dynamics == "attention"))
@settings(max_examples=40, deadline=None)
def test_attention_follows_the_image_and_its_rows_sum_to_one(example: Example) -> None:
    one, other = (torch.diagonal(m.core, dim1=1, dim2=3) for m in example.matrices)
    sums = one.sum(1)
    assert_same(sums, torch.ones_like(sums))
    reached = max((weights != 0).any(2).sum(1).max() for weights in (one, other))
    # To the bit: a saturated softmax differs little, but it differs. That of one logit is 1.
    assert torch.equal(one, other) == (reached <= 1)


@pytest.mark.parametrize("dynamics", [Dynamics.HOMOGENEOUS, Dynamics.INHOMOGENEOUS])
@given(st.data())
@settings(max_examples=20, deadline=None)
def test_generated_weights_follow_what_they_are_generated_from(
    dynamics: Dynamics, data: st.DataObject
) -> None:
    mixer_types = [
        mixer_type for mixer_type in all_mixer_types() if mixer_type.dynamics is dynamics
    ]
    mixer, width = data.draw(mixers_of(mixer_types))
    mixer = mixer.changed(generator_ratio=1)
    example = Example(mixer, width, MapSize(3, 3), shifted=False)
    generator = example.operator.mixing.weights  # type: ignore[union-attr]
    with torch.no_grad():
        generator.norm.bias.fill_(50.0)  # keeps the ReLU open
    images = torch.randn(2, width, 3, 3, dtype=torch.float64)
    one, other = (mixing_matrix(example.operator, image, image).core for image in images)
    assert not torch.allclose(one, other)
    changed = images[0].clone()
    changed[:, 0, 0] += 1.0
    moved = (mixing_matrix(example.operator, changed, changed).core - one).abs().sum((1, 2, 3)) > 0
    everywhere = dynamics is Dynamics.HOMOGENEOUS
    assert bool(moved[0])
    assert moved[1:].all() if everywhere else not moved[1:].any()


@given(examples(lambda mixer_type: mixer_type.rank in ("channel", "spatial")))
@settings(max_examples=40, deadline=None)
def test_rank_is_at_most_what_is_declared(example: Example) -> None:
    full = example.matrices[0].full
    size, width = full.shape[0] * full.shape[1], full.shape[1]
    plan = example.operator.plan
    if example.mixer.rank is Rank.CHANNEL:
        bound = example.size.positions * plan.width
    else:
        bound = plan.sources.positions * width
    assert torch.linalg.matrix_rank(full.detach().reshape(size, size)) <= bound


@given(st.data())
@settings(max_examples=10, deadline=None)
def test_joint_rank_is_that_of_its_factors(data: st.DataObject) -> None:
    mixer, width = data.draw(mixers_of([c for c in all_mixer_types() if c.rank is Rank.JOINT]))
    example = Example(mixer, width, data.draw(map_sizes(3)), shifted=False)
    full = example.matrices[0].full.detach()
    entries = full.shape[0] * full.shape[1]
    rank = torch.linalg.matrix_rank(full.reshape(entries, entries))
    assert rank <= -(-entries // (mixer.ratio or 1))
