"""Effects, worked out by columns, are those of a loop over the pairs of each move."""

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.effects import Effect, Move, SeedSpread, TrainedNetwork, move_effects, network_pairs
from search.effects.network_pairs import Pair
from space.mixer import Mixer
from tests.search.test_effects import BLOCKS, DW, DYNAMIC, LOCAL_VIT, network

WIDER = Mixer.named("DW-S Conv.", kernel_size=5)
NETWORKS = [
    network(*mixers, block_type=block)
    for block, mixers in product(
        BLOCKS,
        [*([one] for one in (DW, WIDER, DYNAMIC)), *product((DW, DYNAMIC, LOCAL_VIT), repeat=2)],
    )
]
SPREAD = SeedSpread(0.004, 7)


@st.composite
def trainings(draw: st.DrawFn) -> list[TrainedNetwork]:
    """Some networks, each with one seed or several, and costs that are not always known."""
    texts = draw(st.lists(st.sampled_from(NETWORKS), unique=True, max_size=20))
    accuracy, cost = st.floats(0.0, 1.0), st.sampled_from([math.nan, 0.5, 3.0, 1000.0])
    return [
        TrainedNetwork(
            text,
            draw(st.dictionaries(st.integers(0, 3), accuracy, min_size=1, max_size=3)),
            {"params": draw(cost), "seconds": draw(cost)},
        )
        for text in texts
    ]


@given(trainings())
def test_effects_are_those_of_a_loop(networks: list[TrainedNetwork]) -> None:
    by_move: dict[Move, list[Pair]] = defaultdict(list)
    for pair in network_pairs(networks):
        by_move[pair.move].append(pair)
    effects = move_effects(networks, seeds=SPREAD)
    assert {effect.move for effect in effects if effect.pairs} == by_move.keys()
    for effect in effects:
        if effect.pairs:
            assert told(effect) == pytest.approx(slow(by_move[effect.move], networks), nan_ok=True)


def told(effect: Effect) -> dict[str, Any]:
    estimates = {"": effect.accuracy} | dict(effect.by_block_type)
    return {
        **{f"mean {name}": each.mean for name, each in estimates.items()},
        **{f"contexts {name}": each.contexts for name, each in estimates.items()},
        **{f"ratio {name}": each for name, each in effect.ratios.items()},
        "trainings": effect.trainings,
        "least error": least_error(effect),
    }


def least_error(effect: Effect) -> float:
    """That of the seeds, where there are too few contexts for another."""
    if effect.accuracy.contexts > 2:
        return math.nan
    return effect.accuracy.high - effect.accuracy.mean


def slow(pairs: Sequence[Pair], networks: Sequence[TrainedNetwork]) -> dict[str, Any]:
    groups: dict[str, list[Pair]] = {"": [*pairs]}
    for pair in pairs:
        if pair.block_type is not None:
            groups.setdefault(pair.block_type, []).append(pair)
    found: dict[str, Any] = {}
    for name, group in groups.items():
        means = by_context(group, [between(networks, pair) for pair in group])
        found |= {f"mean {name}": np.mean(means), f"contexts {name}": len(means)}
    for name in ("params", "seconds"):
        logs = [
            math.log(networks[pair.target].costs[name] / networks[pair.source].costs[name])
            for pair in pairs
        ]
        known = by_context(pairs, logs)
        found[f"ratio {name}"] = math.exp(np.mean(known)) if known else math.nan
    ends = {each for pair in pairs for each in (pair.source, pair.target)}
    found["trainings"] = sum(len(networks[each].accuracies) for each in ends)
    found["least error"] = seeds_error(pairs, networks) if found["contexts "] <= 2 else math.nan
    return found


def by_context(pairs: Sequence[Pair], values: Sequence[float]) -> list[float]:
    found: dict[Hashable, list[float]] = defaultdict(list)
    for pair, value in zip(pairs, values, strict=True):
        if not math.isnan(value):
            found[pair.context].append(value)
    return [float(np.mean(each)) for each in found.values()]


def between(networks: Sequence[TrainedNetwork], pair: Pair) -> float:
    one, other = (networks[each].accuracies for each in (pair.source, pair.target))
    both = one.keys() & other.keys()
    if both:
        return float(np.mean([other[seed] - one[seed] for seed in both]))
    return float(np.mean([*other.values()]) - np.mean([*one.values()]))


def seeds_error(pairs: Sequence[Pair], networks: Sequence[TrainedNetwork]) -> float:
    """Half of the interval: 2.3646 is Student's t of seven degrees of freedom."""
    ends = [{pair.source for pair in pairs}, {pair.target for pair in pairs}]
    shares = [1 / sum(len(networks[each].accuracies) for each in end) for end in ends]
    return 2.364624251592785 * SPREAD.deviation * math.sqrt(sum(shares))
