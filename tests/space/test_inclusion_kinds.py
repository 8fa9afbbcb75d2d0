"""Which mixers contain which, how that is named, and why others do not."""

import random

import pytest

from space import Mixer
from space.canonical import canonical
from space.geometry import MapSize
from space.inclusion import InclusionKind
from tests.space.inclusion_pairs import (
    DENSE,
    DW,
    GLOBAL_MEAN,
    GROUPS_4,
    LOCAL_MLP,
    PAIRS,
    SEP,
    SIZE,
    WIDTH,
    inclusion,
    mixer,
    refusal,
)
from tests.space.test_canonical import some_mixers


@pytest.mark.parametrize(
    ("special", "general", "reason"),
    [
        (DENSE, DW, "channels: the special mixer connects more"),
        (DW.changed(kernel_size=5), DW, "positions: the special mixer connects more"),
        (DW, mixer("Lightweight conv.", kernel_size=3), "channels: the general mixer ties"),
        (mixer("ViT", heads=2), mixer("ViT", heads=4), "heads: a head has a softmax of its own"),
        (mixer("Local ViT", kernel_size=2), mixer("ViT"), "positions: softmax gives all"),
        (LOCAL_MLP, mixer("Local ViT", kernel_size=2, heads=2), "dynamics: softmax weights are"),
        (mixer("ViT"), mixer("Sep. MLP"), "dynamics: softmax of q·k is neither"),
        (mixer("Dynamic DW-S Conv.", kernel_size=3), DW, "homogeneous weights are not static"),
        (mixer("Dynamic Local-S MLP", kernel_size=3), mixer("Dense Synthesizer"), "positions"),
        (LOCAL_MLP.changed(shift=True), LOCAL_MLP, "positions"),
        (LOCAL_MLP.changed(kernel_size=2), LOCAL_MLP.changed(kernel_size=3), "positions"),
        (mixer("ViT"), mixer("ViT", query_key_bias=False), "query_key_bias: the general"),
        (DW, DW.changed(bias=False), "bias: the general mixer has none"),
        (mixer("MLP"), mixer("LR MLP", ratio=2), "ratio: rank 144 is less than 288"),
        (DW, mixer("Bottleneck", kernel_size=3, ratio=2), "rank: full is not in channel"),
        (mixer("PVT", ratio=2), mixer("ViT"), "rank: spatial is not in full"),
        (mixer("PVT", ratio=2, reduction_norm=False), mixer("PVT", ratio=2), "only one of the two"),
        (mixer(GLOBAL_MEAN, ratio=2, reduction_norm=True), mixer(SEP), "is not linear"),
        (mixer(GLOBAL_MEAN, ratio=2), mixer("LR MLP", ratio=8), "ratio: rank 36 is less than 72"),
    ],
)
def test_what_is_no_inclusion_is_refused_with_a_reason(
    special: Mixer, general: Mixer, reason: str
) -> None:
    error = refusal(special, general, WIDTH, SIZE)
    assert error is not None
    assert reason in str(error)
    assert inclusion(special, general, WIDTH, SIZE) is None


def test_the_steps_between_the_mixers_of_a_stage_are_named() -> None:
    choices = (DW, DW.changed(kernel_size=5), DENSE, GROUPS_4)
    kinds = {(a, b): inclusion(a, b, WIDTH, SIZE) for a in choices for b in choices if a != b}
    assert {pair: found for pair, found in kinds.items() if found is not None} == {
        (DW, DW.changed(kernel_size=5)): (InclusionKind.SMALLER_KERNEL,),
        (DW, DENSE): (InclusionKind.SEPARABLE_IN_DENSE,),
        (DW, GROUPS_4): (InclusionKind.SEPARABLE_IN_GROUPED,),
        (GROUPS_4, DENSE): (InclusionKind.GROUPED_IN_DENSE,),
    }
    assert inclusion(DW, DW, WIDTH, SIZE) == (InclusionKind.SAME,)
    two_steps = (InclusionKind.SEPARABLE_IN_DENSE, InclusionKind.SMALLER_KERNEL)
    assert inclusion(DW, DENSE.changed(kernel_size=5), WIDTH, SIZE) == two_steps


@pytest.mark.parametrize("kind", PAIRS)
def test_pairs_of_mixers_are_inclusions_of_their_kind(kind: InclusionKind) -> None:
    for special, general in PAIRS[kind]:
        kinds = inclusion(special, general, WIDTH, SIZE)
        assert kinds is not None
        assert kind in kinds


@pytest.mark.thorough
@pytest.mark.parametrize("size", [MapSize(3, 5), MapSize(4, 4)])
def test_every_inclusion_one_step_apart_has_a_kind_of_its_own(size: MapSize) -> None:
    """Over all canonical mixers of a grid: pairs that differ in one field, or in one axis and
    what follows it; a pair that contains the other has a name."""
    forms = dict.fromkeys(
        canonical(one, 4, size) for one in some_mixers(4) if one.query_key_bias is not True
    )
    pairs = [(a, b) for a in forms for b in forms if a != b and fields_apart(a, b) == 1]
    sample = random.Random(0).sample(pairs, min(len(pairs), 200))
    found = [(a, b, inclusion(a, b, 4, size)) for a, b in sample]
    named = [kinds for _, _, kinds in found if kinds is not None]
    assert len(named) > 10
    assert [(a, b) for a, b, kinds in found if kinds == (InclusionKind.SAME,)] == []


def fields_apart(one: Mixer, other: Mixer) -> int:
    """Fields that both have and that differ."""
    before, after = one.to_dict(), other.to_dict()
    return sum(before[name] != after[name] for name in before.keys() & after.keys())
