"""The effect of each move on accuracy and on costs, from pairs of trained networks."""

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.effects.estimates import (
    LEVEL,
    MARGIN,
    Estimate,
    Floats,
    SeedSpread,
    differs_between,
    holm,
    over_contexts,
    verdict,
    verdict_by_group,
)
from search.effects.moves import EDGE_MOVES, Move, in_order
from search.effects.network_pairs import Pair, TrainedNetwork, network_pairs

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a move does.

    Attributes:
        move: which.
        accuracy: difference of validation accuracies, 0 to 1, target less source.
        by_block_type: the same within each type of block; empty of moves between these.
        ratios: by the name of a cost: that of the target over that of the source, the geometric
            mean over contexts.
        pairs: of networks. trainings: of these networks, together.
        p: of no difference, corrected for all moves of the kind.
        p_turns: of equal differences in all types of block, corrected likewise; NaN where there
            are too few.
        verdict: in words.
    """

    move: Move
    accuracy: Estimate
    by_block_type: Mapping[str, Estimate]
    ratios: Mapping[str, float]
    pairs: int
    trainings: int
    p: float
    p_turns: float
    verdict: str = ""

    @property
    def turns(self) -> bool:
        """Whether it is another effect in some type of block, beyond what chance makes."""
        return self.p_turns < LEVEL


def move_effects(
    networks: Sequence[TrainedNetwork],
    *,
    seeds: SeedSpread | None = None,
    margin: float = MARGIN,
) -> list[Effect]:
    """The effects of all moves that some pair of networks shows, and of every edge of the graph.

    Args:
        networks: trained by one protocol.
        seeds: how trainings of one network scatter, where it is known.
        margin: a difference of accuracies that matters to nobody.
    """
    pairs = network_pairs(networks)
    by_move: dict[Move, list[int]] = {move: [] for move in EDGE_MOVES.values()}
    for place, pair in enumerate(pairs):
        by_move.setdefault(pair.move, []).append(place)
    compared = _Compared.of(pairs, networks)
    found = [
        _effect(move, compared.only(by_move[move]), seeds) for move in sorted(by_move, key=in_order)
    ]
    return [_judged(effect, margin) for effect in _corrected(found)]


@dataclass(frozen=True, slots=True)
class _Compared:
    """Pairs of networks as columns; there may be many.

    Attributes:
        sources, targets: (pairs,), places among the networks.
        contexts: (pairs,), a number for each context.
        block_types: (pairs,), of both networks of a pair; None of moves between these.
        differences: (pairs,), of accuracies, target less source.
        ratios: by the name of a cost (pairs,), logarithms; NaN where it is not known of both.
        trainings: (networks,), how many each had.
    """

    sources: Places
    targets: Places
    contexts: Places
    block_types: NDArray[np.object_]
    differences: Floats
    ratios: Mapping[str, Floats]
    trainings: Floats

    @classmethod
    def of(cls, pairs: Sequence[Pair], networks: Sequence[TrainedNetwork]) -> "_Compared":
        sources = np.array([pair.source for pair in pairs], np.int64)
        targets = np.array([pair.target for pair in pairs], np.int64)
        numbers: dict[Hashable, int] = {}
        contexts = [numbers.setdefault(pair.context, len(numbers)) for pair in pairs]
        logs = _logarithms_of_costs(networks, np.union1d(sources, targets))
        return cls(
            sources,
            targets,
            np.array(contexts, np.int64),
            np.array([pair.block_type for pair in pairs], object),
            _differences(networks, sources, targets),
            {name: each[targets] - each[sources] for name, each in logs.items()},
            np.array([len(network.accuracies) for network in networks], np.float64),
        )

    def only(self, places: Sequence[int] | NDArray[np.bool_]) -> "_Compared":
        """Some of the pairs."""
        chosen = np.asarray(places, None if len(places) else np.int64)
        return replace(
            self,
            sources=self.sources[chosen],
            targets=self.targets[chosen],
            contexts=self.contexts[chosen],
            block_types=self.block_types[chosen],
            differences=self.differences[chosen],
            ratios={name: each[chosen] for name, each in self.ratios.items()},
        )

    def by_block_type(self) -> dict[str, "_Compared"]:
        """The pairs of each type of block."""
        names = sorted({name for name in self.block_types if name is not None})
        return {name: self.only(self.block_types == name) for name in names}

    def mean_by_context(self) -> Floats:
        """(contexts,), the mean difference of the pairs of each."""
        return _means(self.contexts, self.differences)


def _differences(networks: Sequence[TrainedNetwork], sources: Places, targets: Places) -> Floats:
    """(pairs,), of accuracies: over the seeds that both networks had, where there are any."""
    means = np.array([np.mean([*network.accuracies.values()]) for network in networks])
    found: Floats = means[targets] - means[sources] if len(sources) else np.array([])
    several = np.array([len(network.accuracies) > 1 for network in networks], bool)
    for place in np.flatnonzero(several[sources] | several[targets]):
        one, other = (networks[ends[place]].accuracies for ends in (sources, targets))
        both = one.keys() & other.keys()
        if both:
            found[place] = np.mean([other[seed] - one[seed] for seed in both])
    return found


def _logarithms_of_costs(networks: Sequence[TrainedNetwork], asked: Places) -> dict[str, Floats]:
    """By the name of a cost (networks,); NaN where it is not known, or was not asked for."""
    names = [*networks[asked[0]].costs] if len(asked) else []
    found = {name: np.full(len(networks), np.nan) for name in names}
    for name, logarithms in found.items():
        for place in asked:
            cost = networks[place].costs[name]
            if cost > 0:
                logarithms[place] = math.log(cost)
    return found


def _means(contexts: Places, values: Floats) -> Floats:
    """(contexts,), of the values of each."""
    _, numbers = np.unique(contexts, return_inverse=True)
    found: Floats = np.bincount(numbers, values) / np.bincount(numbers)
    return found


def _effect(move: Move, pairs: _Compared, seeds: SeedSpread | None) -> Effect:
    accuracy, by_block_type = _difference(pairs, seeds), pairs.by_block_type()
    used = np.union1d(pairs.sources, pairs.targets)
    return Effect(
        move,
        accuracy,
        {name: _difference(group, seeds) for name, group in by_block_type.items()},
        _ratios(pairs),
        pairs=len(pairs.sources),
        trainings=int(pairs.trainings[used].sum()),
        p=accuracy.p,
        p_turns=differs_between([group.mean_by_context() for group in by_block_type.values()]),
    )


def _difference(pairs: _Compared, seeds: SeedSpread | None) -> Estimate:
    means = pairs.mean_by_context()
    if seeds is None or not len(means):
        return over_contexts(means)
    # The networks at the ends of the pairs; each has its own error, whatever it is paired with.
    ends = [np.unique(end) for end in (pairs.sources, pairs.targets)]
    error = sum(1 / float(pairs.trainings[end].sum()) for end in ends)
    return over_contexts(means, seeds.deviation * math.sqrt(error), seeds.freedom)


def _ratios(pairs: _Compared) -> dict[str, float]:
    found = {}
    for name, logarithms in pairs.ratios.items() if len(pairs.sources) else ():
        known = ~np.isnan(logarithms)
        means = _means(pairs.contexts[known], logarithms[known])
        found[name] = math.exp(float(np.mean(means))) if len(means) else math.nan
    return found


def _corrected(effects: list[Effect]) -> list[Effect]:
    by_kind: dict[str, list[int]] = defaultdict(list)
    for place, effect in enumerate(effects):
        by_kind[effect.move.kind].append(place)
    for places in by_kind.values():
        p = holm([effects[place].p for place in places])
        p_turns = holm([effects[place].p_turns for place in places])
        for place, one, other in zip(places, p, p_turns, strict=True):
            effects[place] = replace(effects[place], p=one, p_turns=other)
    return effects


def _judged(effect: Effect, margin: float) -> Effect:
    turning = verdict_by_group(effect.by_block_type, effect.p_turns, margin)
    return replace(effect, verdict=turning or verdict(effect.accuracy, effect.p, margin))
