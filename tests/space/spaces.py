"""Design spaces and architectures that several tests use."""

from pathlib import Path
from typing import Any

from space import Architecture, DesignSpace, mixer_type_named
from space.input.plain_files import read_yaml
from tests.space.strategies import cell_fields

FILES = Path(__file__).parents[2] / "configs" / "spaces"
EVERYTHING: dict[str, Any] = read_yaml(FILES / "every-cell.yaml")
"""Every mixer type, every option, maps that no kernel or window divides."""


def everything() -> DesignSpace:
    """The space of `EVERYTHING`."""
    return DesignSpace.from_dict(EVERYTHING)


TINY = {"widths": (96, 192, 384, 768), "depths": (2, 2, 6, 2), "heads": (3, 6, 12, 24)}
BASE = {"widths": (128, 256, 512, 1024), "depths": (2, 2, 18, 2), "heads": (4, 8, 16, 32)}


def paper_network(
    operator: str, size: dict[str, tuple[int, ...]], block_type: str = "conv", **fields: Any
) -> Architecture:
    """A network of the paper at 224²; `heads="swin"` takes Swin's numbers of heads."""
    stages = []
    for width, depth, heads in zip(size["widths"], size["depths"], size["heads"], strict=True):
        own = {"heads": heads} if fields.get("heads") == "swin" else {}
        mixer = cell_fields(mixer_type_named(operator)) | fields | own
        stages.append({"depth": depth, "width": width, "mlp_ratio": 4, "mixers": [mixer]})
    return Architecture.from_dict(
        {
            "input": {"channels": 3, "height": 224, "width": 224},
            "stem": {"patch_size": 4},
            "block_type": block_type,
            "stages": stages,
            "head": {"classes": 1000},
        }
    )
