"""timm as the oracle: its weights in our networks and operators give its results."""

import pytest
import torch
from torch import Tensor

from space.geometry import MapSize
from space.networks import build
from space.operators import TokenMixer
from space.torchvision_support import prepare_torchvision
from tests.space.spaces import TINY, paper_network
from tests.space.test_architecture import attention

prepare_torchvision()  # timm imports torchvision, whose operators may be missing on a CPU build

from timm.models.convnext import convnext_tiny  # noqa: E402
from timm.models.swin_transformer import swin_tiny_patch4_window7_224  # noqa: E402

from space import Mixer, zoo  # noqa: E402

Weights = dict[str, Tensor]


def swin_weights(theirs: Weights, depths: tuple[int, ...]) -> Weights:
    """timm's Swin state dict under the names of our network."""

    def pointwise(weight: Tensor) -> Tensor:
        return weight[:, :, None, None]

    def both(ours: str, name: str, *, linear: bool) -> Weights:
        weight = theirs[f"{name}.weight"]
        pair = {f"{ours}.weight": pointwise(weight) if linear else weight}
        bias = theirs.get(f"{name}.bias")
        return pair if bias is None else pair | {f"{ours}.bias": bias}

    found = both("stem.project", "patch_embed.proj", linear=False)
    found |= both("stem.norm", "patch_embed.norm", linear=False)
    for stage, depth in enumerate(depths):
        if stage:
            merge = f"layers.{stage}.downsample"
            found |= both(f"downsamples.{stage - 1}.norm", f"{merge}.norm", linear=False)
            found |= both(f"downsamples.{stage - 1}.reduce", f"{merge}.reduction", linear=True)
        for block in range(depth):
            ours, name = f"stages.{stage}.{block}", f"layers.{stage}.blocks.{block}"
            found |= both(f"{ours}.mix_norm", f"{name}.norm1", linear=False)
            found |= both(f"{ours}.norm", f"{name}.norm2", linear=False)
            found |= both(f"{ours}.project", f"{name}.attn.proj", linear=True)
            found |= both(f"{ours}.mlp.expand", f"{name}.mlp.fc1", linear=True)
            found |= both(f"{ours}.mlp.contract", f"{name}.mlp.fc2", linear=True)
            weight = theirs[f"{name}.attn.qkv.weight"].chunk(3)
            bias = theirs[f"{name}.attn.qkv.bias"].chunk(3)
            weights = f"{ours}.mixer.mixing.weights"
            for place, target in enumerate((f"{weights}.query", f"{weights}.key", f"{ours}.value")):
                found |= {f"{target}.weight": pointwise(weight[place])}
                found |= {f"{target}.bias": bias[place]}
            table = theirs[f"{name}.attn.relative_position_bias_table"]
            found[f"{weights}.position_bias"] = table
    found |= both("head.norm", "norm", linear=False)
    return found | both("head.classify", "head.fc", linear=False)


@pytest.mark.thorough
def test_swin_tiny_has_the_logits_of_timm() -> None:
    torch.manual_seed(0)
    theirs = swin_tiny_patch4_window7_224(pretrained=False).eval()
    for name, parameter in theirs.named_parameters():
        if "bias" in name:  # timm starts them at zero, where a mix-up would not show
            torch.nn.init.normal_(parameter, std=0.2)
    ours = build(paper_network("local vit", TINY, "prenorm", kernel_size=7, heads="swin")).eval()
    ours.load_state_dict(swin_weights(theirs.state_dict(), TINY["depths"]), strict=True)
    images = torch.randn(2, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)


def test_convnext_tiny_has_the_logits_of_timm() -> None:
    torch.manual_seed(0)
    theirs = convnext_tiny(pretrained=False).eval()
    for name, parameter in theirs.named_parameters():
        if name.endswith(("bias", "gamma")):
            torch.nn.init.normal_(parameter, std=0.2)
    weights = theirs.state_dict()
    names = {"stem.0": "stem.project", "stem.1": "stem.norm"}
    names |= {"head.norm": "head.norm", "head.fc": "head.classify"}
    for stage, depth in enumerate((3, 3, 9, 3)):
        if stage:
            names[f"stages.{stage}.downsample.0"] = f"downsamples.{stage - 1}.norm"
            names[f"stages.{stage}.downsample.1"] = f"downsamples.{stage - 1}.reduce"
        for block in range(depth):
            their, our = f"stages.{stage}.blocks.{block}", f"stages.{stage}.{block}"
            names |= {f"{their}.norm": f"{our}.norm"}
            names |= {f"{their}.mlp.fc1": f"{our}.mlp.expand"}
            names |= {f"{their}.mlp.fc2": f"{our}.mlp.contract"}
    renamed = {}
    for name, weight in weights.items():
        if name.endswith("gamma"):
            renamed[name.replace("blocks.", "").replace("gamma", "scale")] = weight
        elif "conv_dw" in name:
            leaf = "mixing.weights.weight" if name.endswith("weight") else "bias"
            renamed[f"{name.split('.conv_dw')[0].replace('blocks.', '')}.mixer.{leaf}"] = weight
        else:
            module, leaf = name.rsplit(".", 1)
            linear = ".mlp." in name and leaf == "weight"
            renamed[f"{names[module]}.{leaf}"] = weight[:, :, None, None] if linear else weight
    ours = zoo.create("convnext_tiny", pretrained_weights=renamed).eval()
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(ours(images), theirs(images), rtol=1e-4, atol=1e-4)


def test_global_attention_is_that_of_torch() -> None:
    torch.manual_seed(0)
    width, heads, size = 12, 3, MapSize(5, 4)
    operator = TokenMixer(Mixer.from_dict(attention("global", heads=heads)), width, size).double()
    theirs = torch.nn.MultiheadAttention(width, heads, batch_first=True).double()
    with torch.no_grad():
        query, key, _ = theirs.in_proj_weight.chunk(3)
        weights = operator.mixing.weights  # type: ignore[union-attr]
        weights.query.weight.copy_(query[:, :, None, None])  # type: ignore[operator, union-attr]
        weights.key.weight.copy_(key[:, :, None, None])  # type: ignore[operator, union-attr]
        theirs.in_proj_weight[2 * width :] = torch.eye(width)
        theirs.out_proj.weight.copy_(torch.eye(width))
    values = torch.randn(2, width, size.height, size.width, dtype=torch.float64)
    tokens = values.flatten(2).transpose(1, 2)
    expected, _ = theirs(tokens, tokens, tokens, need_weights=False)
    mixed = operator(values).flatten(2).transpose(1, 2)
    torch.testing.assert_close(mixed, expected, rtol=1e-9, atol=1e-9)
