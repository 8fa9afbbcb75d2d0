"""Global filter: a learned weight for each frequency of each channel (Rao et al., "Global Filter
Networks for Image Classification", NeurIPS 2021), which is a depth-wise convolution as large as the
map, around its border."""

import torch
from torch import Tensor, nn

from mixspace import MapSize, register_mixer


def _params(width: int, size: MapSize) -> int:
    return 2 * width * size.height * (size.width // 2 + 1)


def _macs(width: int, size: MapSize) -> int:
    """Four real products for each frequency; those of the transforms are N·log N and not counted,
    as torch counts none of either."""
    return 2 * _params(width, size)


@register_mixer(
    "global filter",
    marks={
        "locality": "global",
        "channels": "separable",
        "sharing": "position",
        "dynamics": "static",
    },
    relatives={"DW-S Conv.": "a kernel as large as the map", "Sep. MLP": "weights of q − p"},
    paper="Rao et al., Global Filter Networks for Image Classification, NeurIPS 2021",
    params=_params,
    macs=_macs,
    unseen_macs=_macs,
)
class GlobalFilter(nn.Module):
    """y = F⁻¹(K · F(x)), channel by channel."""

    def __init__(self, width: int, size: MapSize) -> None:
        super().__init__()
        # Three axes: to the memory format channels_last a parameter of four would be a kernel.
        self.across = size.width // 2 + 1
        self.weight = nn.Parameter(torch.randn(width, size.height * self.across, 2) * 0.02)

    def forward(self, values: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape, for maps of the size that it was built for."""
        weight = torch.view_as_complex(self.weight).unflatten(1, (-1, self.across))
        # No transform takes bfloat16, which autocast hands on.
        spectrum = torch.fft.rfft2(_transformable(values), norm="ortho") * weight
        mixed: Tensor = torch.fft.irfft2(spectrum, s=values.shape[2:], norm="ortho")
        return mixed.to(values.dtype)


def _transformable(values: Tensor) -> Tensor:
    return values.float() if values.dtype in (torch.bfloat16, torch.float16) else values
