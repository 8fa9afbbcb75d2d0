"""Pooling: the mean of the neighbourhood, without x[p] itself, which the block adds (PoolFormer:
Yu et al., "MetaFormer Is Actually What You Need for Vision", CVPR 2022)."""

from torch import Tensor, nn

from mixspace import MapSize, register_mixer


@register_mixer(
    "pooling",
    options={"kernel_size": (3, 5, 7)},
    marks={
        "locality": "sliding",
        "channels": "separable",
        "sharing": "both",
        "dynamics": "static",
    },
    relatives={"DW-S Conv.": "weights that are learned", "identity": "no neighbours"},
    paper="Yu et al., MetaFormer Is Actually What You Need for Vision, CVPR 2022",
)
class Pooling(nn.Module):
    """y[p] = mean of x[q] over the neighbours q within the map, less x[p]; nothing is learned."""

    def __init__(self, width: int, size: MapSize, kernel_size: int) -> None:
        super().__init__()
        half = kernel_size // 2
        self.pool = nn.AvgPool2d(kernel_size, stride=1, padding=half, count_include_pad=False)

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        mean: Tensor = self.pool(values)
        return mean - values
