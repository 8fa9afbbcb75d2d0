"""Residual blocks, any of which holds any token mixer: the paper's, Swin's and ConvNeXt's."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from space.architecture import LAYER_SCALE, BlockType
from space.custom import CustomMixer
from space.geometry import MapSize
from space.mixer import Mixer
from space.operators import CustomTokenMixer, TokenMixer
from space.operators.layers import BatchNorm, DropPath, LayerNorm, convolution, linear


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """What a block is built from, whatever its type.

    Attributes:
        mixer, width, size, shifted: see `space.operators.TokenMixer`.
        hidden: hidden channels of the MLP.
        drop_path: probability that a training image skips a branch.
        layer_scale: what the factors of a ConvNeXt block begin with.
    """

    mixer: Mixer
    width: int
    size: MapSize
    hidden: int
    shifted: bool
    drop_path: float
    layer_scale: float = LAYER_SCALE

    def token_mixer(self) -> TokenMixer | CustomTokenMixer:
        """A new operator of the mixer."""
        if isinstance(self.mixer, CustomMixer):
            return CustomTokenMixer(self.mixer, self.width, self.size)
        return TokenMixer(self.mixer, self.width, self.size, self.shifted)


class Mlp(nn.Module):
    """Linear, GELU, linear on the channels; (B, C, H, W) to the same shape."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.expand = linear(width, hidden)
        self.activation = nn.GELU()
        self.contract = linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, H, W)."""
        y: Tensor = self.contract(self.activation(self.expand(x)))
        return y


class ConvBlock(nn.Module):
    """The paper's block: 1×1-BN-ReLU, mix, BN-ReLU, 1×1-BN, then BN and MLP, both residual."""

    def __init__(self, plan: BlockPlan) -> None:
        super().__init__()
        width = plan.width
        self.mix = nn.Sequential(
            convolution(width, width),
            BatchNorm(width),
            nn.ReLU(),
            plan.token_mixer(),
            BatchNorm(width),
            nn.ReLU(),
            convolution(width, width),
            BatchNorm(width),
        )
        self.norm = BatchNorm(width)
        self.mlp = Mlp(width, plan.hidden)
        self.drop_path = DropPath(plan.drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        x = x + self.drop_path(self.mix(x))
        y: Tensor = x + self.drop_path(self.mlp(self.norm(x)))
        return y


class PrenormBlock(nn.Module):
    """Swin's block: LN, value projection, mix, projection, then LN and MLP, both residual.

    Dynamic weights are made from the normalised map, not from the values.
    """

    def __init__(self, plan: BlockPlan) -> None:
        super().__init__()
        width = plan.width
        self.mix_norm = LayerNorm(width)
        self.value = linear(width, width)
        self.mixer = plan.token_mixer()
        self.project = linear(width, width)
        self.norm = LayerNorm(width)
        self.mlp = Mlp(width, plan.hidden)
        self.drop_path = DropPath(plan.drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        context = self.mix_norm(x)
        mixed = self.project(self.mixer(self.value(context), context))
        x = x + self.drop_path(mixed)
        y: Tensor = x + self.drop_path(self.mlp(self.norm(x)))
        return y


class ConvNextBlock(nn.Module):
    """ConvNeXt's block: mix, LN, MLP with layer scale, one residual."""

    def __init__(self, plan: BlockPlan) -> None:
        super().__init__()
        width = plan.width
        self.mixer = plan.token_mixer()
        self.norm = LayerNorm(width)
        self.mlp = Mlp(width, plan.hidden)
        self.scale = nn.Parameter(torch.full((width,), plan.layer_scale))
        self.drop_path = DropPath(plan.drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        branch = self.mlp(self.norm(self.mixer(x))) * self.scale[:, None, None]
        y: Tensor = x + self.drop_path(branch)
        return y


BLOCKS: dict[BlockType, type[ConvBlock] | type[PrenormBlock] | type[ConvNextBlock]] = {
    "conv": ConvBlock,
    "prenorm": PrenormBlock,
    "convnext": ConvNextBlock,
}
