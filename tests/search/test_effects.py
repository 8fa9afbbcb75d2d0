"""Effects of moves: what was planted is found, with the stated coverage, and nothing else is."""

import json
import math
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from search.effects import (
    Effect,
    MoveKind,
    SeedSpread,
    TrainedNetwork,
    move_effects,
    moves_between,
    network_pairs,
    over_contexts,
)
from search.effects.estimates import holm, verdict
from space import Architecture
from space.mixer import Mixer
from space.mixer_types import all_mixer_types
from space.relation_graph import EDGES, one_axis_edges

DW = Mixer.named("DW-S Conv.", kernel_size=3)
DYNAMIC = Mixer.named("Dynamic DW-S Conv.", kernel_size=3)
LOCAL_VIT = Mixer.named("Local ViT", kernel_size=4, heads=4)
BLOCKS = ("conv", "prenorm", "convnext")


def network(*mixers: Mixer, block_type: str = "conv", depth: int = 1, width: int = 16) -> str:
    stage = {"depth": depth * len(mixers), "width": width, "mlp_ratio": 2.0, "mixers": list(mixers)}
    return Architecture.from_dict(
        {
            "input": {"channels": 1, "height": 64, "width": 64},
            "stem": {"patch_size": 2},
            "block_type": block_type,
            "stages": [stage],
            "head": {"classes": 10},
        }
    ).to_json()


def names(source: Mixer, target: Mixer) -> list[str]:
    return [move.name for move in moves_between(source, target)]


def test_moves_are_edges_axes_and_sizes() -> None:
    assert names(DW, DYNAMIC) == [
        "DW-S Conv. → Dynamic DW-S Conv.",
        "dynamics: static → homogeneous",
        "DW-S Conv. → Dynamic DW-S Conv.",
    ]
    assert [move.kind for move in moves_between(DW, DYNAMIC)] == ["edge", "axis", "types"]
    assert names(DYNAMIC, DW) == names(DW, DW) == []
    wider = DW.changed(kernel_size=5)
    assert names(DW, wider) == ["kernel size: 3 → 5"]
    assert names(wider, DW) == []
    assert names(DW, DYNAMIC.changed(kernel_size=5)) == [], "two decisions at once"
    assert names(DW, DW.changed(bias=False)) == []


def test_the_sharing_that_follows_an_edge_is_part_of_it() -> None:
    """A depth-wise convolution is local, and shares its weights between the positions besides."""
    assert names(Mixer.named("Sep. MLP", heads=4), DW) == ["Sep. MLP → DW-S Conv."]


def test_a_window_and_a_sliding_kernel_of_next_sizes_are_of_one_size() -> None:
    other = Mixer.named("Dynamic Local-S MLP", kernel_size=3, heads=4)
    assert names(LOCAL_VIT, other) == ["Local ViT → Dynamic Local-S MLP"]
    assert names(LOCAL_VIT, other.changed(kernel_size=7)) == []


def test_every_edge_and_every_one_axis_step_is_a_move() -> None:
    def mixer(values: object) -> Mixer:
        sizes = {"kernel_size": 3, "groups": 4, "heads": 4, "ratio": 2}
        kept = {n: v for n, v in sizes.items() if n in Mixer.applicable(*values.values)}  # type: ignore[attr-defined]
        return Mixer(*values.values, **kept)  # type: ignore[attr-defined]

    found = {
        move
        for one, other in product(map(mixer, all_mixer_types()), repeat=2)
        for move in moves_between(one, other)
    }
    by_kind = {kind: [move for move in found if move.kind is kind] for kind in MoveKind}
    assert len(by_kind[MoveKind.EDGE]) == len(EDGES) == 13
    assert len(by_kind[MoveKind.TYPES]) == len(one_axis_edges())


def test_networks_are_paired_where_they_differ_alike_everywhere() -> None:
    trained = [
        TrainedNetwork(text, {0: 0.5}, {})
        for text in (
            network(DW, DW),
            network(DYNAMIC, DYNAMIC),
            network(DW, DYNAMIC),
            network(DW, LOCAL_VIT),
            network(DW, DW, width=32),
            network(DYNAMIC, DYNAMIC, block_type="prenorm"),
        )
    ]
    edges = [pair for pair in network_pairs(trained) if pair.move.kind is MoveKind.EDGE]
    # both mixers at once, the first alone, the second alone; never with other widths or blocks
    assert {(pair.source, pair.target) for pair in edges} == {(0, 1), (0, 2), (2, 1)}
    assert len({pair.context for pair in edges}) == 3
    blocks = [pair for pair in network_pairs(trained) if pair.move.kind is MoveKind.BLOCK_TYPE]
    assert [(pair.source, pair.target, pair.block_type) for pair in blocks] == [(1, 5, None)]


# --- what was planted ------------------------------------------------------------------------


def planted(
    effect: Callable[[str], float],
    *,
    seed: int,
    contexts: int = 4,
    spread: float = 0.004,
    noise: float = 0.003,
    seeds: int = 1,
    by_params: float = 0.0,
) -> list[TrainedNetwork]:
    """Networks in so many contexts of each type of block; the dynamic ones differ by the effect.

    Contexts differ in how good they are, and by `spread` in what the move does there.
    """
    rng = np.random.default_rng(seed)
    found = []
    for block, depth in product(BLOCKS, range(1, contexts + 1)):
        base, here = 0.7 + 0.05 * rng.normal(), effect(block) + spread * rng.normal()
        for mixer, more in ((DW, 0.0), (DYNAMIC, here)):
            costs = {"params": 1000.0 * (2 if more else 1)}
            worth = base + more + by_params * math.log(costs["params"])
            accuracies = {each: worth + noise * rng.normal() for each in range(seeds)}
            text = network(mixer, block_type=block, depth=depth)
            found.append(TrainedNetwork(text, accuracies, costs))
    return found


def edge(networks: list[TrainedNetwork], **options: SeedSpread) -> Effect:
    (found,) = (
        effect
        for effect in move_effects(networks, **options)
        if effect.move.name == "DW-S Conv. → Dynamic DW-S Conv." and effect.move.kind == "edge"
    )
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("true", [0.0, 0.01])
def test_intervals_hold_the_truth_as_often_as_they_say(true: float) -> None:
    held = 0
    for seed in range(200):
        found = edge(planted(lambda _: true, seed=seed)).accuracy
        held += found.low <= true <= found.high
    assert 0.90 <= held / 200 <= 0.99


def test_a_main_effect_is_found_with_its_costs() -> None:
    found = edge(planted(lambda _: 0.02, seed=1))
    assert found.verdict == "helps"
    assert (found.pairs, found.accuracy.contexts, found.trainings) == (12, 12, 24)
    assert found.ratios == {"params": pytest.approx(2.0)}
    assert edge(planted(lambda _: -0.02, seed=1)).verdict == "hurts"


def test_no_effect_is_told_by_what_it_is_not_larger_than() -> None:
    found = edge(planted(lambda _: 0.0, seed=2, spread=0.001, noise=0.001))
    assert found.verdict.startswith("no difference larger than 0.")
    assert edge(planted(lambda _: 0.0, seed=2, spread=0.05)).verdict == "cannot tell"


@pytest.mark.thorough
def test_no_effect_is_called_one_no_more_often_than_one_in_twenty() -> None:
    told = [edge(planted(lambda _: 0.0, seed=seed)).verdict for seed in range(200)]
    assert sum(each in ("helps", "hurts") for each in told) <= 10


def test_an_effect_that_turns_with_the_block_has_no_single_verdict() -> None:
    turning = {"conv": -0.02, "prenorm": 0.03, "convnext": 0.03}
    found = edge(planted(lambda block: turning[block], seed=3))
    assert found.verdict == "hurts in conv; helps in convnext, prenorm"
    assert found.by_block_type["conv"].high < 0 < found.by_block_type["prenorm"].low
    same = edge(planted(lambda _: 0.02, seed=3))
    assert " in " not in same.verdict


def test_what_is_confounded_with_cost_shows_beside_its_cost() -> None:
    """All of the difference comes of the parameters: it is told, and so is their ratio."""
    found = edge(planted(lambda _: 1e-9, seed=4, spread=0.0, by_params=0.02))
    assert found.accuracy.mean == pytest.approx(0.02 * math.log(2), abs=0.004)
    assert found.ratios["params"] == pytest.approx(2.0)


def test_few_contexts_cannot_tell() -> None:
    few = [each for each in planted(lambda _: 0.3, seed=5) if '"conv"' in each.architecture]
    found = edge(few[:4])
    assert (found.accuracy.contexts, found.verdict) == (2, "cannot tell")
    alone = edge(few[:2])
    assert math.isnan(alone.accuracy.low)
    assert alone.verdict == "cannot tell"


def test_where_seeds_are_known_few_contexts_tell_of_these_networks() -> None:
    few = [each for each in planted(lambda _: 0.03, seed=5) if '"conv"' in each.architecture]
    found = edge(few[:2], seeds=SeedSpread(0.003, 12))
    assert found.verdict == "helps here"
    half = (found.accuracy.high - found.accuracy.low) / 2
    assert half == pytest.approx(2.178813 * 0.003 * math.sqrt(2), rel=1e-6)
    assert edge(few[:2], seeds=SeedSpread(0.03, 12)).verdict == "cannot tell"


def test_an_edge_that_nothing_shows_is_there_and_cannot_be_told() -> None:
    found = [each for each in move_effects([]) if each.move.kind is MoveKind.EDGE]
    assert len(found) == 13
    assert {(each.pairs, each.trainings, each.verdict) for each in found} == {(0, 0, "cannot tell")}


def test_seeds_are_paired_where_both_have_them() -> None:
    lucky = {0: 0.30, 1: 0.70}
    better = {0: 0.31, 1: 0.71, 2: 0.99}
    networks = [
        TrainedNetwork(network(mixer, depth=depth), accuracies, {})
        for depth in (1, 2, 3)
        for mixer, accuracies in ((DW, lucky), (DYNAMIC, better))
    ]
    assert edge(networks).accuracy.mean == pytest.approx(0.01)


def test_seeds_bound_what_few_contexts_can_agree_on_by_chance() -> None:
    networks = [
        TrainedNetwork(network(mixer, depth=depth), {0: accuracy}, {})
        for depth in (1, 2, 3)
        for mixer, accuracy in ((DW, 0.5), (DYNAMIC, 0.504))
    ]
    assert edge(networks).verdict == "helps"
    with_seeds = edge(networks, seeds=SeedSpread(0.01, 20))
    assert with_seeds.verdict == "cannot tell"
    # each end is the mean of three networks of one training each
    error = 0.01 * math.sqrt(2 / 3)
    half = (with_seeds.accuracy.high - with_seeds.accuracy.low) / 2
    assert half == pytest.approx(4.302653 * error, rel=1e-6)


# --- statistics held to others ---------------------------------------------------------------


@given(st.lists(st.floats(-0.5, 0.5), min_size=3, max_size=30).filter(lambda x: np.ptp(x) > 1e-6))
def test_an_estimate_is_students(values: list[float]) -> None:
    found, expected = over_contexts(np.array(values)), ttest_1samp(values, 0.0)
    interval = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_what_its_definition_says(values: list[float]) -> None:
    ranked = sorted(values)
    terms = [min(1.0, (len(values) - i) * p) for i, p in enumerate(ranked)]
    expected = {p: max(terms[: ranked.index(p) + ranked.count(p)]) for p in values}
    first = {p: max(terms[: ranked.index(p) + 1]) for p in values}
    for p, corrected in zip(values, holm(values), strict=True):
        assert first[p] <= corrected <= expected[p]
        assert corrected >= p
    assert holm([*values, math.nan])[:-1] == holm(values)


def test_what_only_correction_takes_away_is_said() -> None:
    estimate = over_contexts(np.array([0.01, 0.012, 0.02, 0.004]))
    assert verdict(estimate, estimate.p, 0.001) == "helps"
    assert verdict(estimate, 0.3, 0.001) == "cannot tell, among so many"


def test_the_text_of_a_custom_mixer_is_left_alone() -> None:
    values = json.loads(network(DW))
    values["stages"][0]["mixers"] = [{"custom": "somebody's", "version": 1}]
    texts = [network(DW), json.dumps(values)]
    assert network_pairs([TrainedNetwork(text, {0: 0.5}, {}) for text in texts]) == []
