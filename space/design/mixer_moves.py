"""Moves between the mixers that may stand at one place of a pattern."""

from functools import cached_property
from itertools import chain
from operator import attrgetter, ne

from space.cells import Cell
from space.design.relative_neighbours import relative_neighbours
from space.design.size_moves import SIZES_AND_OPTIONS, size_moves
from space.mixer import Mixer

_sizes_and_options = attrgetter(*SIZES_AND_OPTIONS)


class MixerMoves:
    """The mixers of a place and what joins them; each answer is worked out once, when asked for.

    A move changes the cell (sizes then follow freely) or one size within a cell. Cells one axis
    apart are always joined. Where a space leaves out what lies between two cells, they are joined
    too (the relative neighbourhood graph), as are sizes that differ in several fields if nothing
    else leads to them, so that every mixer can be reached.
    """

    def __init__(self, mixers: tuple[Mixer, ...]) -> None:
        self._mixers = mixers
        self._sizes: dict[Cell, dict[Mixer, list[Mixer]]] = {}
        self._nearest: dict[Mixer, Mixer] = {}

    def of(self, mixer: Mixer) -> tuple[Mixer, ...]:
        """The mixers that are one move away from one of them: other cells, then other sizes."""
        cell = mixer.cell
        if cell not in self._sizes:
            self._sizes[cell] = size_moves(self._members(cell))
        beyond = (other for joined in self._joined[cell] for other in self._members(joined))
        return (*beyond, *self._sizes[cell][mixer])

    def nearest(self, wanted: Mixer) -> Mixer:
        """The first of those that differ from any mixer in the fewest axes, then sizes."""
        if wanted not in self._nearest:
            sizes = _sizes_and_options(wanted)
            self._nearest[wanted] = min(
                (self._mixers[place] for place in self._in_nearest_cells(wanted.cell)),
                key=lambda mixer: sum(map(ne, _sizes_and_options(mixer), sizes)),
            )
        return self._nearest[wanted]

    def _in_nearest_cells(self, wanted: Cell) -> list[int]:
        apart = {cell: sum(map(ne, cell.values, wanted.values)) for cell in self._places}
        least = min(apart.values())
        nearest = (self._places[cell] for cell, axes in apart.items() if axes == least)
        return sorted(chain.from_iterable(nearest))

    def _members(self, cell: Cell) -> list[Mixer]:
        return [self._mixers[place] for place in self._places[cell]]

    @cached_property
    def _places(self) -> dict[Cell, list[int]]:
        """Where the mixers of each cell stand in the order of all."""
        places: dict[Cell, list[int]] = {}
        for place, mixer in enumerate(self._mixers):
            places.setdefault(mixer.cell, []).append(place)
        return places

    @cached_property
    def _joined(self) -> dict[Cell, tuple[Cell, ...]]:
        return relative_neighbours(tuple(self._places))
