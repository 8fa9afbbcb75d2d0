"""Which trainings a table wants, in an order of which a beginning is of use."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from space import Architecture, Mixer, cost
from space.architecture import BlockType

Planned = tuple[Architecture, int]
"""An architecture and a study seed."""


class Plan(Protocol):
    """What is trained of a space, and in which order."""

    def trainings(self, space: Iterable[Architecture], seeds: Sequence[int]) -> Iterator[Planned]:
        """Every training that the table wants."""

    def sample(self, space: Iterable[Architecture]) -> Iterator[Architecture]:
        """A few unlike architectures, which are trained by other protocols too."""


@dataclass(frozen=True, slots=True)
class EveryTypeFirst:
    """One architecture of every mixer type first, then the others.

    Attributes:
        repeated: how many architectures, from the first, have every seed; the others have one.
    """

    repeated: int = 110

    def trainings(self, space: Iterable[Architecture], seeds: Sequence[int]) -> Iterator[Planned]:
        """See `planned`."""
        return planned(space, seeds, self.repeated)

    def sample(self, space: Iterable[Architecture]) -> Iterator[Architecture]:
        """One of every mixer type."""
        return one_of_every_mixer_type(space)


@dataclass(frozen=True, slots=True)
class EverySeedInTurn:
    """All architectures with the first seed, then all with the next: for paired comparisons.

    Within a seed the networks of one kernel size and those that have none come first, so that half
    a seed has whole comparisons of operators; both parts are in the order of a hash. The largest
    networks come last of a seed, as each costs as much as ten others.

    Attributes:
        kernel_size: that comes first.
        block_type: of the sample.
        largest: networks of more parameters come last.
    """

    kernel_size: int = 7
    block_type: BlockType = "prenorm"
    largest: int = 5_000_000

    def trainings(self, space: Iterable[Architecture], seeds: Sequence[int]) -> Iterator[Planned]:
        """Every architecture with every seed."""
        # The sort is stable: what is alike in that stays in the order of the hash.
        ordered = sorted(_shuffled(space), key=self._part)
        return ((architecture, seed) for seed in seeds for architecture in ordered)

    def sample(self, space: Iterable[Architecture]) -> Iterator[Architecture]:
        """The networks of one type of block that come first."""
        whole = [each for each in _shuffled(space) if each.block_type == self.block_type]
        usual = filter(self._is_usual, whole)
        return iter(sorted(usual, key=self._part))

    def _part(self, architecture: Architecture) -> tuple[bool, bool]:
        """Which part of a seed it is in, to sort by."""
        return cost(architecture).params > self.largest, not self._is_usual(architecture)

    def _is_usual(self, architecture: Architecture) -> bool:
        return _first_mixer(architecture).kernel_size in (None, self.kernel_size)


def planned(
    space: Iterable[Architecture], seeds: Sequence[int], repeated: int
) -> Iterator[Planned]:
    """Pairs of architecture and study seed.

    One architecture of every mixer type comes first, then the others; within both the order is that
    of a hash of the id, so it follows nothing else that the architecture is. The first `repeated`
    architectures come with every seed, the others with the first one.
    """
    shuffled = _shuffled(space)
    first = dict.fromkeys(one_of_every_mixer_type(shuffled))
    ordered = [*first, *(each for each in shuffled if each not in first)]
    for position, architecture in enumerate(ordered):
        for seed in seeds if position < repeated else seeds[:1]:
            yield architecture, seed


def one_of_every_mixer_type(space: Iterable[Architecture]) -> Iterator[Architecture]:
    """The first architecture in that order with a first mixer of each type."""
    met = set()
    for architecture in _shuffled(space):
        mixer_type = _first_mixer(architecture).type
        if mixer_type not in met:
            met.add(mixer_type)
            yield architecture


def _first_mixer(architecture: Architecture) -> Mixer:
    return architecture.stages[0].mixers[0]


def _shuffled(space: Iterable[Architecture]) -> list[Architecture]:
    return sorted(space, key=lambda a: hashlib.sha256(a.id.encode()).hexdigest())
