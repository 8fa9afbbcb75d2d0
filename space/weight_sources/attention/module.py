"""Weights of attention: softmax of q·k over the reach of p (paper, local attention; Swin; ViT)."""

import math

import torch
from torch import Tensor, fx, nn

from space.layout import Layout, Plan
from space.operator_choice import PathName
from space.operators import biased_attention
from space.operators.attention import attended, takes_fused
from space.operators.biased_attention import PairBias, attended_with_bias
from space.operators.computed_buffers import ComputedBuffers
from space.operators.layers import PointwiseConvolution
from space.operators.neighbourhood import neighbourhood_dot, outside_map
from space.operators.tiles import Tiling, masked

fx.wrap("attended")
fx.wrap("neighbourhood_dot")
fx.wrap("masked")


def relative_position_index(height: int, width: int) -> Tensor:
    """(P, P) indices of q − p into a table of (2·height − 1)·(2·width − 1) entries, as Swin's."""
    rows = torch.arange(height).repeat_interleave(width)
    columns = torch.arange(width).repeat(height)
    down = rows[:, None] - rows[None, :] + height - 1
    right = columns[:, None] - columns[None, :] + width - 1
    return down * (2 * width - 1) + right


class AttentionWeights(ComputedBuffers):
    """softmax over q of scale · ⟨query(x[p]), key(x[q])⟩ + bias[q − p], a head at a time."""

    apart: Tensor | None
    index: Tensor | None

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        biased = bool(plan.mixer.query_key_bias)
        self.query = PointwiseConvolution(plan.width, plan.width, biased)
        self.key = PointwiseConvolution(plan.width, plan.width, biased)
        for projection in (self.query, self.key):
            nn.init.trunc_normal_(projection.weight, std=0.02)
            if projection.bias is not None:
                nn.init.zeros_(projection.bias)
        self.heads = plan.outputs
        self.scale = (plan.width // self.heads) ** -0.5
        self.position_bias = self._make_position_bias()
        if plan.layout is Layout.TILE:
            self.target_tiling = Tiling.of_targets(plan)
            self.source_tiling = Tiling.of_sources(plan)
        self.compute_buffers()

    def _make_position_bias(self) -> nn.Parameter | None:
        plan = self.plan
        if not plan.mixer.position_bias:
            return None
        entries = plan.kernel_size**2
        if plan.layout is Layout.TILE:
            height, width = plan.target_tile
            entries = (2 * height - 1) * (2 * width - 1)
        return nn.Parameter(nn.init.trunc_normal_(torch.empty(entries, self.heads), std=0.02))

    def compute_buffers(self) -> None:
        """The mask, and the places of the table that position bias is read from."""
        indexed = self.position_bias is not None and self.plan.layout is Layout.TILE
        index = relative_position_index(*self.plan.target_tile) if indexed else None
        self.register_buffer("index", index, persistent=False)
        self.register_buffer("apart", self._make_mask(), persistent=False)

    @torch.jit.ignore  # type: ignore[untyped-decorator]
    def no_weight_decay(self) -> set[str]:
        """The table of relative positions, as in Swin's recipe and in timm."""
        return set() if self.position_bias is None else {"position_bias"}

    def _make_mask(self) -> Tensor | None:
        plan = self.plan
        if plan.layout is Layout.NEIGHBOURHOOD:
            size = plan.targets
            return outside_map(plan.kernel_size, size.height, size.width)
        # With a spatial reduction there is one tile, and every target reads every source.
        return self.target_tiling.apart() if plan.sources == plan.targets else None

    @property
    def _is_biased(self) -> bool:
        return self.position_bias is not None or self.apart is not None

    @property
    def _cuts(self) -> bool:
        return self.target_tiling.counts != (1, 1)

    @property
    def may_apply_itself(self) -> bool:
        """Whether there are maps of which `applied` computes the sum."""
        return self.plan.layout is Layout.TILE

    def applies_itself(self, x: Tensor) -> bool:
        """Whether `applied` is to compute the sum of values such as x."""
        return self.may_apply_itself and (not self._is_biased or biased_attention.serves(x))

    def path(self, x: Tensor) -> PathName:
        """How the sum over tiles is computed, on the device of x."""
        kind = x.device.type
        targets, sources = (math.prod(t.edges) for t in (self.target_tiling, self.source_tiling))
        if self._is_biased:
            return "fused" if biased_attention.takes_fused(kind) else "plain"
        return "fused" if takes_fused(kind, targets, sources, self._cuts) else "plain"

    def applied(self, values: Tensor, targets: Tensor, sources: Tensor) -> Tensor:
        """The weighted sum of values (B, C, h, w), for all targets: (B, C, H, W)."""
        shape = self.plan.heads
        queries = self.target_tiling.split(self.query(targets)).unflatten(1, shape)
        keys = self.source_tiling.split(self.key(sources)).unflatten(1, shape)
        tiles = self.source_tiling.split(values).unflatten(1, shape)
        if self._is_biased:
            bias = PairBias(self.position_bias, self.index, self.apart)
            mixed = attended_with_bias(queries, keys, tiles, bias, self.scale)
        else:
            mixed = attended(queries, keys, tiles, self.scale, self._cuts)
        return self.target_tiling.join(mixed.flatten(1, 2))

    def forward(self, targets: Tensor, sources: Tensor) -> Tensor:
        """targets (B, C, H, W), sources (B, C, h, w) to weights in the layout of the plan."""
        query: Tensor = self.query(targets) * self.scale
        key: Tensor = self.key(sources)
        if self.plan.layout is Layout.NEIGHBOURHOOD:
            return self._over_neighbourhood(query, key)
        return self._over_tiles(query, key)

    def _over_neighbourhood(self, query: Tensor, key: Tensor) -> Tensor:
        shape = self.plan.heads
        logits = neighbourhood_dot(
            query.unflatten(1, shape), key.unflatten(1, shape), self.plan.kernel_size
        )
        if self.position_bias is not None:
            logits = logits + self.position_bias.T[:, :, None, None]
        if self.apart is not None:
            logits = logits.masked_fill(self.apart, float("-inf"))
        return logits.softmax(2)

    def _over_tiles(self, query: Tensor, key: Tensor) -> Tensor:
        shape = self.plan.heads
        queries: Tensor = self.target_tiling.split(query).unflatten(1, shape)
        keys = self.source_tiling.split(key).unflatten(1, shape)
        logits: Tensor = queries.transpose(2, 3) @ keys
        if self.position_bias is not None and self.index is not None:
            logits = logits + self.position_bias[self.index].permute(2, 0, 1)
        if self.apart is not None:
            logits = masked(logits, self.apart, float("-inf"))
        return logits.softmax(3)


Weights = AttentionWeights
