"""Random mixers, sizes and architectures for property tests."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from space import Cell, Mixer
from space.axes import AXES, Channels, Locality, Rank
from space.geometry import MapSize

KERNELS = (1, 3, 5, 7)
WINDOWS = (1, 2, 3, 4, 5)


def cell_fields(cell: Cell) -> dict[str, Any]:
    """The axis values of a cell as fields of a mixer."""
    return dict(zip(AXES, cell.values, strict=True))


@st.composite
def mixers_of(draw: st.DrawFn, cells: Sequence[Cell]) -> tuple[Mixer, int]:
    """A mixer of one of the cells, with a width that its counts divide."""
    cell = draw(st.sampled_from(list(cells)))
    fields = cell_fields(cell)
    ratio = draw(st.sampled_from([1, 2, 3]))
    inner = draw(st.sampled_from([2, 4, 6]))
    width = inner * ratio if cell.rank is Rank.CHANNEL else inner
    if cell.locality is Locality.SLIDING:
        fields["kernel_size"] = draw(st.sampled_from(KERNELS))
    if cell.locality is Locality.WINDOW:
        fields["kernel_size"] = draw(st.sampled_from(WINDOWS))
    if cell.channels is Channels.GROUPED:
        fields["groups"] = draw(st.sampled_from([n for n in (1, 2, 3, 6) if inner % n == 0]))
    applicable = Mixer.applicable(*cell.values)
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
