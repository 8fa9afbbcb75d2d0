"""The definition: W of any mixer written out as a matrix, slowly and obviously.

    y[p, c] = Σ_{q in reach(p)} Σ_{c' in group(c)}  W[p, q, c, c'](x) · x[q, c'] + bias[c]

Everything here follows the table of axes, one position pair at a time, and shares no arithmetic
with the fast operators: it only reads their parameters. Every fast operator is tested against it.
Positions are numbered in row-major order. Batch norms are taken in eval mode.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from space.axes import Channels, Locality, Rank
from space.geometry import MapSize
from space.operators import TokenMixer

Position = tuple[int, int]


@dataclass(frozen=True)
class MixingMatrix:
    """A mixer as an affine map, for one image.

    Attributes:
        core: (targets, d, sources, d), the mixing inside the rank wrapper; the identity if the
            rank is joint.
        full: (H·W, C, H·W, C), with the factors around it: W of the definition.
        offset: (H·W, C), what does not depend linearly on the values.
    """

    core: Tensor
    full: Tensor
    offset: Tensor

    def apply(self, values: Tensor) -> Tensor:
        """(C, H, W) values to the (C, H, W) result."""
        flat = values.flatten(1).T
        mixed = torch.einsum("pcqd,qd->pc", self.full, flat) + self.offset
        return mixed.T.reshape(values.shape)


def mixing_matrix(operator: TokenMixer, values: Tensor, context: Tensor) -> MixingMatrix:
    """W of an operator for one image.

    Args:
        operator: whose parameters are read.
        values: (C, H, W), what is summed; a norm inside a spatial reduction depends on it.
        context: (C, H, W), what dynamic weights are made from.
    """
    return Reference(operator).matrix(values, context)


def reference_forward(operator: TokenMixer, values: Tensor, context: Tensor) -> Tensor:
    """What the operator must return for (B, C, H, W) values and context, image by image."""
    return torch.stack(
        [
            mixing_matrix(operator, image, about).apply(image)
            for image, about in zip(values, context, strict=True)
        ]
    )


def _positions(size: MapSize) -> list[Position]:
    return [(row, column) for row in range(size.height) for column in range(size.width)]


def _number(position: Position, size: MapSize) -> int:
    return position[0] * size.width + position[1]


class Reference:
    """An operator's parts, and from them its W; see `mixing_matrix`."""

    def __init__(self, operator: TokenMixer) -> None:
        self.mixer = operator.mixer
        self.size = operator.size
        self.width = operator.width
        self.shifted = operator.plan.shifted
        self.parameters = dict(operator.named_parameters()) | dict(operator.named_buffers())
        ratio = self.mixer.ratio or 1
        spatial, sliding = self.mixer.rank is Rank.SPATIAL, self.mixer.locality is Locality.SLIDING
        self.inner = self.width // ratio if self.mixer.rank is Rank.CHANNEL else self.width
        self.sources = self.size.reduced(ratio) if spatial else self.size
        self.targets = self.sources if sliding else self.size
        self.kernel = self.mixer.kernel_size or 0
        self.identity = torch.eye(self.width, dtype=next(operator.parameters()).dtype)

    def parameter(self, name: str) -> Tensor:
        return self.parameters[name]

    # --- the whole ----------------------------------------------------------------------------

    def matrix(self, values: Tensor, context: Tensor) -> MixingMatrix:
        """leave · core · enter, with what the enter factor adds."""
        flat_values, flat_context = values.flatten(1).T, context.flatten(1).T
        enter, added = self.enter(flat_values)
        if self.mixer.rank is Rank.JOINT:
            core = torch.eye(enter.shape[0], dtype=enter.dtype)[:, None, :, None]
        else:
            core = self.core(Context(self, flat_context))
        leave = self.leave()
        inside = torch.einsum("pcqd,qdre->pcre", core, enter)
        offset = torch.einsum("pcqd,qd->pc", core, added)
        full = torch.einsum("pcqd,qdre->pcre", leave, inside)
        bias = self.parameter("bias") if self.mixer.bias else torch.zeros_like(flat_values[0])
        return MixingMatrix(core, full, torch.einsum("pcqd,qd->pc", leave, offset) + bias)

    # --- the rank wrapper ---------------------------------------------------------------------

    def everywhere(self, matrix: Tensor) -> Tensor:
        """(D, C) applied at every position: (N, D, N, C)."""
        same = torch.eye(self.size.positions, dtype=matrix.dtype)
        return torch.einsum("pq,dc->pdqc", same, matrix)

    def enter(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """The matrix from the map to the sources, and what it adds."""
        matrix: Tensor
        if self.mixer.rank is Rank.CHANNEL:
            matrix = self.everywhere(self.parameter("rank.down.weight")[:, :, 0, 0])
        elif self.mixer.rank is Rank.SPATIAL:
            return self.reduction(values)
        elif self.mixer.rank is Rank.JOINT:
            matrix = self.parameter("rank.down.weight").unflatten(1, (self.width, -1))
            matrix = matrix.transpose(1, 2)[:, None]
        else:
            matrix = self.everywhere(self.identity)
        return matrix, matrix.new_zeros(matrix.shape[:2])

    def leave(self) -> Tensor:
        """The matrix from the targets to the map."""
        if self.mixer.rank is Rank.CHANNEL:
            return self.everywhere(self.parameter("rank.up.weight")[:, :, 0, 0])
        if self.mixer.rank is Rank.JOINT:
            matrix: Tensor = self.parameter("rank.up.weight").unflatten(0, (self.width, -1))
            return matrix.transpose(0, 1)[:, :, :, None]
        if self.targets == self.size:
            return self.everywhere(self.identity)
        ratio = self.mixer.ratio or 1
        repeated = torch.zeros(self.size.positions, self.targets.positions, dtype=torch.float64)
        for index, (row, column) in enumerate(_positions(self.size)):
            repeated[index, (row // ratio) * self.targets.width + column // ratio] = 1
        return torch.einsum("pq,dc->pdqc", repeated.to(self.identity.dtype), self.identity)

    def reduction(self, values: Tensor) -> tuple[Tensor, Tensor]:
        """R×R positions to one, with the layer norm's centring and scaling where it has one."""
        ratio = self.mixer.ratio or 1
        zero = torch.zeros_like(self.identity)
        rows = []
        for down, right in _positions(self.sources):
            blocks = [
                self.reduction_block(row - down * ratio, column - right * ratio)
                if row // ratio == down and column // ratio == right
                else zero
                for row, column in _positions(self.size)
            ]
            rows.append(torch.stack(blocks, 1))
        matrix = torch.stack(rows)
        added = matrix.new_zeros(matrix.shape[:2])
        if not self.mixer.reduction_norm:
            return matrix, added
        if self.mixer.reduction != "average":
            added = added + self.parameter("rank.reduction.bias")
        return self.normalised(matrix, added, values)

    def reduction_block(self, row: int, column: int) -> Tensor:
        """(C, C), what a position of an R×R patch gives to the reduced one."""
        ratio = self.mixer.ratio or 1
        if self.mixer.reduction == "average":
            return self.identity / ratio**2
        weight = self.parameter("rank.reduction.weight")[:, :, row, column]
        groups = 1 if self.mixer.reduction == "dense" else self.groups
        return self.spread_groups(weight, groups)

    def normalised(self, matrix: Tensor, added: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        reduced = torch.einsum("pcqd,qd->pc", matrix, values) + added
        spread = (reduced.var(1, unbiased=False) + 1e-5).sqrt()[:, None]
        scale = self.parameter("rank.norm.weight")
        centring = self.identity - 1 / self.width
        matrix = (
            torch.einsum("ce,peqd->pcqd", centring, matrix) * (scale / spread)[:, :, None, None]
        )
        added = (added @ centring) * scale / spread + self.parameter("rank.norm.bias")
        return matrix, added

    # --- reach, groups, ties ------------------------------------------------------------------

    @property
    def groups(self) -> int:
        if self.mixer.channels is Channels.SEPARABLE:
            return self.inner
        return (self.mixer.groups or 1) if self.mixer.channels is Channels.GROUPED else 1

    def shift(self, extent: int) -> int:
        moved = self.shifted and bool(self.mixer.shift) and self.kernel < extent
        return self.kernel // 2 if moved else 0

    def tile(self, position: Position, size: MapSize) -> tuple[int, int, int]:
        """(tile row, tile column, number within the tile) of a position."""
        if self.mixer.locality is Locality.GLOBAL:
            return 0, 0, position[0] * size.width + position[1]
        row = position[0] - self.shift(size.height)
        column = position[1] - self.shift(size.width)
        k = self.kernel
        return row // k, column // k, (row % k) * k + column % k

    def reaches(self, p: Position, q: Position) -> bool:
        """Whether q is in the reach of p."""
        if self.mixer.locality is Locality.SLIDING:
            half = self.kernel // 2
            return abs(q[0] - p[0]) <= half and abs(q[1] - p[1]) <= half
        return self.tile(p, self.targets)[:2] == self.tile(q, self.sources)[:2]

    def tap(self, p: Position, q: Position) -> int:
        """The number of q within the reach of p."""
        if self.mixer.locality is Locality.SLIDING:
            half = self.kernel // 2
            return (q[0] - p[0] + half) * self.kernel + q[1] - p[1] + half
        return self.tile(q, self.sources)[2]

    def spread_groups(self, entries: Tensor, groups: int) -> Tensor:
        """(C, inputs of a group) to the (C, C) block with zeros between groups."""
        outputs = entries.shape[0]
        blocks = entries.reshape(groups, outputs // groups, -1)
        block: Tensor = torch.block_diag(*blocks)
        return block

    def block(self, entries: Tensor) -> Tensor:
        """(d, d) between two positions from the free entries: (O,) if separable, else (O, I)."""
        if self.mixer.channels is Channels.SEPARABLE:
            return torch.diag(entries.repeat_interleave(self.inner // entries.shape[0]))
        return self.spread_groups(entries, self.groups)

    # --- the mixing ---------------------------------------------------------------------------

    def core(self, context: "Context") -> Tensor:
        """(targets, d, sources, d): a block for every pair of positions, zero out of reach."""
        zero = self.identity.new_zeros(self.inner, self.inner)
        rows = []
        for p in _positions(self.targets):
            reach = [q for q in _positions(self.sources) if self.reaches(p, q)]
            entries = WEIGHTS[self.mixer.dynamics](self, p, reach, context)
            blocks = [
                self.block(entries[q]) if q in entries else zero for q in _positions(self.sources)
            ]
            rows.append(torch.stack(blocks, 1))
        return torch.stack(rows)

    @property
    def number_of_taps(self) -> int:
        if self.mixer.locality is Locality.GLOBAL:
            return self.sources.positions
        return self.kernel**2

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        """Shape of position-shared weights."""
        if self.mixer.channels is Channels.SEPARABLE:
            sets = (self.mixer.heads or 1) if self.mixer.channel_shared else self.inner
            return sets, 1, self.kernel, self.kernel
        return self.inner, self.inner // self.groups, self.kernel, self.kernel

    def looked_up(self, weight: Tensor, p: Position, q: Position) -> Tensor:
        """The entries of W[p, q] where the sharing says they are kept."""
        if self.mixer.position_shared:
            entry = weight[:, :, q[0] - p[0] + self.kernel // 2, q[1] - p[1] + self.kernel // 2]
        elif self.mixer.locality is Locality.SLIDING:
            place = p[0] * self.targets.width + p[1]
            entry = weight.unflatten(1, (-1, self.number_of_taps))[:, :, self.tap(p, q), place]
        else:
            rows = weight[:, self.tile(p, self.targets)[2]]
            entry = rows.unflatten(1, (-1, self.number_of_taps))[:, :, self.tap(p, q)]
        return entry[:, 0] if self.mixer.channels is Channels.SEPARABLE else entry

    def generated(self, token: Tensor) -> Tensor:
        """A token (d,) through the generator: linear, batch norm, ReLU, linear."""
        hidden = self.linear("mixing.weights.reduce", token)
        norm = "mixing.weights.norm"
        mean, variance = (
            self.parameter(f"{norm}.running_mean"),
            self.parameter(f"{norm}.running_var"),
        )
        hidden = (hidden - mean) / (variance + 1e-5).sqrt()
        hidden = hidden * self.parameter(f"{norm}.weight") + self.parameter(f"{norm}.bias")
        return self.linear("mixing.weights.expand", torch.relu(hidden))

    def linear(self, name: str, token: Tensor) -> Tensor:
        result = self.parameter(f"{name}.weight")[:, :, 0, 0] @ token
        bias = self.parameters.get(f"{name}.bias")
        return result if bias is None else result + bias

    def position_bias(self, p: Position, q: Position) -> Tensor:
        """(heads,), the learned bias of the offset from q to p within a window, or of the tap."""
        table = self.parameter("mixing.weights.position_bias")
        if self.mixer.locality is Locality.SLIDING:
            return table[self.tap(p, q)]
        down, right = p[0] - q[0] + self.kernel - 1, p[1] - q[1] + self.kernel - 1
        return table[down * (2 * self.kernel - 1) + right]


class Context:
    """What dynamic weights are made from, as the rank wrapper hands it on.

    Attributes:
        at_targets: (N, d), a token for each position of the map that the targets are on.
    """

    def __init__(self, reference: Reference, context: Tensor) -> None:
        self.reference = reference
        if reference.mixer.rank is Rank.CHANNEL:
            context = context @ reference.parameter("rank.down.weight")[:, :, 0, 0].T
        self.at_targets = context

    @cached_property
    def at_sources(self) -> Tensor:
        """(n, d), a token for each source."""
        if self.reference.mixer.rank is not Rank.SPATIAL:
            return self.at_targets
        matrix, added = self.reference.reduction(self.at_targets)
        return torch.einsum("pcqd,qd->pc", matrix, self.at_targets) + added


# --- the weight sources -----------------------------------------------------------------------

Entries = dict[Position, Tensor]
"""The free entries of W[p, q] of a target p, for every q in its reach."""


def static(reference: Reference, p: Position, reach: list[Position], context: Context) -> Entries:
    """Parameters."""
    weight = reference.parameter("mixing.weights.weight")
    return {q: reference.looked_up(weight, p, q) for q in reach}


def homogeneous(
    reference: Reference, p: Position, reach: list[Position], context: Context
) -> Entries:
    """Generated from the mean of all tokens."""
    kernels = reference.generated(context.at_targets.mean(0)).reshape(reference.kernel_shape)
    return {q: reference.looked_up(kernels, p, q) for q in reach}


def inhomogeneous(
    reference: Reference, p: Position, reach: list[Position], context: Context
) -> Entries:
    """Generated from the token at p, tap by tap."""
    made = reference.generated(context.at_targets[_number(p, reference.targets)])
    taps = made.reshape(-1, reference.number_of_taps)
    return {q: taps[:, reference.tap(p, q)] for q in reach}


def attention(
    reference: Reference, p: Position, reach: list[Position], context: Context
) -> Entries:
    """softmax over the reach of scale · ⟨query, key⟩ + bias of q − p, for each head."""
    heads = reference.mixer.heads or 1
    token = context.at_targets[_number(p, reference.targets)]
    query = reference.linear("mixing.weights.query", token).reshape(heads, -1)
    logits = []
    for q in reach:
        token = context.at_sources[_number(q, reference.sources)]
        key = reference.linear("mixing.weights.key", token).reshape(heads, -1)
        logit = (query * key).sum(1) / query.shape[1] ** 0.5
        biased = reference.mixer.position_bias
        logits.append(logit + reference.position_bias(p, q) if biased else logit)
    weights = torch.softmax(torch.stack(logits), 0)
    return dict(zip(reach, weights, strict=True))


WEIGHTS: dict[str, Callable[[Reference, Position, list[Position], Context], Entries]] = {
    "static": static,
    "homogeneous": homogeneous,
    "inhomogeneous": inhomogeneous,
    "attention": attention,
}
"""The definition of each weight source, by its word on the axis of dynamics."""
