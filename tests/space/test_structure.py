"""Structure computed from the axes and from W: masks, ties and Table 1."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from space import Mixer, all_mixer_types, mixer_type_named
from space.axes import Rank
from space.geometry import MapSize, target_size, width_problems
from space.operators import TokenMixer
from space.reference import mixing_matrix
from space.structure.connectivity import connectivity, reach
from space.structure.entries import PositionEntries, channel_entries
from space.structure.table_1 import Table1Row, table_1
from tests.space.strategies import map_sizes, mixers_of
from tests.space.test_operators_against_reference import randomise

PAPER_TABLE_1 = {
    "MLP": ("–", "–", "–", "–", "–"),
    "Convolution": ("✓", "–", "✓", "–", "–"),
    "1×1 convolution": ("✓ (full)", "–", "✓", "–", "–"),
    "Spatial-mixing MLP": ("–", "✓", "–", "✓", "–"),
    "Attention (global)": ("–", "✓", "–", "✓ per head", "✓"),
    "Local MLP": ("✓", "✓", "–", "✓ per head", "–"),
    "Local attention": ("✓", "✓", "–", "✓ per head", "✓"),
    "DW-Conv.": ("✓", "✓", "✓", "–", "–"),
    "D-DW-Conv.": ("✓", "✓", "✓", "–", "✓"),
    "I-D-DW-Conv.": ("✓", "✓", "–", "✓ per group", "✓"),
}
"""PAPER.md, Table 1; the groups of I-D-DW-Conv. are the `heads` of a mixer."""


def test_table_1_is_read_off_the_mixing_matrix() -> None:
    assert table_1() == {name: Table1Row(*row) for name, row in PAPER_TABLE_1.items()}


def matrices(
    mixer: Mixer, width: int, size: MapSize, shifted: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    operator = TokenMixer(mixer, width, size, shifted).double().eval()
    randomise(operator)
    if mixer.dynamics == "attention":
        # Large logits would leave weights so far below rounding that they look like zeros.
        operator.mixing.weights.query.weight.data.mul_(0.1)  # type: ignore[union-attr,operator]
    image = torch.randn(width, size.height, size.width, dtype=torch.float64)
    with torch.no_grad():
        made = mixing_matrix(operator, image, image)
    return made.core, made.full


@given(mixers_of(all_mixer_types()), map_sizes(), st.booleans(), st.integers(0, 2**20))
@settings(max_examples=150, deadline=None)
def test_masks_are_where_the_mixing_matrix_is_not_zero(
    drawn: tuple[Mixer, int], size: MapSize, shifted: bool, seed: int
) -> None:
    mixer, width = drawn
    torch.manual_seed(seed)
    core, full = matrices(mixer, width, size, shifted)
    for matrix, factors in ((core, False), (full, True)):
        if mixer.rank is Rank.JOINT and not factors:
            continue  # nothing is mixed between the factors
        mask = connectivity(mixer, width, size, shifted, factors)
        nonzero = matrix != 0 if not factors else matrix.abs() > 1e-14
        np.testing.assert_array_equal(nonzero.any(3).any(1).numpy(), mask.positions)
        np.testing.assert_array_equal(nonzero.any(2).any(0).numpy(), mask.channels)
        rows = nonzero.any(3).any(1).numpy()
        if factors:
            row, column = size.height - 1, size.width // 2
            expected = rows[row * size.width + column].reshape(size.height, size.width)
            np.testing.assert_array_equal(reach(mixer, size, (row, column), shifted), expected)


@given(mixers_of(all_mixer_types()), map_sizes(), st.booleans(), st.integers(0, 2**20))
@settings(max_examples=100, deadline=None)
def test_entries_with_one_number_are_equal_and_others_are_not(
    drawn: tuple[Mixer, int], size: MapSize, shifted: bool, seed: int
) -> None:
    mixer, width = drawn
    assume(mixer.rank is not Rank.JOINT and mixer.dynamics in ("static", "homogeneous"))
    torch.manual_seed(seed)
    core, _ = matrices(mixer, width, size, shifted)
    positions = PositionEntries.of(mixer, size, shifted).table()
    channels = channel_entries(mixer, width)
    joined = positions[:, None, :, None] * (channels.max() + 1) + channels[None, :, None, :]
    joined[(positions < 0)[:, None, :, None] | (channels < 0)[None, :, None, :]] = -1
    values: dict[int, float] = {}
    for number, value in zip(joined.flatten().tolist(), core.flatten().tolist(), strict=True):
        assert values.setdefault(number, value) == pytest.approx(value, abs=1e-12)
    assert values.pop(-1, 0.0) == 0.0
    if mixer.dynamics == "static":
        assert len(set(values.values())) == len(values)


def test_masks_need_no_torch() -> None:
    program = (
        "import sys, space.structure.connectivity, space.relation_graph\n"
        "print(sorted({'torch', 'timm'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"


@given(mixers_of(all_mixer_types()), map_sizes(), st.booleans(), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_reach_is_a_row_of_the_masks(
    drawn: tuple[Mixer, int], size: MapSize, shifted: bool, factors: bool
) -> None:
    mixer, width = drawn
    rows = connectivity(mixer, width, size, shifted, factors).positions
    targets = size if factors else target_size(mixer, size)
    row, column = targets.height // 2, targets.width - 1
    seen = reach(mixer, size, (row, column), shifted, factors)
    np.testing.assert_array_equal(seen.flatten(), rows[row * targets.width + column])


@given(mixers_of(all_mixer_types()), st.integers(1, 9))
@settings(max_examples=50, deadline=None)
def test_the_first_channels_are_a_corner_of_all(drawn: tuple[Mixer, int], first: int) -> None:
    mixer, width = drawn
    corner = channel_entries(mixer, width, first)
    np.testing.assert_array_equal(corner, channel_entries(mixer, width)[:first, :first])


def test_a_reach_is_drawn_without_the_table_of_all_pairs() -> None:
    """A 512×512 map has 69 billion pairs of positions, and 65,536 channels as many."""
    local, wide = (
        Mixer(*mixer_type_named(name).values, kernel_size=7) for name in ("conv.", "dw-s conv.")
    )
    assert reach(local, MapSize(512, 512), (256, 256)).sum() == 49
    np.testing.assert_array_equal(channel_entries(wide, 65536, 3) >= 0, np.eye(3, dtype=bool))


def test_a_mask_of_the_size_of_a_real_stage_is_quick() -> None:
    mixer = Mixer(*mixer_type_named("dw-s conv.").values, kernel_size=7)
    assert not width_problems(mixer, 96)
    mask = connectivity(mixer, 96, MapSize(28, 28))
    assert mask.positions.shape == (784, 784)
    assert mask.positions.sum(1).max() == 49
