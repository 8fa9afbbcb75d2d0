"""A large kernel as two thin ones, 51×5 and 5×51 (Liu et al., "More ConvNets in the 2020s: Scaling
up Kernels Beyond 51×51 using Sparsity", ICLR 2023), and the small one beside them."""

from torch import Tensor, nn

from mixspace import MapSize, register_mixer


@register_mixer(
    "large kernel pair",
    options={"kernel_size": (51, 31, 13)},
    marks={
        "locality": "sliding",
        "channels": "separable",
        "sharing": "position",
        "dynamics": "static",
    },
    relatives={"DW-S Conv.": "a square kernel"},
    paper="Liu et al., More ConvNets in the 2020s (SLaK), ICLR 2023",
)
class LargeKernelPair(nn.Module):
    """The sum of depth-wise convolutions k×5, 5×k and 5×5."""

    def __init__(self, width: int, size: MapSize, kernel_size: int) -> None:
        super().__init__()
        self.tall = _depth_wise(width, kernel_size, 5)
        self.wide = _depth_wise(width, 5, kernel_size)
        self.small = _depth_wise(width, 5, 5)

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        mixed: Tensor = self.tall(values) + self.wide(values) + self.small(values)
        return mixed


def _depth_wise(width: int, height: int, across: int) -> nn.Conv2d:
    padding = height // 2, across // 2
    return nn.Conv2d(width, width, (height, across), padding=padding, groups=width, bias=False)
