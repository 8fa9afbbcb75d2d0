"""Neighbours of an architecture in a space: one move on the relation graph, or one step in size."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import fields, replace
from functools import lru_cache
from typing import TypeVar

from space.architecture import Architecture, Stage
from space.axes import AXES
from space.cells import Cell
from space.design.stage_options import StageOptions
from space.mixer import Mixer
from space.relation_graph import axis_changes

Number = TypeVar("Number", int, float)
Item = TypeVar("Item", bound=Hashable)

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
        chosen = options.chosen(stage, place)
        reachable = moves(options.choices(stage.width, stage.depth, place))
        for mixer in reachable.get(chosen, ()) if chosen else ():
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


@lru_cache(maxsize=512)
def moves(mixers: tuple[Mixer, ...]) -> dict[Mixer, tuple[Mixer, ...]]:
    """For each of the mixers, the others that are one move away.

    A move changes the cell (sizes then follow freely) or the sizes within a cell. Cells one axis
    apart are always joined. Where a space leaves out what lies between two cells, they are joined
    too, so that every mixer can be reached: the relative neighbourhood graph.
    """
    cells: dict[Cell, list[Mixer]] = {}
    for mixer in mixers:
        cells.setdefault(mixer.cell, []).append(mixer)
    between_cells = _relative_neighbours(list(cells), lambda a, b: len(axis_changes(a, b)))
    reachable: dict[Mixer, tuple[Mixer, ...]] = {}
    for cell, members in cells.items():
        beyond = [mixer for other in between_cells[cell] for mixer in cells[other]]
        within = _relative_neighbours(members, _sizes_apart)
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


def neighbours(architecture: Architecture, stages: list[StageOptions]) -> Iterator[Architecture]:
    """Architectures that differ from the given one by one move in one stage."""
    for index, options in enumerate(stages):
        for stage in stage_neighbours(architecture.stages[index], options):
            before, after = architecture.stages[:index], architecture.stages[index + 1 :]
            yield replace(architecture, stages=(*before, stage, *after))
