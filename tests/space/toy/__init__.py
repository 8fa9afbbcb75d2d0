"""A weight source that the paper does not have: softmax over the taps of parameters.

LightConv (Wu et al. 2019) normalises its kernels so. The tests add it to a copy of the packages.
"""

from space.fixed_axes import Channels
from space.weight_source import Reads, SourceRule, WeightSource

SOURCE = WeightSource(
    number=5,
    word="toy",
    text="softmax over the taps of parameters.",
    reads=Reads.NOTHING,
    linear=False,
    normalised=True,
    outside_counts=True,
    rule=SourceRule(8, "toy dynamics needs separable channels", channels=(Channels.SEPARABLE,)),
)
