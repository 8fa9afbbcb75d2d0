"""Homogeneous dynamic weights: one kernel for the image (paper, Section 3: dynamic depth-wise
convolution)."""

from typing import Any

from space.fixed_axes import Locality, Sharing
from space.weight_source import Reads, SourceRule, WeightSource


def options(locality: Locality) -> dict[str, Any]:
    """The paper's generator has C/4 hidden channels."""
    return {"generator_ratio": 4}


SOURCE = WeightSource(
    number=2,
    word="homogeneous",
    text="Generated from the globally pooled map, the same at all positions.",
    reads=Reads.POOLED,
    linear=True,
    any_size=True,
    rule=SourceRule(
        3,
        "homogeneous dynamics needs sliding locality and sharing position or both",
        localities=(Locality.SLIDING,),
        sharings=(Sharing.POSITION, Sharing.BOTH),
    ),
    options=options,
    edge_label="Vec. Atten.",
)
