"""Random mixers, sizes and architectures for property tests."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from space import Mixer, MixerType
from space.axes import AXES, Channels, Locality, Rank
from space.geometry import MapSize

KERNELS = (1, 3, 5, 7)
WINDOWS = (1, 2, 3, 4, 5)


def type_fields(mixer_type: MixerType) -> dict[str, Any]:
    """The axis values of a mixer type as fields of a mixer."""
    return dict(zip(AXES, mixer_type.values, strict=True))


@st.composite
def mixers_of(draw: st.DrawFn, mixer_types: Sequence[MixerType]) -> tuple[Mixer, int]:
    """A mixer of one of the mixer types, with a width that its counts divide."""
    mixer_type = draw(st.sampled_from(list(mixer_types)))
    fields = type_fields(mixer_type)
    ratio = draw(st.sampled_from([1, 2, 3]))
    inner = draw(st.sampled_from([2, 4, 6]))
    width = inner * ratio if mixer_type.rank is Rank.CHANNEL else inner
    if mixer_type.locality is Locality.SLIDING:
        fields["kernel_size"] = draw(st.sampled_from(KERNELS))
    if mixer_type.locality is Locality.WINDOW:
        fields["kernel_size"] = draw(st.sampled_from(WINDOWS))
    if mixer_type.channels is Channels.GROUPED:
        fields["groups"] = draw(st.sampled_from([n for n in (1, 2, 3, 6) if inner % n == 0]))
    applicable = Mixer.applicable(*mixer_type.values)
    if "heads" in applicable:
        fields["heads"] = draw(st.sampled_from([n for n in (1, 2, 3, 6) if inner % n == 0]))
    if "ratio" in applicable:
        fields["ratio"] = ratio
    if "generator_ratio" in applicable:
        fields["generator_ratio"] = draw(st.sampled_from([1, 2, 4]))
    if "reduction" in applicable:
        fields["reduction"] = draw(st.sampled_from(["matched", "dense", "average"]))
    for flag in ("bias", "shift", "position_bias", "query_key_bias", "reduction_norm"):
        if flag in applicable:
            fields[flag] = draw(st.booleans())
    return Mixer(**fields), width


@st.composite
def map_sizes(draw: st.DrawFn, longest: int = 4) -> MapSize:
    """A small map, square or not."""
    return MapSize(draw(st.integers(1, longest)), draw(st.integers(1, longest)))
