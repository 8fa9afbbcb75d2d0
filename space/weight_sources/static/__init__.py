"""Static weights: parameters, as those of convolutions and MLPs (paper, Section 2)."""

from space.weight_source import Reads, WeightSource

SOURCE = WeightSource(
    number=1,
    word="static",
    text="They are parameters.",
    reads=Reads.NOTHING,
    linear=True,
    free=True,
)
