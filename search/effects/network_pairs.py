"""Pairs of trained networks that a single move tells apart, and their context: all the rest."""

import json
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Any

from search.effects.moves import Move, MoveKind, moves_between
from space.architecture import BLOCK_TYPES, RENAMED
from space.input.earlier_names import with_current_names
from space.mixer import Mixer

_SORTED = json.JSONEncoder(sort_keys=True)
_MOST_TOGETHER = 4
"""Of so many equal mixers every choice is looked at; of more each one, each stage, and all."""


@dataclass(frozen=True, slots=True)
class TrainedNetwork:
    """A network with the results of its full trainings by one protocol.

    Attributes:
        architecture: its canonical JSON.
        accuracies: validation accuracies, 0 to 1, by the seeds of the training.
        costs: what it costs, above 0, by name; NaN where it is not known.
    """

    architecture: str
    accuracies: Mapping[Hashable, float]
    costs: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two networks that differ by one move.

    Attributes:
        move: which.
        context: what both are beside the mixers in which they differ. Pairs of several types and
            sizes of mixer may have one context, and share what is peculiar to it.
        block_type: of both; of a move between block types what both share has none.
        source, target: their places in the sequence that was given.
    """

    move: Move
    context: Hashable
    block_type: str | None
    source: int
    target: int


def network_pairs(networks: Sequence[TrainedNetwork]) -> list[Pair]:
    """Every pair of networks that a move tells apart.

    Networks differ by a move where, at each place at which their mixers differ, the mixers differ
    alike, and everything else is equal.
    """
    parts = [_parts(network.architecture) for network in networks]
    return [*_pairs_by_mixers(parts), *_pairs_by_block_type(parts)]


AnyMixer = Mixer | str
"""A mixer that is registered by name, which has no axes, is left as its text."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """A network, taken apart: its block type, the mixers of its blocks with their stages, the rest.

    A pattern of mixers is written out: where it repeats itself it is stored in a shorter form.
    """

    block_type: str
    mixers: tuple[AnyMixer, ...]
    stages: tuple[int, ...]
    rest: str
    block_options: str


def _parts(text: str) -> _Parts:
    values = with_current_names(json.loads(text), RENAMED)
    mixers, stages = [], []
    for index, stage in enumerate(values["stages"]):
        pattern = [_mixer(_SORTED.encode(mixer)) for mixer in stage.pop("mixers")]
        for block in range(stage["depth"]):
            mixers.append(pattern[block % len(pattern)])
            stages.append(index)
    block_type = values.pop("block_type")
    options = _SORTED.encode(values.pop("layer_scale", None))
    rest = _SORTED.encode(values)
    return _Parts(block_type, tuple(mixers), tuple(stages), rest, options)


@lru_cache(1 << 16)
def _mixer(text: str) -> AnyMixer:
    values = json.loads(text)
    return text if "custom" in values else Mixer.from_dict(values)


def _pairs_by_mixers(parts: Sequence[_Parts]) -> Iterator[Pair]:
    # By numbers: each network is in many groups, and to hash a mixer takes long.
    numbers: dict[AnyMixer, int] = {}
    groups: dict[tuple[Any, ...], dict[int, int]] = defaultdict(dict)
    for index, each in enumerate(parts):
        mine = [numbers.setdefault(mixer, len(numbers)) for mixer in each.mixers]
        for places in _places(mine, each.stages):
            left = tuple(-1 if i in places else m for i, m in enumerate(mine))
            key = (each.block_type, each.block_options, each.rest, each.stages, left)
            groups[key].setdefault(mine[min(places)], index)
    mixers = [*numbers]
    for key, variants in groups.items():
        if len(variants) == 1:
            continue
        every = [(mixers[number], index) for number, index in variants.items()]
        known = [(each, index) for each, index in every if isinstance(each, Mixer)]
        for (one, i), (other, j) in combinations(known, 2):
            for source, target, a, b in ((one, other, i, j), (other, one, j, i)):
                for move in moves_between(source, target):
                    yield Pair(move, key, key[0], a, b)


def _places(mixers: Sequence[int], stages: Sequence[int]) -> Iterator[frozenset[int]]:
    """The choices of places whose mixers are equal."""
    by_mixer: dict[int, list[int]] = defaultdict(list)
    for place, mixer in enumerate(mixers):
        by_mixer[mixer].append(place)
    for places in by_mixer.values():
        if len(places) <= _MOST_TOGETHER:
            for number in range(1, len(places) + 1):
                yield from map(frozenset, combinations(places, number))
        else:
            by_stage: dict[int, list[int]] = defaultdict(list)
            for place in places:
                by_stage[stages[place]].append(place)
            singles = ([place] for place in places)
            yield from {frozenset(each) for each in (*singles, *by_stage.values(), places)}


def _pairs_by_block_type(parts: Iterable[_Parts]) -> Iterator[Pair]:
    groups: dict[tuple[Any, ...], dict[str, int]] = defaultdict(dict)
    for index, each in enumerate(parts):
        key = (each.rest, each.stages, each.mixers)
        groups[key].setdefault(each.block_type, index)
    for key, variants in groups.items():
        for source, target in combinations(BLOCK_TYPES, 2):
            if source in variants and target in variants:
                move = Move(MoveKind.BLOCK_TYPE, "block type", source, target)
                yield Pair(move, key, None, variants[source], variants[target])
