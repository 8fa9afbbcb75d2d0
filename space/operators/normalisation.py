"""Normalisations on (B, C, H, W) maps that work in every mode the networks are used in."""

import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm2d):
    """Batch norm that also trains where a channel has a single value.

    One image whose map is 1×1, as a pooled map is, has no variance: then the running statistics
    serve and are left as they are.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        if self.training and x.numel() == x.shape[1]:
            mean, variance = self.running_mean, self.running_var
            return F.batch_norm(x, mean, variance, self.weight, self.bias, False, 0.0, self.eps)
        y: Tensor = super().forward(x)
        return y


class LayerNorm(nn.LayerNorm):
    """Layer norm over the channels of a (B, C, H, W) map."""

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        super().__init__(width, eps=eps)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        y: Tensor = super().forward(x.permute(0, 2, 3, 1))
        return y.permute(0, 3, 1, 2)
