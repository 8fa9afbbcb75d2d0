"""Mixers: fields that apply, defaults, refusals, and their plain form."""

import dataclasses
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from space import InputError, Mixer, MixerType, all_mixer_types
from space.axes import AXES, Dynamics
from tests.space.strategies import mixers_of, type_fields


@given(st.data())
def test_the_plain_form_gives_the_mixer_back(data: st.DataObject) -> None:
    mixer, _ = data.draw(mixers_of(all_mixer_types()))
    assert Mixer.from_dict(mixer.to_dict()) == mixer
    assert hash(Mixer.from_dict(mixer.to_dict())) == hash(mixer)


def problems(**fields: Any) -> dict[str, str]:
    with pytest.raises(InputError) as refusal:
        Mixer.from_dict(fields)
    return {problem.where: problem.message for problem in refusal.value.problems}


CONVOLUTION = {
    "locality": "sliding",
    "channels": "separable",
    "rank": "full",
    "sharing": "position",
    "dynamics": "static",
    "kernel_size": 7,
}


def test_all_problems_are_told_at_once_each_with_its_field() -> None:
    found = problems(**CONVOLUTION | {"kernel_size": 4, "groups": 2, "ratio": 0, "colour": "blue"})
    assert set(found) == {"mixer.colour"}
    assert found["mixer.colour"].startswith("unknown field; allowed: locality, channels, rank")
    found = problems(**CONVOLUTION | {"kernel_size": 4, "groups": 2, "ratio": 0})
    assert found["mixer.kernel_size"] == "4 is not allowed; a sliding kernel is odd"
    assert "does not apply" in found["mixer.groups"]
    assert set(found) == {"mixer.kernel_size", "mixer.groups", "mixer.ratio"}


@pytest.mark.parametrize("kernel_size", [0, -1, 2, 32, 33, 10**30, "7", 7.0, True, None])
def test_kernel_sizes_off_the_list_are_refused(kernel_size: Any) -> None:
    assert "mixer.kernel_size" in problems(**CONVOLUTION | {"kernel_size": kernel_size})


@pytest.mark.parametrize("kernel_size", range(1, 32, 2))
def test_every_odd_kernel_is_allowed(kernel_size: int) -> None:
    assert Mixer.from_dict(CONVOLUTION | {"kernel_size": kernel_size}).kernel_size == kernel_size


def test_an_axis_value_off_the_list_is_refused_with_the_allowed_ones() -> None:
    found = problems(**CONVOLUTION | {"locality": "windo"})
    assert "'global', 'window' or 'sliding'" in found["mixer.locality"]


def test_an_illegal_mixer_is_refused_with_the_rule() -> None:
    found = problems(**CONVOLUTION | {"dynamics": "attention"})
    assert "rule 1: attention needs separable channels, channel sharing" in found["mixer"]


def test_defaults_are_those_of_the_papers() -> None:
    def made(name: str, **fields: Any) -> Mixer:
        mixer_type = next(mixer_type for mixer_type in all_mixer_types() if mixer_type.name == name)
        return Mixer(**type_fields(mixer_type), **fields)

    assert made("DW-S Conv.", kernel_size=7).bias
    assert not made("Local MLP", kernel_size=7).bias
    swin, vit = made("Local ViT", kernel_size=7), made("ViT")
    assert (swin.position_bias, swin.shift, swin.query_key_bias) == (True, True, True)
    assert (vit.position_bias, vit.shift, vit.query_key_bias) == (None, None, True)
    assert made("Dynamic DW-S Conv.", kernel_size=7).generator_ratio == 4
    pvt = made("PVT", ratio=2)
    assert (pvt.reduction, pvt.reduction_norm) == ("dense", True)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*CONVOLUTION, "x"]), inner, max_size=8)
    ),
    max_leaves=8,
)


@given(junk, st.booleans())
@settings(max_examples=200)
def test_junk_gives_nothing_but_input_errors(value: Any, based: bool) -> None:
    if based and isinstance(value, dict):
        value = CONVOLUTION | value
    with suppress(InputError):
        Mixer.from_dict(value)


def refused(**fields: Any) -> dict[str, str]:
    with pytest.raises(InputError) as refusal:
        Mixer(**fields)
    return {problem.where: problem.message for problem in refusal.value.problems}


def test_plain_words_become_axis_values() -> None:
    mixer = Mixer(**CONVOLUTION)  # type: ignore[arg-type]
    assert mixer == Mixer.from_dict(CONVOLUTION)
    for name, axis in AXES.items():
        assert type(getattr(mixer, name)) is axis
    assert mixer.changed(dynamics="homogeneous").dynamics is Dynamics.HOMOGENEOUS
    assert MixerType(*mixer.type.label.split("/")) == mixer.type  # type: ignore[arg-type]


OTHER_TYPES = ["blue", "7", 7.0, [3], {}, b"full", object()]


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Mixer)])
@pytest.mark.parametrize(
    "value", ["blue", "7", 7.0, pytest.param(-(10**5000), id="huge"), [3], {}, b"full", object()]
)
def test_a_field_of_another_type_is_refused_by_name(name: str, value: Any) -> None:
    found = refused(**CONVOLUTION | {name: value})
    assert list(found) == [name]
    told, _, allowed = found[name].partition("; ")
    assert "is not allowed" in told or "does not apply" in told
    assert len(found[name]) < 200
    assert allowed.startswith(("allowed: ", "must be ")) or "does not apply" in told


@pytest.mark.parametrize("name", ["kernel_size", "groups", "heads", "ratio", "generator_ratio"])
@pytest.mark.parametrize("value", [True, "7", 7.0, float("nan")])
def test_a_count_is_a_whole_number(name: str, value: Any) -> None:
    assert refused(**CONVOLUTION | {name: value})[name].endswith("must be a whole number")


@pytest.mark.parametrize("kernel_size", [None, -1, 0, 2, 33, 10**30])
def test_kernel_sizes_off_the_list_are_refused_by_the_constructor_too(kernel_size: Any) -> None:
    assert set(refused(**CONVOLUTION | {"kernel_size": kernel_size})) == {"kernel_size"}


def test_every_field_of_another_type_is_told_at_once() -> None:
    found = refused(**CONVOLUTION | {"locality": "slide", "bias": 1, "kernel_size": "7"})
    assert found == {
        "locality": "'slide' is not allowed; allowed: 'global', 'window' or 'sliding'",
        "bias": "1 is not allowed; must be true or false",
        "kernel_size": "'7' is not allowed; must be a whole number",
    }
    assert refused(**CONVOLUTION | {"locality": None})["locality"].startswith("None is not")
    with pytest.raises(InputError, match="channels: 'thick' is not allowed; allowed: 'dense'"):
        MixerType("global", "thick", "full", "none", "static")  # type: ignore[arg-type]
