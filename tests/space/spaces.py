"""Design spaces and architectures that several tests use."""

import copy
import itertools
from functools import cache
from pathlib import Path
from typing import Any

from space import Architecture, DesignSpace, mixer_type_named
from space.design.decisions import Read, Value
from space.input.plain_files import read_yaml
from tests.space.strategies import type_fields

FILES = Path(__file__).parents[2] / "configs" / "spaces"
EVERYTHING: dict[str, Any] = read_yaml(FILES / "every-cell.yaml")
"""Every mixer type, every option, maps that no kernel or window divides."""


@cache
def everything() -> DesignSpace:
    """The space of `EVERYTHING`."""
    return DesignSpace.from_dict(EVERYTHING)


SMALL: dict[str, Any] = {
    "input": {"channels": 1, "size": 16},
    "classes": 4,
    "stem": {"patch_size": 4},
    "block_type": ["conv", "prenorm"],
    "mixers": [
        {"operator": "dw-s conv", "kernel_size": [3, 5, 7, 9]},
        {"operator": "local vit", "kernel_size": [2, 4, 7], "heads": [1, 3]},
    ],
    "stages": [
        {"depth": [1, 2], "width": [8, 12], "mlp_ratio": 2, "pattern": 2},
        {"depth": 1, "width": 16, "mlp_ratio": [1, 2]},
    ],
}


def small(**changes: Any) -> DesignSpace:
    """The space of `SMALL`, with top-level fields changed."""
    return DesignSpace.from_dict(copy.deepcopy(SMALL) | changes)


def every_point(space: DesignSpace) -> list[Architecture]:
    """All points before the limits, by taking every way through the decisions."""
    points: list[Architecture] = []
    trail: list[int] = []

    def advance() -> bool:
        while trail and trail[-1] == 0:
            trail.pop()
        if trail:
            trail[-1] -= 1
        return bool(trail)

    while True:
        place = itertools.count()

        def choose(name: str, options: tuple[Value, ...], read: Read) -> Value:
            at = next(place)  # noqa: B023
            if at == len(trail):
                trail.append(len(options) - 1)
            return options[trail[at]]

        points.append(space.walk(choose))
        if not advance():
            return points


TINY = {"widths": (96, 192, 384, 768), "depths": (2, 2, 6, 2), "heads": (3, 6, 12, 24)}
BASE = {"widths": (128, 256, 512, 1024), "depths": (2, 2, 18, 2), "heads": (4, 8, 16, 32)}


def paper_network(
    operator: str, size: dict[str, tuple[int, ...]], block_type: str = "conv", **fields: Any
) -> Architecture:
    """A network of the paper at 224²; `heads="swin"` takes Swin's numbers of heads."""
    stages = []
    for width, depth, heads in zip(size["widths"], size["depths"], size["heads"], strict=True):
        own = {"heads": heads} if fields.get("heads") == "swin" else {}
        mixer = type_fields(mixer_type_named(operator)) | fields | own
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
