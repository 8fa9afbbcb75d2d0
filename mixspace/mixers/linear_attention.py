"""Linear attention: without the softmax the sums over q are made once for all p (Katharopoulos et
al., "Transformers are RNNs: Fast Autoregressive Transformers with Linear Attention", ICML 2020)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mixspace import MapSize, register_mixer


@register_mixer(
    "linear attention",
    options={"heads": 4},
    divide_width=["heads"],
    marks={
        "locality": "global",
        "channels": "separable",
        "sharing": "channel",
        "dynamics": "attention",
    },
    relatives={"ViT": "softmax"},
    paper="Katharopoulos et al., Transformers are RNNs, ICML 2020",
)
class LinearAttention(nn.Module):
    """W[p, q] = φ(query[p]) · φ(key[q]) / Σ_q' φ(query[p]) · φ(key[q']), with φ = elu + 1."""

    def __init__(self, width: int, size: MapSize, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Conv2d(width, width, 1)
        self.key = nn.Conv2d(width, width, 1)

    def forward(self, values: Tensor, context: Tensor) -> Tensor:
        """(B, C, H, W) values and context to the same shape."""
        query = self._features(self.query(context))
        key = self._features(self.key(context))
        each = values.flatten(2).unflatten(1, (self.heads, -1))
        sums = each @ key.transpose(2, 3)  # (B, heads, d, d): the same for all p
        scale = query.transpose(2, 3) @ key.sum(3, keepdim=True)
        mixed: Tensor = (sums @ query) / scale.transpose(2, 3)
        return mixed.reshape(values.shape)

    def _features(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to positive (B, heads, d, N)."""
        return torch.add(F.elu(x.flatten(2).unflatten(1, (self.heads, -1))), 1)
