"""DW-S Conv. + Local ViT + Dynamic Local-S MLP + PVT: from images of 112×112 pixels to 10 logits.

7,717,074 parameters, and 472,175,104 multiply-accumulates for an image. Made by mixspace, where its
id is 10b202574d2b72c9.

    stage 1: 28×28, 64 channels, 2 blocks: DW-S Conv. k5
    stage 2: 14×14, 128 channels, 4 blocks: DW-S Conv. k7, Local ViT k7 h4
    stage 3: 7×7, 256 channels, 8 blocks: Dynamic Local-S MLP k5 h16, PVT h8 r2

Names and formulas are those of the paper: Han, Fan, Dai, Sun, Cheng, Liu, Wang, On the Connection
between Local Attention and Dynamic Depth-wise Convolution, ICLR 2022, arXiv 2106.04263. A batch is
(B, C, H, W): B images, C channels, N = H · W positions. A position p reads positions q; y[p, c] is
the result at p in channel c.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class LayerNorm(nn.LayerNorm):
    """Layer norm over the channels of (B, C, H, W)."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def linear(inputs: int, outputs: int, bias: bool = True) -> nn.Conv2d:
    """A linear map of the channels of (B, C, H, W)."""
    layer = nn.Conv2d(inputs, outputs, 1, bias=bias)
    nn.init.trunc_normal_(layer.weight, std=0.02)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


def neighbour_maps(x: Tensor, kernel_size: int) -> list[Tensor]:
    """Each of the k · k neighbours of all positions: maps like x (…, H, W), zeros outside of it."""
    (height, width), half, edge = x.shape[-2:], kernel_size // 2, range(kernel_size)
    x = F.pad(x, (half, half, half, half))
    return [x[..., i : i + height, j : j + width] for i in edge for j in edge]


def split_windows(x: Tensor, window: int, shift: int = 0) -> Tensor:
    """(B, C, H, W) to (B, T, P, C): T windows with P = window² positions each."""
    x = torch.roll(x, (-shift, -shift), (2, 3))  # around the border
    x = x.unflatten(2, (-1, window)).unflatten(4, (-1, window))
    return x.permute(0, 2, 4, 3, 5, 1).flatten(3, 4).flatten(1, 2)


def join_windows(windows: Tensor, size: tuple[int, int], window: int, shift: int = 0) -> Tensor:
    """(B, T, P, C) back to (B, C, H, W)."""
    x = windows.unflatten(2, (window, window)).unflatten(1, (size[0] // window, -1))
    x = x.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)
    return torch.roll(x, (shift, shift), (2, 3))


def windows_apart(size: tuple[int, int], window: int, shift: int = 0) -> Tensor:
    """(T, P, P): whether p may not read q, which is of the other border, or of none."""
    region = torch.ones(size)
    region[:shift] += 1
    region[:, :shift] += 2
    regions = split_windows(region[None, None], window, shift)[0, :, :, 0]
    return regions[:, :, None] != regions[:, None]


def relative_positions(window: int) -> Tensor:
    """(P, P): the number of p − q among the (2 · window − 1)² that there are."""
    places = torch.arange(window)
    apart = places[:, None] - places + window - 1
    numbers = apart[:, None, :, None] * (2 * window - 1) + apart[None, :, None, :]
    return numbers.flatten(2).flatten(0, 1)


class QueryKey(nn.Module):
    """What attention compares: a query for every position p, a key for every position q."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = linear(width, width)
        self.key = linear(width, width)


class WeightGenerator(nn.Module):
    """Makes weights of a map (Section 3): 1×1 convolution, batch norm, ReLU, 1×1 convolution.

    (B, C, H, W) to (B, outputs, H, W).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(width, width // 4, 1)
        self.norm = nn.BatchNorm2d(width // 4)
        self.expand = nn.Conv2d(width // 4, 400, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.expand(F.relu(self.norm(self.reduce(x))))


class DepthwiseConv(nn.Module):
    """Depth-wise convolution over the k×k neighbours q of p (Figure 1: DW-S Conv.).

    y[p, c] = Σ w[q − p, c] · x[q, c]
    """

    def __init__(self, width: int, kernel_size: int) -> None:
        super().__init__()
        self.weights = nn.Conv2d(
            width, width, kernel_size, padding=kernel_size // 2, groups=width, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.weights(x)


class WindowAttention(nn.Module):
    """Local attention over the positions q of p's 7×7 window (Figure 1: Local ViT).

    y[p] = Σ softmax(query[p] · key[q] / √d + bias[p − q]) · x[q], for heads of d channels
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weights = QueryKey(width)
        table = torch.empty(169, 4)  # a bias for each p − q
        self.weights.position_bias = nn.Parameter(nn.init.trunc_normal_(table, std=0.02))
        index = relative_positions(7)
        self.register_buffer("index", index, persistent=False)
        apart = windows_apart((14, 14), 7, 3)
        self.register_buffer("apart", apart, persistent=False)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Sums the values x, with weights that are made of the context."""
        query = self.weights.query(context)
        key = self.weights.key(context)
        query, key, value = (self._heads(each) for each in (query, key, x))
        bias = self.weights.position_bias[self.index].permute(2, 0, 1)  # (heads, P, P)
        bias = bias.masked_fill(self.apart[:, None], float("-inf")).flatten(0, 1)
        y = F.scaled_dot_product_attention(query, key, value, bias)
        y = y.unflatten(1, (-1, 4)).transpose(2, 3).flatten(3)  # (B, T, P, C)
        return join_windows(y, x.shape[2:], 7, 3)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, T · heads, P, d)."""
        windows = split_windows(x, 7, 3).unflatten(3, (4, -1))
        return windows.transpose(2, 3).flatten(1, 2)


class InhomogeneousDepthwiseConv(nn.Module):
    """Inhomogeneous dynamic depth-wise convolution over the 5×5 neighbours q of p.

    y[p, c] = Σ w[p, q − p, group(c)] · x[q, c]

    The kernel w[p] is made of the token at p (Figure 1: Dynamic Local-S MLP).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weights = WeightGenerator(width)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Sums the values x, with weights that are made of the context."""
        kernels = self.weights(context).unflatten(1, (16, 25))
        near = neighbour_maps(x.unflatten(1, (16, -1)), 5)
        y = sum(kernels[:, :, tap, None] * each for tap, each in enumerate(near))
        return y.flatten(1, 2)


class GlobalAttention(nn.Module):
    """Attention over all positions q (Figure 1: ViT).

    y[p] = Σ softmax(query[p] · key[q] / √d) · x[q], for heads of d channels
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weights = QueryKey(width)

    def forward(self, x: Tensor, context: Tensor, sources: Tensor) -> Tensor:
        """Sums the values x at the sources, with weights for each position of the context."""
        query = self.weights.query(context)
        key = self.weights.key(sources)
        query, key, value = (self._heads(each) for each in (query, key, x))
        y = F.scaled_dot_product_attention(query, key, value)
        return y.transpose(2, 3).reshape(context.shape)

    def _heads(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, heads, N, d)."""
        return x.flatten(2).unflatten(1, (8, -1)).transpose(2, 3)


class SpatialReduction(nn.Module):
    """2×2 positions to one, by a strided convolution and a layer norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.reduction = nn.Conv2d(width, width, 2, 2)
        self.norm = LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        x = F.pad(x, (0, -x.shape[3] % 2, 0, -x.shape[2] % 2))
        return self.norm(self.reduction(x))


class TokenMixer(nn.Module):
    """A token mixer: a weighted sum over positions, and a constant for each channel.

    Its weights are static, and the context is not read.
    """

    def __init__(self, width: int, mixing: nn.Module) -> None:
        super().__init__()
        self.mixing = mixing
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.mixing(x) + self.bias[:, None, None]


class DynamicTokenMixer(nn.Module):
    """A token mixer: a weighted sum over positions."""

    def __init__(self, mixing: nn.Module) -> None:
        super().__init__()
        self.mixing = mixing

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.mixing(x, context)


class ReducedMixer(nn.Module):
    """Every position reads a reduced map (Figure 1: Spatial LR)."""

    def __init__(self, reduction: nn.Module, mixing: nn.Module) -> None:
        super().__init__()
        self.rank, self.mixing = reduction, mixing

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        return self.mixing(self.rank(x), context, self.rank(context))


class MLP(nn.Module):
    """MLP on the channels of each position: linear, GELU, linear."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = linear(width, hidden)
        self.contract = linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.contract(F.gelu(self.expand(x)))


class Block(nn.Module):
    """Swin's block: layer norm, value, mixer, projection, then layer norm and MLP, both residual.

    (B, C, H, W) to the same shape.
    """

    def __init__(self, width: int, mixer: nn.Module, hidden: int) -> None:
        super().__init__()
        self.mix_norm = LayerNorm(width)
        self.value = linear(width, width)
        self.mixer = mixer
        self.project = linear(width, width)
        self.norm = LayerNorm(width)
        self.mlp = MLP(width, hidden=hidden)

    def forward(self, x: Tensor) -> Tensor:
        context = self.mix_norm(x)  # what dynamic weights are made from
        x = x + self.project(self.mixer(self.value(context), context))
        return x + self.mlp(self.norm(x))


class Stem(nn.Module):
    """A token for each patch of 4×4 pixels: (B, 3, 112, 112) to (B, 64, 28, 28)."""

    def __init__(self) -> None:
        super().__init__()
        self.project = nn.Conv2d(3, 64, 4, 4)
        self.norm = LayerNorm(64)

    def forward(self, images: Tensor) -> Tensor:
        return self.norm(self.project(images))


class Downsample(nn.Module):
    """Halves the map: 2×2 neighbours side by side in the channels, layer norm, linear map."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.norm = LayerNorm(4 * width)
        self.reduce = linear(4 * width, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        neighbours = [x[:, :, row::2, column::2] for column in (0, 1) for row in (0, 1)]
        return self.reduce(self.norm(torch.cat(neighbours, 1)))


class Head(nn.Module):
    """Layer norm, mean over the positions, linear classifier: (B, 256, H, W) to (B, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = LayerNorm(256)
        self.classify = nn.Linear(256, 10)
        nn.init.trunc_normal_(self.classify.weight, std=0.02)
        nn.init.zeros_(self.classify.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.classify(self.norm(x).mean((2, 3)))


class Network(nn.Module):
    """(B, 3, 112, 112) to (B, 10) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Stem()
        stage_1 = [
            Block(64, TokenMixer(64, DepthwiseConv(64, kernel_size=5)), hidden=128)
            for _ in range(2)
        ]
        stage_2 = [
            Block(128, TokenMixer(128, DepthwiseConv(128, kernel_size=7)), hidden=256),
            Block(128, DynamicTokenMixer(WindowAttention(128)), hidden=256),
            Block(128, TokenMixer(128, DepthwiseConv(128, kernel_size=7)), hidden=256),
            Block(128, DynamicTokenMixer(WindowAttention(128)), hidden=256),
        ]
        stage_3 = [
            block
            for _ in range(4)
            for block in (
                Block(256, DynamicTokenMixer(InhomogeneousDepthwiseConv(256)), hidden=1024),
                Block(256, ReducedMixer(SpatialReduction(256), GlobalAttention(256)), hidden=1024),
            )
        ]
        self.stages = nn.ModuleList(
            nn.Sequential(*blocks) for blocks in (stage_1, stage_2, stage_3)
        )
        self.downsamples = nn.ModuleList([Downsample(64, 128), Downsample(128, 256)])
        self.head = Head()

    def forward(self, images: Tensor) -> Tensor:
        x = self.stages[0](self.stem(images))
        for downsample, stage in zip(self.downsamples, self.stages[1:], strict=True):
            x = stage(downsample(x))
        return self.head(x)


def build() -> Network:
    """The network with its first weights."""
    return Network()


def load(path: str) -> Network:
    """The network with the weights of a safetensors file, in eval mode."""
    from safetensors.torch import load_file

    network = build()
    network.load_state_dict(load_file(path))
    return network.eval()
