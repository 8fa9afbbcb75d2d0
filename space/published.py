"""Published networks as architectures: each a point of the space, and where it comes from.

Torch free; `space.zoo` builds them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from space.architecture import Architecture, BlockType, Head, Input, Stage, Stem
from space.axes import AXES
from space.mixer import Mixer
from space.mixer_types import mixer_type_named

Variant = Literal["static", "dynamic", "inhomogeneous"]


@dataclass(frozen=True)
class ZooEntry:
    """A network of the zoo.

    Attributes:
        name: the name to ask for.
        architecture: the network for 224×224 images of three channels and 1000 classes.
        provenance: the publication it follows, and how closely.
        drop_path_rate: stochastic depth of the published recipe, where it is known.
        authors_variant: which of the paper authors' checkpoints fit it, if any.
    """

    name: str
    architecture: Architecture
    provenance: str
    drop_path_rate: float = 0.0
    authors_variant: Variant | None = None


@dataclass(frozen=True)
class _Size:
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    drop_path_rate: float


_SIZES = {
    "tiny": _Size((96, 192, 384, 768), (2, 2, 6, 2), (3, 6, 12, 24), 0.2),
    "base": _Size((128, 256, 512, 1024), (2, 2, 18, 2), (4, 8, 16, 32), 0.5),
}
_IMAGE = Input(3, 224, 224)


def _mixer(operator: str, **fields: Any) -> Mixer:
    return Mixer.from_dict(dict(zip(AXES, mixer_type_named(operator).values, strict=True)) | fields)


def _network(
    widths: Sequence[int],
    depths: Sequence[int],
    mixers: Sequence[Mixer],
    block_type: BlockType,
    *,
    patch_size: int = 4,
    mlp_ratio: float = 4,
    head: Literal["before", "after"] = "before",
    downsample: Literal["merge", "conv"] = "merge",
) -> Architecture:
    stages = tuple(
        Stage(depth, width, mlp_ratio, (mixer,))
        for depth, width, mixer in zip(depths, widths, mixers, strict=True)
    )
    return Architecture(_IMAGE, Stem(patch_size), block_type, stages, Head(1000, head), downsample)


def _paper(size: _Size, operator: str, block_type: BlockType, heads: Sequence[int] | None) -> Any:
    mixers = [
        _mixer(operator, kernel_size=7, **({} if heads is None else {"heads": heads[stage]}))
        for stage in range(4)
    ]
    return _network(size.widths, size.depths, mixers, block_type)


_OF_THE_PAPER: tuple[
    tuple[str, str, BlockType, Callable[[_Size], Sequence[int] | None], Variant | None, str], ...
] = (
    ("swin", "local vit", "prenorm", lambda size: size.heads, None,
     "Swin Transformer, Liu et al., ICCV 2021; the same network"),
    ("dwnet", "dw-s conv.", "conv", lambda size: None, "static",
     "depth-wise convolution network, Han et al., ICLR 2022; the same network"),
    ("dynamic_dwnet", "dynamic dw-s conv.", "conv", lambda size: None, "dynamic",
     "dynamic depth-wise convolution network, Han et al., ICLR 2022; the same network"),
    ("i_dynamic_dwnet", "dynamic local-s mlp", "conv", lambda size: (32,) * 4, "inhomogeneous",
     "inhomogeneous dynamic depth-wise convolution network, Han et al., ICLR 2022; the same "
     "network"),
    ("local_mlp", "local mlp", "prenorm", lambda size: size.heads, None,
     "local MLP in Swin's block, Han et al., ICLR 2022"),
)  # fmt: skip


def _paper_entries() -> list[ZooEntry]:
    return [
        ZooEntry(
            name=f"{family}_{size_name}",
            architecture=_paper(size, operator, block_type, heads(size)),
            provenance=provenance,
            drop_path_rate=size.drop_path_rate,
            authors_variant=variant,
        )
        for family, operator, block_type, heads, variant, provenance in _OF_THE_PAPER
        for size_name, size in _SIZES.items()
    ]


def _convnext() -> ZooEntry:
    mixers = [_mixer("dw-s conv.", kernel_size=7)] * 4
    architecture = _network(
        (96, 192, 384, 768), (3, 3, 9, 3), mixers, "convnext", head="after", downsample="conv"
    )
    return ZooEntry(
        "convnext_tiny", architecture, "ConvNeXt, Liu et al., CVPR 2022; the same network", 0.1
    )


def _large_kernel() -> ZooEntry:
    mixers = [_mixer("dw-s conv.", kernel_size=kernel) for kernel in (31, 29, 27, 13)]
    return ZooEntry(
        "large_kernel_31",
        _network((96, 192, 384, 768), (2, 2, 6, 2), mixers, "convnext", downsample="conv"),
        "kernels of RepLKNet, Ding et al., CVPR 2022, in ConvNeXt blocks; not the same network",
    )


def _pvt_like() -> ZooEntry:
    reductions, heads = (8, 4, 2), (1, 2, 5)
    mixers = [
        _mixer("pvt", ratio=ratio, heads=count)
        for ratio, count in zip(reductions, heads, strict=True)
    ]
    mixers.append(_mixer("vit", heads=8))
    return ZooEntry(
        "pvt_like",
        _network((64, 128, 320, 512), (2, 2, 2, 2), mixers, "prenorm"),
        "widths, depths, heads and reductions of PVT, Wang et al., ICCV 2021, in Swin's block "
        "without position embeddings; not the same network",
    )


def _resmlp_like() -> ZooEntry:
    return ZooEntry(
        "resmlp_like",
        _network((384,), (12,), [_mixer("sep. mlp", heads=1)], "prenorm", patch_size=16),
        "width, depth and patches of ResMLP, Touvron et al., 2021, in Swin's block; not the "
        "same network",
    )


def _resnet_like() -> ZooEntry:
    mixers = [_mixer("bottleneck", kernel_size=3, ratio=4)] * 4
    return ZooEntry(
        "resnet_like",
        _network((256, 512, 1024, 2048), (3, 4, 6, 3), mixers, "conv", mlp_ratio=1),
        "widths and depths of ResNet-50, He et al., CVPR 2016, with bottleneck mixers in the "
        "paper's block; not the same network",
    )


ENTRIES: dict[str, ZooEntry] = {
    entry.name: entry
    for entry in (
        *_paper_entries(),
        _convnext(),
        _large_kernel(),
        _pvt_like(),
        _resmlp_like(),
        _resnet_like(),
    )
}
"""Every network of the zoo by name."""
