"""A selective scan: a state that decays along the tokens, at a rate that depends on them (Gu and
Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces", 2023), with one decay a
head, so that the scan is a product of matrices (Dao and Gu, "Transformers are SSMs", ICML 2024),
and read from both ends, as pictures have no first token (Zhu et al., "Vision Mamba", ICML 2024)."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mixspace import MapSize, register_mixer


@register_mixer(
    "selective scan",
    options={"heads": 4, "state": (8, 4, 16)},
    divide_width=["heads"],
    marks={
        "locality": "global",
        "channels": "separable",
        "sharing": "channel",
        "dynamics": "attention",
    },
    relatives={"linear attention": "no decay", "ViT": "softmax instead of decay"},
    paper="Gu and Dao, Mamba, 2023; Dao and Gu, Transformers are SSMs, ICML 2024",
)
class SelectiveScan(nn.Module):
    """h[p] = decay[p] · h[p − 1] + step[p] · input[p] ⊗ x[p], and y[p] = output[p] · h[p].

    Written out: W[p, q] = (output[p] · input[q]) · step[q] · Π decay between q and p, and the same
    from the other end. The decay is exp(−rate · step) with a step that is made from the token.
    """

    def __init__(self, width: int, size: MapSize, heads: int, state: int) -> None:
        super().__init__()
        self.heads, self.state = heads, state
        self.make = nn.Conv2d(width, heads * (2 * state + 1), 1)
        self._begin_with_small_steps()
        self.log_rate = nn.Parameter(torch.zeros(2, heads, 1))
        self.skip = nn.Parameter(torch.ones(heads, 1))

    def _begin_with_small_steps(self) -> None:
        """Steps of 0.01 to 0.1 from head to head, so that what is far is not forgotten at once."""
        steps = torch.logspace(-2, -1, self.heads)
        with torch.no_grad():
            bias = self.make.bias.unflatten(0, (self.heads, -1))  # type: ignore[union-attr]
            bias[:, -1] = steps.expm1().log()

    def forward(self, values: Tensor, context: Tensor) -> Tensor:
        """(B, C, H, W) values and context to the same shape."""
        made = self.make(context).flatten(2).unflatten(1, (self.heads, -1))
        entry, leave, step = made.split([self.state, self.state, 1], 2)
        step = F.softplus(step.squeeze(2))
        reads = leave.transpose(2, 3) @ entry / math.sqrt(self.state)  # (B, heads, p, q)
        weights = reads * self._decay(step) * step.unsqueeze(2)
        own = torch.diag_embed(self.skip.expand(-1, weights.shape[-1]))
        each = values.flatten(2).unflatten(1, (self.heads, -1))
        mixed: Tensor = each @ (weights + own).transpose(2, 3)
        return mixed.reshape(values.shape)

    def _decay(self, step: Tensor) -> Tensor:
        """(B, heads, p, q): what is left of q at p, from either side."""
        forward, backward = self.log_rate.exp()
        # Sums of steps, from the first token on: what lies between two is their difference.
        along = step.cumsum(2)
        apart = along.unsqueeze(3) - along.unsqueeze(2)
        rates = torch.where(apart >= 0, forward.unsqueeze(2), backward.unsqueeze(2))
        return torch.exp(-rates * apart.abs())
