"""The effect of each move on accuracy and on costs, from pairs of trained networks."""

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

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
    by_move: dict[Move, list[Pair]] = {move: [] for move in EDGE_MOVES.values()}
    for pair in network_pairs(networks):
        by_move.setdefault(pair.move, []).append(pair)
    found = [
        _effect(move, by_move[move], networks, seeds) for move in sorted(by_move, key=in_order)
    ]
    return [_judged(effect, margin) for effect in _corrected(found)]


def _effect(
    move: Move, pairs: Sequence[Pair], networks: Sequence[TrainedNetwork], seeds: SeedSpread | None
) -> Effect:
    used = {index for pair in pairs for index in (pair.source, pair.target)}
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if pair.block_type is not None:
            groups[pair.block_type].append(pair)
    accuracy = _difference(pairs, networks, seeds)
    means = [_by_context(group, networks) for _, group in sorted(groups.items())]
    return Effect(
        move,
        accuracy,
        {name: _difference(groups[name], networks, seeds) for name in sorted(groups)},
        _ratios(pairs, networks),
        pairs=len(pairs),
        trainings=sum(len(networks[index].accuracies) for index in used),
        p=accuracy.p,
        p_turns=differs_between(means),
    )


def _difference(
    pairs: Sequence[Pair], networks: Sequence[TrainedNetwork], seeds: SeedSpread | None
) -> Estimate:
    if not pairs:
        return over_contexts(np.array([]))
    # The networks at the ends of the pairs; each has its own error, whatever it is paired with.
    ends = [{getattr(pair, end) for pair in pairs} for end in ("source", "target")]
    errors = [1 / sum(len(networks[index].accuracies) for index in end) for end in ends]
    means = _by_context(pairs, networks)
    if seeds is None:
        return over_contexts(means)
    return over_contexts(means, seeds.deviation * math.sqrt(sum(errors)), seeds.freedom)


def _by_context(pairs: Sequence[Pair], networks: Sequence[TrainedNetwork]) -> Floats:
    """(contexts,), the mean difference of the pairs of each."""
    found: dict[Hashable, list[float]] = defaultdict(list)
    for pair in pairs:
        found[pair.context].append(_between(networks[pair.source], networks[pair.target]))
    return np.array([np.mean(each) for each in found.values()])


def _between(source: TrainedNetwork, target: TrainedNetwork) -> float:
    """The difference of accuracies: over the seeds that both had, where there are any."""
    one, other = source.accuracies, target.accuracies
    both = one.keys() & other.keys()
    if both:
        return float(np.mean([other[seed] - one[seed] for seed in both]))
    return float(np.mean([*other.values()]) - np.mean([*one.values()]))


def _ratios(pairs: Sequence[Pair], networks: Sequence[TrainedNetwork]) -> dict[str, float]:
    found = {}
    for name in networks[pairs[0].source].costs if pairs else ():
        logs: dict[Hashable, list[float]] = defaultdict(list)
        for pair in pairs:
            source, target = networks[pair.source].costs[name], networks[pair.target].costs[name]
            if source > 0 and target > 0:
                logs[pair.context].append(math.log(target / source))
        known = [float(np.mean(each)) for each in logs.values()]
        found[name] = math.exp(float(np.mean(known))) if known else math.nan
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
