"""Published networks as architectures: each a point of the space, and where it comes from.

Torch free; `space.zoo` builds them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from space.architecture import Architecture, BlockType, Head, Input, Stage, Stem
from space.mixer import Mixer

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


def _paper_entries() -> Iterator[ZooEntry]:
    for family, operator, block_type, heads_of, variant, provenance in _OF_THE_PAPER:
        for size_name, size in _SIZES.items():
            heads = heads_of(size)
            sizes = [{}] * 4 if heads is None else [{"heads": count} for count in heads]
            mixers = [Mixer.named(operator, kernel_size=7, **more) for more in sizes]
            yield ZooEntry(
                f"{family}_{size_name}",
                _network(size.widths, size.depths, mixers, block_type),
                provenance,
                size.drop_path_rate,
                variant,
            )


_OF_OTHERS = (
    ZooEntry(
        "convnext_tiny",
        _network(
            (96, 192, 384, 768),
            (3, 3, 9, 3),
            [Mixer.named("dw-s conv.", kernel_size=7)] * 4,
            "convnext",
            head="after",
            downsample="conv",
        ),
        "ConvNeXt, Liu et al., CVPR 2022; the same network",
        drop_path_rate=0.1,
    ),
    ZooEntry(
        "large_kernel_31",
        _network(
            (96, 192, 384, 768),
            (2, 2, 6, 2),
            [Mixer.named("dw-s conv.", kernel_size=kernel) for kernel in (31, 29, 27, 13)],
            "convnext",
            downsample="conv",
        ),
        "kernels of RepLKNet, Ding et al., CVPR 2022, in ConvNeXt blocks; not the same network",
    ),
    ZooEntry(
        "pvt_like",
        _network(
            (64, 128, 320, 512),
            (2, 2, 2, 2),
            [
                Mixer.named("pvt", ratio=8, heads=1),
                Mixer.named("pvt", ratio=4, heads=2),
                Mixer.named("pvt", ratio=2, heads=5),
                Mixer.named("vit", heads=8),
            ],
            "prenorm",
        ),
        "widths, depths, heads and reductions of PVT, Wang et al., ICCV 2021, in Swin's block "
        "without position embeddings; not the same network",
    ),
    ZooEntry(
        "resmlp_like",
        _network((384,), (12,), [Mixer.named("sep. mlp", heads=1)], "prenorm", patch_size=16),
        "width, depth and patches of ResMLP, Touvron et al., 2021, in Swin's block; not the "
        "same network",
    ),
    ZooEntry(
        "resnet_like",
        _network(
            (256, 512, 1024, 2048),
            (3, 4, 6, 3),
            [Mixer.named("bottleneck", kernel_size=3, ratio=4)] * 4,
            "conv",
            mlp_ratio=1,
        ),
        "widths and depths of ResNet-50, He et al., CVPR 2016, with bottleneck mixers in the "
        "paper's block; not the same network",
    ),
)

ENTRIES: dict[str, ZooEntry] = {entry.name: entry for entry in (*_paper_entries(), *_OF_OTHERS)}
"""Every network of the zoo by name."""
