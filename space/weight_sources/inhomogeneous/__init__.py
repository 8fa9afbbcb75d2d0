"""Inhomogeneous dynamic weights: those of a position's reach, from its token (paper, inhomogeneous
dynamic depth-wise convolution; Involution)."""

from typing import Any

from space.fixed_axes import Channels, Locality, Sharing
from space.weight_source import Reads, SourceRule, WeightSource


def options(locality: Locality) -> dict[str, Any]:
    """The paper's generator has C/4 hidden channels."""
    return {"generator_ratio": 4}


SOURCE = WeightSource(
    number=3,
    word="inhomogeneous",
    text="Generated from x[p] by a linear map.",
    reads=Reads.TARGET,
    linear=True,
    any_size=True,
    lie_as_maps=True,
    on_one_position="homogeneous",
    rule=SourceRule(
        2,
        "inhomogeneous dynamics needs separable channels and sharing none or channel",
        channels=(Channels.SEPARABLE,),
        sharings=(Sharing.NONE, Sharing.CHANNEL),
    ),
    options=options,
    set_name="group",
    edge_label="Inhomogeneous Vec. Atten.",
)
