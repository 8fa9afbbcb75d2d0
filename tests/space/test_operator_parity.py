"""Operators of timm and torch, with their weights in ours."""

import pytest
import torch
from torch import Tensor, nn

from space import Mixer, mixer_type_named
from space.geometry import MapSize
from space.operators import TokenMixer
from space.torchvision_support import prepare_torchvision
from tests.space.strategies import type_fields

prepare_torchvision()  # timm imports torchvision, whose operators may be missing on a CPU build

from timm.models.mlp_mixer import ResBlock  # noqa: E402
from timm.models.pvt_v2 import Attention  # noqa: E402
from timm.models.swin_transformer import WindowAttention  # noqa: E402


def operator(name: str, width: int, size: MapSize, **fields: object) -> TokenMixer:
    mixer = Mixer.from_dict(type_fields(mixer_type_named(name)) | fields)
    return TokenMixer(mixer, width, size).double().eval()


def tokens(values: Tensor) -> Tensor:
    """(B, C, H, W) to (B, N, C)."""
    return values.flatten(2).transpose(1, 2)


def pointwise(weight: Tensor) -> Tensor:
    return weight.detach()[:, :, None, None]


def randomised(module: nn.Module) -> nn.Module:
    module = module.double().eval()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    return module


def identity_projection(theirs: nn.Module, width: int, rows: slice) -> None:
    """Value and output projections belong to our block: make theirs do nothing."""
    qkv = theirs.qkv if hasattr(theirs, "qkv") else theirs.kv
    with torch.no_grad():
        qkv.weight[rows] = torch.eye(width, dtype=torch.float64)
        qkv.bias[rows] = 0
        theirs.proj.weight.copy_(torch.eye(width))
        theirs.proj.bias.zero_()


def assert_same(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


def test_window_attention_is_that_of_swin() -> None:
    torch.manual_seed(0)
    width, heads, window = 12, 3, 4
    theirs = randomised(WindowAttention(width, num_heads=heads, window_size=(window, window)))
    identity_projection(theirs, width, slice(2 * width, None))
    ours = operator("local vit", width, MapSize(8, 12), kernel_size=window, heads=heads)
    query, key, _ = theirs.qkv.weight.chunk(3)
    query_bias, key_bias, _ = theirs.qkv.bias.chunk(3)
    weights = "mixing.weights"
    ours.load_state_dict(
        {
            f"{weights}.query.weight": pointwise(query),
            f"{weights}.query.bias": query_bias,
            f"{weights}.key.weight": pointwise(key),
            f"{weights}.key.bias": key_bias,
            f"{weights}.position_bias": theirs.relative_position_bias_table,
        }
    )
    values = torch.randn(2, width, 8, 12, dtype=torch.float64)
    tiles = values.unfold(2, window, window).unfold(3, window, window)
    tiles = tiles.permute(0, 2, 3, 4, 5, 1).reshape(-1, window**2, width)
    mixed = theirs(tiles).reshape(2, 2, 3, window, window, width)
    expected = mixed.permute(0, 5, 1, 3, 2, 4).reshape(values.shape)
    assert_same(ours(values), expected)


def test_reduced_attention_is_that_of_pvt_v2() -> None:
    torch.manual_seed(0)
    width, heads, ratio, size = 12, 3, 2, MapSize(6, 8)
    theirs = randomised(Attention(width, num_heads=heads, sr_ratio=ratio, qkv_bias=True))
    identity_projection(theirs, width, slice(width, None))
    ours = operator("pvt", width, size, heads=heads, ratio=ratio)
    ours.load_state_dict(
        {
            "rank.reduction.weight": theirs.sr.weight,
            "rank.reduction.bias": theirs.sr.bias,
            "rank.norm.weight": theirs.norm.weight,
            "rank.norm.bias": theirs.norm.bias,
            "mixing.weights.query.weight": pointwise(theirs.q.weight),
            "mixing.weights.query.bias": theirs.q.bias,
            "mixing.weights.key.weight": pointwise(theirs.kv.weight[:width]),
            "mixing.weights.key.bias": theirs.kv.bias[:width],
        }
    )
    values = torch.randn(2, width, size.height, size.width, dtype=torch.float64)
    expected = theirs(tokens(values), [size.height, size.width])
    assert_same(tokens(ours(values)), expected)


def test_token_mixing_is_that_of_resmlp() -> None:
    torch.manual_seed(0)
    width, size = 6, MapSize(3, 5)
    theirs = randomised(ResBlock(width, seq_len=size.positions)).linear_tokens
    ours = operator("sep. mlp", width, size, heads=1, bias=False)
    ours.load_state_dict({"mixing.weights.weight": theirs.weight[None]})
    values = torch.randn(2, width, 3, 5, dtype=torch.float64)
    expected = theirs(tokens(values).transpose(1, 2)) - theirs.bias
    assert_same(ours(values).flatten(2), expected)


@pytest.mark.parametrize(
    ("name", "groups"),
    [("conv.", 1), ("group conv.", 2), ("group conv.", 4), ("dw-s conv.", 12)],
)
@pytest.mark.parametrize("kernel_size", [1, 3, 7])
@pytest.mark.parametrize("bias", [True, False])
def test_convolutions_are_those_of_torch(
    name: str, groups: int, kernel_size: int, bias: bool
) -> None:
    torch.manual_seed(0)
    width, size = 12, MapSize(6, 5)
    theirs = nn.Conv2d(
        width, width, kernel_size, padding=kernel_size // 2, groups=groups, bias=bias
    )
    randomised(theirs)
    fields = {"groups": groups} if name == "group conv." else {}
    ours = operator(name, width, size, kernel_size=kernel_size, bias=bias, **fields)
    weights = {"mixing.weights.weight": theirs.weight} | ({"bias": theirs.bias} if bias else {})
    ours.load_state_dict(weights)
    values = torch.randn(2, width, 6, 5, dtype=torch.float64)
    assert_same(ours(values), theirs(values))
