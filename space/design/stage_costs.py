"""What the stages of a space cost, in tables: a cost for each shape and each mixer at its place.

Everything comes from `space.cost`: a stage costs the sum of its blocks.
"""

from dataclasses import dataclass, field
from functools import cached_property

from space.architecture import BlockType
from space.design.meter import Meter
from space.design.stage_options import Shape, StageOptions
from space.design.sums import Vector, minus
from space.geometry import hidden_width

Allowed = tuple[tuple[int, ...], ...]
"""For each place of a pattern, the numbers of the choices that may be there."""


@dataclass(frozen=True)
class StageCosts:
    """The costs of one stage of a space in one scaffold.

    Attributes:
        options: what the stage may be.
        scaffold: the residual block around the mixers.
        sums: reads the quantities that add up.
        peak: reads the one that does not.
    """

    options: StageOptions
    scaffold: BlockType
    sums: Meter
    peak: Meter
    _known: dict[tuple[Meter, Shape, int], list[Vector]] = field(
        default_factory=dict, init=False, compare=False
    )

    def widths(self) -> list[int]:
        """The widths that some mixer fits."""
        return list(dict.fromkeys(width for width, _, _ in self.options.shapes()))

    def shapes(self, width: int) -> list[Shape]:
        """The shapes of this width."""
        return [shape for shape in self.options.shapes() if shape[0] == width]

    def shape(self, shape: Shape) -> Vector:
        """What this MLP ratio costs more than the least one of its width, over all blocks."""
        width, depth, ratio = shape
        more = minus(self._one_block(width, ratio), self._one_block(width, self._least[width]))
        return tuple(depth * each for each in more)

    def place(self, width: int, depth: int, place: int) -> list[Vector]:
        """For each choice at a place of the pattern, the cost of all blocks that it fills.

        With the least MLP ratio of the width.
        """
        return self._of_choices(self.sums, (width, depth, self._least[width]), place)

    def allowed(self, width: int, room: int | None) -> tuple[Allowed, ...]:
        """For each shape of a width, the choices whose blocks need no more bytes than `room`.

        Blocks come one after the other, so that the choices at two places do not depend on each
        other. None is no limit.
        """
        return tuple(self._allowed(shape, room) for shape in self.shapes(width))

    def _allowed(self, shape: Shape, room: int | None) -> Allowed:
        width, depth, _ = shape
        places = range(self.options.pattern_length(depth))
        if room is None:
            return tuple(tuple(range(len(self.options.choices(width, depth, p)))) for p in places)
        peaks = [self._of_choices(self.peak, shape, place) for place in places]
        return tuple(
            tuple(number for number, (peak,) in enumerate(of_place) if peak <= room)
            for of_place in peaks
        )

    def _of_choices(self, meter: Meter, shape: Shape, place: int) -> list[Vector]:
        key = meter, shape, place
        if key not in self._known:
            width, depth, ratio = shape
            length, hidden = self.options.pattern_length(depth), hidden_width(width, ratio)
            around = (place, length, depth, width, hidden, self.options.size)
            mixers = self.options.choices(width, depth, place)
            self._known[key] = [meter.place((self.scaffold, m, *around)) for m in mixers]
        return self._known[key]

    def _one_block(self, width: int, ratio: float) -> Vector:
        """A block with one and the same mixer."""
        _, depth, _ = self.shapes(width)[0]
        mixer = self.options.choices(width, depth, 0)[0]
        hidden = hidden_width(width, ratio)
        return self.sums.place((self.scaffold, mixer, 0, 1, 1, width, hidden, self.options.size))

    @cached_property
    def _least(self) -> dict[int, float]:
        """The least MLP ratio of each width."""
        return {width: self.shapes(width)[0][2] for width in self.widths()}
