"""Neighbours of an architecture in a space: one move on the relation graph, or one step in size."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import TypeVar

from space.architecture import Architecture, Stage
from space.axes import AXES
from space.design.stage_options import StageOptions
from space.mixer import Mixer

Number = TypeVar("Number", int, float)

_SIZES_AND_OPTIONS = tuple(field.name for field in fields(Mixer) if field.name not in AXES)


def stage_neighbours(stage: Stage, options: StageOptions) -> Iterator[Stage]:
    """Stages one move away: a step in depth, width or MLP ratio, or one mixer changed."""
    for depth in _steps(stage.depth, options.depths):
        yield from _fitting(replace(stage, depth=depth), options)
    for width in _steps(stage.width, options.widths):
        yield from _fitting(replace(stage, width=width), options)
    for ratio in _steps(stage.mlp_ratio, options.mlp_ratios):
        yield replace(stage, mlp_ratio=ratio)
    blocks = stage.block_mixers()
    length = options.pattern_length(stage.depth)
    for place in range(length):
        for mixer in options.choices(stage.width, stage.depth, place):
            if one_move_apart(blocks[place], mixer):
                yield replace(stage, mixers=(*blocks[:place], mixer, *blocks[place + 1 : length]))


def _steps(value: Number, allowed: tuple[Number, ...]) -> list[Number]:
    """The allowed values next to one of them."""
    ordered = sorted(allowed)
    place = ordered.index(value)
    return ordered[max(0, place - 1) : place] + ordered[place + 1 : place + 2]


def _fitting(stage: Stage, options: StageOptions) -> Iterator[Stage]:
    """The stage in its new shape, with the nearest mixers that this shape has."""
    if (stage.width, stage.depth, stage.mlp_ratio) not in options.shapes():
        return
    mixers = []
    for place in range(options.pattern_length(stage.depth)):
        wanted = stage.mixers[place % len(stage.mixers)]
        choices = options.choices(stage.width, stage.depth, place)
        mixers.append(min(choices, key=lambda mixer: _distance(mixer, wanted)))
    yield replace(stage, mixers=tuple(mixers))


def _axes_apart(one: Mixer, other: Mixer) -> int:
    return sum(getattr(one, axis) != getattr(other, axis) for axis in AXES)


def _sizes_apart(one: Mixer, other: Mixer) -> int:
    return sum(getattr(one, name) != getattr(other, name) for name in _SIZES_AND_OPTIONS)


def _distance(one: Mixer, other: Mixer) -> tuple[int, int]:
    return _axes_apart(one, other), _sizes_apart(one, other)


def one_move_apart(one: Mixer, other: Mixer) -> bool:
    """Whether two mixers differ in one axis (sizes then follow) or, in the same cell, one size."""
    axes = _axes_apart(one, other)
    return axes == 1 or (axes == 0 and _sizes_apart(one, other) == 1)


def neighbours(architecture: Architecture, stages: list[StageOptions]) -> Iterator[Architecture]:
    """Architectures that differ from the given one by one move in one stage."""
    for index, options in enumerate(stages):
        for stage in stage_neighbours(architecture.stages[index], options):
            before, after = architecture.stages[:index], architecture.stages[index + 1 :]
            yield replace(architecture, stages=(*before, stage, *after))
