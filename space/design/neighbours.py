"""Neighbours of an architecture in a space: one move on the relation graph, or one step in size."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import ne, sub

from space.architecture import Architecture, Stage
from space.design.mixer_moves import MixerMoves
from space.design.stage_options import Shape, StageOptions
from space.mixer import Mixer


class StageMoves:
    """The moves of one stage of a space, remembered from one architecture to the next.

    Attributes:
        options: what the stage may be.
    """

    def __init__(self, options: StageOptions) -> None:
        self.options = options
        self._steps: dict[Shape, list[Shape]] = {}
        self._mixers: dict[tuple[int, int, int], MixerMoves] = {}
        self._made: dict[tuple[Mixer, ...], MixerMoves] = {}

    def of(self, stage: Stage) -> Iterator[Stage]:
        """Stages one move away: a step in depth, width or MLP ratio, or one mixer changed."""
        here = stage.width, stage.depth, stage.mlp_ratio
        if here not in self._steps:
            self._steps[here] = size_steps(here, self.options.shapes())
        for shape in self._steps[here]:
            yield self._reshaped(stage, shape)
        blocks = stage.block_mixers()
        length = self.options.pattern_length(stage.depth)
        for place in range(length):
            chosen = self.options.chosen(stage, place)
            reachable = self._at(stage.width, stage.depth, place).of(chosen) if chosen else ()
            for mixer in reachable:
                mixers = (*blocks[:place], mixer, *blocks[place + 1 : length])
                yield Stage(stage.depth, stage.width, stage.mlp_ratio, mixers)

    def nearest(self, stage: Stage) -> Stage | None:
        """The stage of this shape here that is nearest to one of another map size."""
        shape = (stage.width, stage.depth, stage.mlp_ratio)
        return self._placed(stage, shape) if shape in self.options.shapes() else None

    def _reshaped(self, stage: Stage, shape: Shape) -> Stage:
        """The stage in another shape, with the nearest mixers that this shape has."""
        if shape[:2] == (stage.width, stage.depth):
            return replace(stage, mlp_ratio=shape[2])
        return self._placed(stage, shape)

    def _placed(self, stage: Stage, shape: Shape) -> Stage:
        width, depth, ratio = shape
        mixers = (
            self._at(width, depth, place).nearest(stage.mixers[place % len(stage.mixers)])
            for place in range(self.options.pattern_length(depth))
        )
        return Stage(depth, width, ratio, tuple(mixers))

    def _at(self, width: int, depth: int, place: int) -> MixerMoves:
        key = width, depth, place
        if key not in self._mixers:
            # Most places have the same choices: what is known of them is shared.
            choices = self.options.choices(*key)
            self._mixers[key] = self._made.setdefault(choices, MixerMoves(choices))
        return self._mixers[key]


def neighbours(architecture: Architecture, moves: Sequence[StageMoves]) -> Iterator[Architecture]:
    """Architectures that differ from the given one by one move in one stage, each once.

    Args:
        architecture: a point of the space.
        moves: those of each of its stages.
    """
    for index, (stage, of_stage) in enumerate(zip(architecture.stages, moves, strict=True)):
        moved = (architecture.with_stage(index, other) for other in of_stage.of(stage))
        # Two moves may lead to one stage, once its pattern has its shortest form.
        distinct = {other.stages[index]: other for other in moved}
        distinct.pop(stage, None)
        yield from distinct.values()


def size_steps(here: Shape, shapes: Sequence[Shape]) -> list[Shape]:
    """The next smaller and the next larger value of width, depth and MLP ratio, each once.

    Where the other two do not go with the new value, they follow it: the nearest that do.
    """
    found = []
    for axis in range(3):
        values = sorted({shape[axis] for shape in shapes})
        place = values.index(here[axis])
        for value in values[max(0, place - 1) : place] + values[place + 1 : place + 2]:
            beside = (shape for shape in shapes if shape[axis] == value)
            found.append(min(beside, key=lambda shape: _distance(shape, here)))
    return list(dict.fromkeys(found))


def _distance(one: Shape, other: Shape) -> tuple[int, float]:
    return sum(map(ne, one, other)), sum(map(abs, map(sub, one, other)))
