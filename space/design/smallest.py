"""The network that needs the least of a quantity, to say at once when limits leave nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

from space.architecture import Architecture, Stage
from space.cost.activations.pieces import map_bytes
from space.design.ceiling import PEAK
from space.design.chain import Chain
from space.design.meter import Meter
from space.design.stage_options import Shape
from space.geometry import hidden_width


@dataclass(frozen=True)
class _Begun:
    """The first stages of a network.

    Attributes:
        needs: what they need of the quantity.
        held: bytes of the maps that stay alive beside the next stage's.
        stages: the stages.
    """

    needs: int
    held: int
    stages: tuple[Stage, ...]


def smallest(chain: Chain, quantity: str) -> tuple[int, Architecture]:
    """The least that a network of the chain needs of a quantity, limits aside, and that network."""
    search = _Search(chain, quantity)
    begun = search.first()
    for index in range(len(chain.options)):
        if index:
            begun = search.step(index, begun)
        begun = search.through(index, begun)
    best = min(search.last(begun), key=lambda end: end.needs)
    return best.needs, chain.architecture(best.stages)


class _Search:
    """Dynamic programming over the widths, stage by stage."""

    def __init__(self, chain: Chain, quantity: str) -> None:
        self._chain = chain
        self._meter = Meter(chain.frame, (quantity,))
        self._is_peak = quantity == PEAK

    def _joined(self, needs: int, piece: tuple[int, ...], held: int) -> int:
        return max(needs, held + piece[0]) if self._is_peak else needs + piece[0]

    def first(self) -> dict[int, list[_Begun]]:
        """Before the first stage, by its width."""
        chain = self._chain
        stems = {
            width: self._meter.stem(chain.patch_size, width) for width in chain.costs[0].widths()
        }
        return {w: [_Begun(stem[0], self._meter.images, ())] for w, stem in stems.items()}

    def step(self, index: int, begun: dict[int, list[_Begun]]) -> dict[int, list[_Begun]]:
        """From the end of a stage to the next one, by its width."""
        size = self._chain.options[index - 1].size
        reached = {}
        for width in self._chain.costs[index].widths():
            ends = []
            for narrow, before in begun.items():
                piece, more = self._meter.step(narrow, width, size), map_bytes(narrow, size, 1)
                ends += [
                    _Begun(self._joined(b.needs, piece, b.held), b.held + more, b.stages)
                    for b in before
                ]
            reached[width] = self._best(ends)
        return reached

    def through(self, index: int, begun: dict[int, list[_Begun]]) -> dict[int, list[_Begun]]:
        """From the beginning of a stage to its end."""
        costs, reached = self._chain.costs[index], {}
        for width, before in begun.items():
            needs, stage = min((self._stage(index, s) for s in costs.shapes(width)), key=_needs)
            reached[width] = self._best(
                _Begun(self._joined(b.needs, (needs,), b.held), b.held, (*b.stages, stage))
                for b in before
            )
        return reached

    def _stage(self, index: int, shape: Shape) -> tuple[int, Stage]:
        options, (width, depth, ratio) = self._chain.options[index], shape
        step, hidden = options.pattern_length(depth), hidden_width(width, ratio)
        needs, mixers = 0, []
        for place in range(step):
            around = (place, step, depth, width, hidden, options.size)
            priced = (
                (self._meter.place((self._chain.scaffold, mixer, *around)), mixer)
                for mixer in options.choices(width, depth, place)
            )
            piece, mixer = min(priced, key=_needs)
            needs = self._joined(needs, piece, 0)
            mixers.append(mixer)
        return needs, Stage(depth, width, ratio, tuple(mixers))

    def last(self, begun: dict[int, list[_Begun]]) -> list[_Begun]:
        """After the head."""
        size, held = self._chain.options[-1].size, self._meter.images
        return [
            _Begun(self._joined(b.needs, self._meter.top(width, size), held), b.held, b.stages)
            for width, ends in begun.items()
            for b in ends
        ]

    def _best(self, ends: Iterable[_Begun]) -> list[_Begun]:
        """Those that no other one undercuts; where nothing is held, one."""
        kept: list[_Begun] = []
        for end in sorted(ends, key=lambda end: (end.needs, end.held)):
            if not kept or (self._is_peak and end.held < kept[-1].held):
                kept.append(end)
        return kept


def _needs(found: tuple[tuple[int, ...] | int, object]) -> tuple[int, ...] | int:
    return found[0]
