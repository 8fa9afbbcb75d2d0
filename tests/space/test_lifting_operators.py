"""Operators lifted into random others: what the index maps allow is exact, the rest is refused."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from space import InputError, Mixer, all_mixer_types
from space.geometry import MapSize
from space.inclusion.mixer_inclusion import lift_refusal
from space.inclusion.mixer_on_map import MixerOnMap
from space.morphisms import lift_operator
from space.operators import TokenMixer
from tests.space.strategies import map_sizes, mixers_of, type_fields
from tests.space.test_operators_against_reference import randomise


@pytest.mark.parametrize("copies", [1, 2])
@given(mixers_of(all_mixer_types()), st.data(), map_sizes(), st.booleans(), st.integers(0, 2**20))
@settings(max_examples=100, deadline=None)
def test_operators_lift_exactly_or_are_refused(
    copies: int,
    drawn: tuple[Mixer, int],
    data: st.DataObject,
    size: MapSize,
    shifted: bool,
    seed: int,
) -> None:
    """Random pairs: what the index maps allow is exact, and what they refuse is not lifted."""
    special, width = drawn
    torch.manual_seed(seed)
    general = data.draw(generalised(special))
    places = (
        MixerOnMap(special, width, size, shifted),
        MixerOnMap(general, copies * width, size, shifted),
    )
    one = TokenMixer(special, width, size, shifted).double().eval()
    try:
        other = TokenMixer(general, copies * width, size, shifted).double().eval()
        randomise(one)
        randomise(other)
        lift_operator(one, other)
    except InputError:
        assert lift_refusal(*places) is not None
        return
    assert lift_refusal(*places) is None
    values, context = torch.randn(2, 2, width, size.height, size.width, dtype=torch.float64)
    expected = one(values, context).repeat_interleave(copies, 1)
    found = other(values.repeat_interleave(copies, 1), context.repeat_interleave(copies, 1))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@st.composite
def generalised(draw: st.DrawFn, special: Mixer) -> Mixer:
    """A mixer of a drawn type with the sizes of the special one where they apply, or larger."""
    mixer_types = [
        mixer_type
        for mixer_type in all_mixer_types()
        if mixer_type.rank in (special.rank, "full", "joint")
    ]
    mixer_type = draw(st.sampled_from(mixer_types))
    kernel = draw(st.sampled_from([special.kernel_size or 3, 4, 5, 7]))
    wanted = {
        "kernel_size": kernel | 1 if mixer_type.locality == "sliding" else kernel,
        "groups": draw(st.sampled_from([1, 2])),
        "heads": draw(st.sampled_from([special.heads or 1, 2])),
        "ratio": special.ratio or 1,
        "generator_ratio": draw(st.sampled_from([1, special.generator_ratio or 2])),
    }
    applicable = Mixer.applicable(*mixer_type.values)
    fields = {name: getattr(special, name) for name in applicable}
    fields |= {name: value for name, value in wanted.items() if name in applicable}
    return Mixer(**type_fields(mixer_type), **fields)
