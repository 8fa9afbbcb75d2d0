"""No mixing at all: what a block is worth without it (Yu et al., "MetaFormer Is Actually What You
Need for Vision", CVPR 2022)."""

from torch import Tensor, nn

from mixspace import MapSize, register_mixer


@register_mixer(
    "identity",
    marks={
        "locality": "sliding",
        "kernel_size": 1,
        "channels": "separable",
        "sharing": "both",
        "dynamics": "static",
    },
    relatives={"pooling": "no neighbours", "DW-S Conv.": "no weights"},
    paper="Yu et al., MetaFormer Is Actually What You Need for Vision, CVPR 2022",
    params=lambda width, size: 0,
    macs=lambda width, size: 0,
)
class Identity(nn.Module):
    """y[p] = x[p]: W is the identity."""

    def __init__(self, width: int, size: MapSize) -> None:
        super().__init__()

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to a map with the same numbers."""
        return values.clone()  # another tensor, as of every mixer: blocks may write into it
