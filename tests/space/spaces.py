"""Design spaces and architectures that several tests use."""

from typing import Any

from space import Architecture, DesignSpace, cell_named
from tests.space.strategies import cell_fields

EVERYTHING: dict[str, Any] = {
    "name": "every cell",
    "input": {"channels": 3, "height": 21, "width": 26},
    "classes": 7,
    "stem": {"patch_size": [3, 4]},
    "scaffold": ["conv", "prenorm", "convnext"],
    "mixers": [
        {
            "operator": "all",
            "kernel_size": [1, 2, 3, 4, 5, 9],
            "groups": [1, 2, 4],
            "heads": [1, 2, 4, 8],
            "ratio": [1, 2, 3],
            "bias": [True, False],
        },
        {
            "operator": ["local vit", "neighbourhood attention"],
            "kernel_size": 3,
            "heads": 2,
            "position_bias": [True, False],
            "query_key_bias": [True, False],
        },
        {"operator": ["local mlp", "local vit"], "kernel_size": 3, "shift": [True, False]},
        {
            "operator": ["pvt", "pyramid ms conv."],
            "kernel_size": 3,
            "ratio": [2, 3],
            "reduction": ["matched", "dense", "average"],
            "reduction_norm": [True, False],
        },
        {
            "operator": ["dynamic dw-s conv.", "dense synthesizer"],
            "kernel_size": 5,
            "generator_ratio": [1, 2, 100],
        },
    ],
    "stages": [
        {"depth": [1, 2, 3], "width": [8, 12], "mlp_ratio": [1, 2.5], "pattern": 2},
        {"depth": [1, 2], "width": [16, 24], "mlp_ratio": [2, 4]},
        {"depth": 1, "width": 24, "mlp_ratio": 2},
    ],
}
"""Every cell, every option, maps that no kernel or window divides."""


def everything() -> DesignSpace:
    """The space of `EVERYTHING`."""
    return DesignSpace.from_dict(EVERYTHING)


TINY = {"widths": (96, 192, 384, 768), "depths": (2, 2, 6, 2), "heads": (3, 6, 12, 24)}
BASE = {"widths": (128, 256, 512, 1024), "depths": (2, 2, 18, 2), "heads": (4, 8, 16, 32)}


def paper_network(
    operator: str, size: dict[str, tuple[int, ...]], scaffold: str = "conv", **fields: Any
) -> Architecture:
    """A network of the paper at 224²; `heads="swin"` takes Swin's numbers of heads."""
    stages = []
    for width, depth, heads in zip(size["widths"], size["depths"], size["heads"], strict=True):
        own = {"heads": heads} if fields.get("heads") == "swin" else {}
        mixer = cell_fields(cell_named(operator)) | fields | own
        stages.append({"depth": depth, "width": width, "mlp_ratio": 4, "mixers": [mixer]})
    return Architecture.from_dict(
        {
            "input": {"channels": 3, "height": 224, "width": 224},
            "stem": {"patch_size": 4},
            "scaffold": scaffold,
            "stages": stages,
            "head": {"classes": 1000},
        }
    )
