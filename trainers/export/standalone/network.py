"""The class of the whole network, and how its blocks are listed."""

from collections.abc import Sequence
from itertools import pairwise

from space.architecture import Architecture
from trainers.export.standalone.draft import method
from trainers.export.standalone.text import (
    Call,
    Expression,
    Listing,
    Loop,
    assign,
    call,
    docstring,
)

_LISTED = 6
"""Blocks of a stage that are listed one by one, even where a pattern repeats."""


def network(architecture: Architecture, blocks: Sequence[Sequence[Call]]) -> str:
    """The class.

    Args:
        architecture: of the network.
        blocks: for each stage the calls that make its blocks.
    """
    lone = len(blocks) == 1
    names = [f"stage_{index}" for index, _ in enumerate(blocks, 1)]
    widths = [stage.width for stage in architecture.stages]
    init = [
        " " * 8 + "super().__init__()",
        *assign("self.stem", "Stem()"),
        *(line for name, each in zip(names, blocks, strict=True) for line in _stage(name, each)),
        *assign("self.stages", _stages(names)),
        *([] if lone else assign("self.downsamples", _downsamples(widths))),
        *assign("self.head", "Head()"),
    ]
    body = ["return self.head(self.stages[0](self.stem(images)))"]
    if not lone:
        body = [
            "x = self.stages[0](self.stem(images))",
            "for downsample, stage in zip(self.downsamples, self.stages[1:], strict=True):",
            "    x = stage(downsample(x))",
            "return self.head(x)",
        ]
    image, classes = architecture.input, architecture.head.classes
    shapes = f"(B, {image.channels}, {image.height}, {image.width}) to (B, {classes or widths[-1]})"
    lines = [
        "class Network(nn.Module):",
        *docstring(f"{shapes} {'logits' if classes else 'features'}.", 4),
        "",
        "    def __init__(self) -> None:",
        *init,
        "",
        *method("forward(self, images: Tensor) -> Tensor", *body),
    ]
    return "\n".join(lines)


def _stages(names: list[str]) -> Expression:
    if len(names) == 1:
        return call("nn.ModuleList", f"[nn.Sequential(*{names[0]})]")
    listed = ", ".join(names)
    return call("nn.ModuleList", f"nn.Sequential(*blocks) for blocks in ({listed})")


def _downsamples(widths: list[int]) -> Expression:
    return call("nn.ModuleList", Listing(tuple(call("Downsample", *p) for p in pairwise(widths))))


def _stage(name: str, blocks: Sequence[Call]) -> list[str]:
    period = next(n for n in range(1, len(blocks) + 1) if _repeats(blocks, n))
    times = len(blocks) // period
    if len(blocks) == 1 or (period > 1 and (times == 1 or len(blocks) <= _LISTED)):
        return assign(name, Listing(tuple(blocks)))
    if period == 1:
        return assign(name, Loop(blocks[0], (("_", f"range({times})"),)))
    pattern = Listing(tuple(blocks[:period]), "()")
    return assign(name, Loop("block", (("_", f"range({times})"), ("block", pattern))))


def _repeats(blocks: Sequence[Call], period: int) -> bool:
    return len(blocks) % period == 0 and list(blocks[period:]) == list(blocks[:-period])
