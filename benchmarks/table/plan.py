"""Which trainings the table wants, in an order of which every beginning is a fair sample."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from space import Architecture


def planned(
    space: Iterable[Architecture], seeds: Sequence[int], repeated: int
) -> Iterator[tuple[Architecture, int]]:
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
        mixer_type = architecture.stages[0].mixers[0].type
        if mixer_type not in met:
            met.add(mixer_type)
            yield architecture


def _shuffled(space: Iterable[Architecture]) -> list[Architecture]:
    return sorted(space, key=lambda a: hashlib.sha256(a.id.encode()).hexdigest())
