"""Attention: softmax of q·k over the reach (paper, local attention; Swin, ViT, PVT)."""

from typing import Any

from space.fixed_axes import Channels, Locality, Rank, Sharing
from space.weight_source import Reads, SourceRule, WeightSource


def options(locality: Locality) -> dict[str, Any]:
    """Swin has a bias of relative positions, in windows; ViT and PVT have none."""
    biased: dict[str, Any] = {"query_key_bias": True}
    if locality is Locality.GLOBAL:
        return biased
    return biased | {"position_bias": locality is Locality.WINDOW}


SOURCE = WeightSource(
    number=4,
    word="attention",
    text="softmax of q·k over the reach.",
    reads=Reads.PAIR,
    linear=False,
    normalised=True,
    query_key=True,
    pair_macs=1,
    rule=SourceRule(
        1,
        "attention needs separable channels, channel sharing, and rank full, channel or spatial",
        channels=(Channels.SEPARABLE,),
        ranks=(Rank.FULL, Rank.CHANNEL, Rank.SPATIAL),
        sharings=(Sharing.CHANNEL,),
    ),
    options=options,
    reduction="dense",
    reduction_norm=True,
    edge_label="Spatial Dynamic",
)
