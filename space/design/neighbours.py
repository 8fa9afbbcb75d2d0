"""Neighbours of an architecture in a space: one move on the relation graph, or one step in size."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import fields, replace
from functools import lru_cache
from typing import TypeVar

from space.architecture import Architecture, Stage
from space.axes import AXES
from space.cells import Cell
from space.design.size_moves import size_moves
from space.design.stage_options import StageOptions
from space.mixer import Mixer
from space.relation_graph import axis_changes

Item = TypeVar("Item", bound=Hashable)

_SIZES_AND_OPTIONS = tuple(field.name for field in fields(Mixer) if field.name not in AXES)


def stage_neighbours(stage: Stage, options: StageOptions) -> Iterator[Stage]:
    """Stages one move away: a step in depth, width or MLP ratio, or one mixer changed."""
    for width, depth, ratio in _next_shapes((stage.width, stage.depth, stage.mlp_ratio), options):
        yield _reshaped(stage, width, depth, ratio, options)
    blocks = stage.block_mixers()
    length = options.pattern_length(stage.depth)
    for place in range(length):
        chosen = options.chosen(stage, place)
        reachable = moves(options.choices(stage.width, stage.depth, place))
        for mixer in reachable.get(chosen, ()) if chosen else ():
            yield replace(stage, mixers=(*blocks[:place], mixer, *blocks[place + 1 : length]))


Shape = tuple[int, int, float]


def _next_shapes(here: Shape, options: StageOptions) -> list[Shape]:
    """The next smaller and the next larger value of width, depth and MLP ratio.

    Where the other two do not go with the new value, they follow it: the nearest that do.
    """
    shapes = options.shapes()
    found: dict[Shape, None] = {}
    for axis in range(3):
        values = sorted({shape[axis] for shape in shapes})
        place = values.index(here[axis])
        for value in values[max(0, place - 1) : place] + values[place + 1 : place + 2]:
            candidates = [shape for shape in shapes if shape[axis] == value]
            found[min(candidates, key=lambda shape: _shape_distance(shape, here))] = None
    return list(found)


def _shape_distance(one: Shape, other: Shape) -> tuple[int, float]:
    pairs = list(zip(one, other, strict=True))
    return sum(a != b for a, b in pairs), sum(abs(a - b) for a, b in pairs)


def _reshaped(stage: Stage, width: int, depth: int, ratio: float, options: StageOptions) -> Stage:
    """The stage in another shape, with the nearest mixers that this shape has."""
    if (width, depth) == (stage.width, stage.depth):
        return replace(stage, mlp_ratio=ratio)
    mixers = []
    for place in range(options.pattern_length(depth)):
        wanted = stage.mixers[place % len(stage.mixers)]
        choices = options.choices(width, depth, place)
        mixers.append(min(choices, key=lambda mixer: _distance(mixer, wanted)))
    return Stage(depth, width, ratio, tuple(mixers))


def _axes_apart(one: Mixer, other: Mixer) -> int:
    return sum(getattr(one, axis) != getattr(other, axis) for axis in AXES)


def _sizes_apart(one: Mixer, other: Mixer) -> int:
    return sum(getattr(one, name) != getattr(other, name) for name in _SIZES_AND_OPTIONS)


def _distance(one: Mixer, other: Mixer) -> tuple[int, int]:
    return _axes_apart(one, other), _sizes_apart(one, other)


@lru_cache(maxsize=512)
def moves(mixers: tuple[Mixer, ...]) -> dict[Mixer, tuple[Mixer, ...]]:
    """For each of the mixers, the others that are one move away.

    A move changes the cell (sizes then follow freely) or one size within a cell. Cells one axis
    apart are always joined. Where a space leaves out what lies between two cells, they are joined
    too (the relative neighbourhood graph), as are sizes that differ in several fields if nothing
    else leads to them, so that every mixer can be reached.
    """
    cells: dict[Cell, list[Mixer]] = {}
    for mixer in mixers:
        cells.setdefault(mixer.cell, []).append(mixer)
    between_cells = _relative_neighbours(list(cells), lambda a, b: len(axis_changes(a, b)))
    reachable: dict[Mixer, tuple[Mixer, ...]] = {}
    for cell, members in cells.items():
        beyond = [mixer for other in between_cells[cell] for mixer in cells[other]]
        within = size_moves(members)
        reachable |= {mixer: (*beyond, *within[mixer]) for mixer in members}
    return reachable


def _relative_neighbours(
    items: list[Item], distance: Callable[[Item, Item], int]
) -> dict[Item, list[Item]]:
    """Pairs with no third item closer to both: a connected graph without long ways round."""
    apart = {(a, b): distance(a, b) for a in items for b in items}
    return {
        a: [
            b
            for b in items
            if a != b and not any(max(apart[a, c], apart[c, b]) < apart[a, b] for c in items)
        ]
        for a in items
    }


def neighbours(
    architecture: Architecture, stages: Sequence[StageOptions]
) -> Iterator[Architecture]:
    """Architectures that differ from the given one by one move in one stage."""
    for index, options in enumerate(stages):
        for stage in stage_neighbours(architecture.stages[index], options):
            before, after = architecture.stages[:index], architecture.stages[index + 1 :]
            yield replace(architecture, stages=(*before, stage, *after))
