"""Inclusions: every kind on whole networks in every scaffold, and what is refused."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from space import Architecture, InputError, Mixer, all_cells
from space.architecture import SCAFFOLDS, Head, Input, Scaffold, Stage, Stem
from space.canonical import canonical
from space.geometry import MapSize
from space.inclusion import (
    Kind,
    inclusion,
    inclusion_edges,
    inclusion_kinds,
    refusal,
)
from space.inclusion.mixers import place_refusal
from space.inclusion.place import Place
from space.morphisms import lift, lift_operator
from space.networks import Network, build
from space.operators import TokenMixer
from tests.space.strategies import cell_fields, map_sizes, mixers_of
from tests.space.test_canonical import some_mixers
from tests.space.test_operators_against_reference import randomise

WIDTH = 8


def mixer(label: str, **fields: Any) -> Mixer:
    cell = next(c for c in all_cells() if label in (c.label, c.name))
    return Mixer(**cell_fields(cell), **fields)


def _pair(label: str, before: dict[str, Any], after: dict[str, Any]) -> tuple[Mixer, Mixer]:
    return mixer(label, **before), mixer(label, **after)


DW, DENSE = mixer("DW-S Conv.", kernel_size=3), mixer("Conv.", kernel_size=3)
GROUPS_4 = mixer("Group conv.", kernel_size=3, groups=4)
LOCAL_MLP = mixer("Local MLP", kernel_size=2, heads=2, shift=False)
LOCAL_VIT = {"kernel_size": 2, "heads": 2, "query_key_bias": False}
GLOBAL_MEAN = "global/separable/spatial/none/static"
SEP = "global/separable/full/none/static"
LOW = "global/dense/channel/none/static"

PAIRS: dict[Kind, list[tuple[Mixer, Mixer]]] = {
    Kind.SAME: [(DW, DW), _pair("Local ViT", LOCAL_VIT, LOCAL_VIT)],
    Kind.SLIDING_IN_GLOBAL: [
        (mixer("sliding/separable/full/channel/static", kernel_size=3, heads=2),
         mixer("Sep. MLP", heads=2)),
        (mixer("Locally connected", kernel_size=3), mixer("MLP")),
    ],
    Kind.WINDOW_IN_GLOBAL: [(LOCAL_MLP.changed(shift=True), mixer("Sep. MLP", heads=2))],
    Kind.WINDOW_IN_SLIDING: [
        (LOCAL_MLP, mixer("sliding/separable/full/channel/static", kernel_size=3, heads=2)),
    ],
    Kind.SMALLER_KERNEL: [
        (DW, DW.changed(kernel_size=5)),
        (DENSE, DENSE.changed(kernel_size=5)),
        _pair("Dynamic DW-S Conv.", {"kernel_size": 3}, {"kernel_size": 5}),
        _pair("Dynamic Local-S MLP", {"kernel_size": 3, "heads": 2},
              {"kernel_size": 5, "heads": 2}),
    ],
    Kind.SMALLER_WINDOW: [(LOCAL_MLP, LOCAL_MLP.changed(kernel_size=4))],
    Kind.SEPARABLE_IN_GROUPED: [(DW, GROUPS_4)],
    Kind.SEPARABLE_IN_DENSE: [
        (DW, DENSE),
        (mixer("Dynamic DW-S Conv.", kernel_size=3), mixer("Conditional conv.", kernel_size=3)),
    ],
    Kind.GROUPED_IN_DENSE: [(GROUPS_4, DENSE)],
    Kind.MORE_GROUPS: [(GROUPS_4, GROUPS_4.changed(groups=2))],
    Kind.CHANNEL_RANK_IN_FULL: [
        (mixer("Bottleneck", kernel_size=3, ratio=2), DENSE),
        (mixer("sliding/separable/channel/both/homogeneous", kernel_size=3, ratio=2, heads=2),
         mixer("Conditional conv.", kernel_size=3)),
    ],
    Kind.SPATIAL_RANK_IN_FULL: [
        (mixer(GLOBAL_MEAN, ratio=2), mixer(SEP)),
        (mixer(GLOBAL_MEAN, ratio=2, reduction="dense"), mixer("MLP")),
        (mixer("global/separable/spatial/channel/inhomogeneous", ratio=2, heads=2,
               reduction="average"), mixer("Dense Synthesizer", heads=2)),
    ],
    Kind.JOINT_RANK_IN_FULL: [(mixer("LR MLP", ratio=8), mixer("MLP"))],
    Kind.CHANNEL_RANK_IN_JOINT: [(mixer(LOW, ratio=4), mixer("LR MLP", ratio=2))],
    Kind.SPATIAL_RANK_IN_JOINT: [
        (mixer("global/dense/spatial/none/static", ratio=2), mixer("LR MLP", ratio=2)),
    ],
    Kind.LOWER_CHANNEL_RANK: [
        _pair("Bottleneck", {"kernel_size": 3, "ratio": 4}, {"kernel_size": 3, "ratio": 2}),
        _pair("window/separable/channel/channel/attention", LOCAL_VIT | {"ratio": 4},
              LOCAL_VIT | {"ratio": 2}),
        _pair("sliding/separable/channel/channel/inhomogeneous",
              {"kernel_size": 3, "ratio": 4, "heads": 2},
              {"kernel_size": 3, "ratio": 2, "heads": 2}),
    ],
    Kind.COARSER_REDUCTION: [
        _pair(GLOBAL_MEAN, {"ratio": 4, "reduction": "average"},
              {"ratio": 2, "reduction": "average"}),
    ],
    Kind.LOWER_JOINT_RANK: [_pair("LR MLP", {"ratio": 8}, {"ratio": 4})],
    Kind.POSITION_SHARED: [
        (DW.changed(bias=False), mixer("sliding/separable/full/none/static", kernel_size=3)),
        (DENSE.changed(bias=False), mixer("Locally connected", kernel_size=3)),
    ],
    Kind.CHANNEL_SHARED: [
        (LOCAL_MLP, mixer("window/separable/full/none/static", kernel_size=2, shift=False)),
        (mixer("Lightweight conv.", kernel_size=3, heads=2), DW),
    ],
    Kind.FEWER_HEADS: [
        (LOCAL_MLP, LOCAL_MLP.changed(heads=4)),
        _pair("Dynamic Local-S MLP", {"kernel_size": 3, "heads": 2},
              {"kernel_size": 3, "heads": 4}),
    ],
    Kind.STATIC_IN_HOMOGENEOUS: [
        (DW, mixer("Dynamic DW-S Conv.", kernel_size=3)),
        (DENSE, mixer("Conditional conv.", kernel_size=3)),
    ],
    Kind.STATIC_IN_INHOMOGENEOUS: [
        (DW.changed(bias=False),
         mixer("sliding/separable/full/none/inhomogeneous", kernel_size=3)),
        (mixer("Lightweight conv.", kernel_size=3, heads=2, bias=False),
         mixer("Dynamic Local-S MLP", kernel_size=3, heads=2)),
    ],
    Kind.ONE_SOURCE_ATTENTION: [
        (mixer("Neighbourhood attention", kernel_size=1, bias=True), DW.changed(kernel_size=1)),
    ],
    Kind.NARROWER_GENERATOR: [
        _pair("Dynamic DW-S Conv.", {"kernel_size": 3, "generator_ratio": 4},
              {"kernel_size": 3, "generator_ratio": 2}),
    ],
    Kind.NO_BIAS: [(DW.changed(bias=False), DW)],
    Kind.NO_POSITION_BIAS: [
        _pair("Local ViT", LOCAL_VIT | {"position_bias": False},
              LOCAL_VIT | {"position_bias": True}),
        (mixer("ViT", heads=2), mixer("Local ViT", kernel_size=9, heads=2, position_bias=True)),
    ],
    Kind.NO_QUERY_KEY_BIAS: [
        _pair("Local ViT", LOCAL_VIT, LOCAL_VIT | {"query_key_bias": True}),
    ],
    Kind.AVERAGE_IN_MATCHED: [
        _pair("PVT", {"ratio": 2, "heads": 2, "reduction": "average"},
              {"ratio": 2, "heads": 2, "reduction": "matched"}),
    ],
    Kind.AVERAGE_IN_DENSE: [
        _pair(GLOBAL_MEAN, {"ratio": 2, "reduction": "average"},
              {"ratio": 2, "reduction": "dense"}),
    ],
    Kind.MATCHED_IN_DENSE: [
        _pair("PVT", {"ratio": 2, "heads": 2, "reduction": "matched"},
              {"ratio": 2, "heads": 2, "reduction": "dense"}),
    ],
}  # fmt: skip
"""For every kind between mixers, pairs that differ by it (and by the sharing that follows it)."""


def architecture(
    mixers: list[Mixer], scaffold: Scaffold, size: tuple[int, int], **changes: Any
) -> Architecture:
    fields = {"depth": 2, "width": WIDTH, "mlp_ratio": 2} | changes
    first = Stage(fields["depth"], fields["width"], fields["mlp_ratio"], tuple(mixers))
    second = replace(first, width=2 * fields["width"], mixers=tuple(mixers[:1]))
    downsample = "conv" if scaffold == "convnext" else "merge"
    return Architecture(Input(3, *size), Stem(2), scaffold, (first, second), Head(5), downsample)


def randomised(architecture: Architecture) -> Network:
    network = build(architecture).eval()
    randomise(network)
    return network


def assert_lifts(parent: Architecture, child: Architecture) -> Network:
    network = randomised(parent)
    lifted = lift(network, child)
    assert lifted.architecture == child
    assert not lifted.training
    images = torch.randn(2, parent.input.channels, parent.input.height, parent.input.width)
    with torch.no_grad():
        expected, found = network(images), lifted(images)
    scale = expected.abs().max().clamp(min=1)
    torch.testing.assert_close(found / scale, expected / scale, rtol=1e-5, atol=1e-5)
    return lifted


SEVERAL = [
    DW,
    mixer("Local ViT", kernel_size=3, heads=2),
    mixer("Dynamic Local-S MLP", kernel_size=3, heads=2),
    mixer("PVT", ratio=2, heads=2),
    mixer("Bottleneck", kernel_size=3, ratio=2),
    mixer("Pyramid MS Conv.", kernel_size=3, ratio=2),
    mixer("LR MLP", ratio=8),
    mixer("window/separable/channel/channel/attention", kernel_size=3, heads=2, ratio=2),
    mixer("sliding/grouped/channel/position/homogeneous", kernel_size=3, groups=2, ratio=2),
]


CHANGES: list[tuple[Kind, dict[str, Any]]] = [
    (Kind.DEPTH, {"depth": 5}),
    (Kind.WIDTH, {"width": 2 * WIDTH}),
    (Kind.WIDTH, {"width": 3 * WIDTH, "depth": 3, "mlp_ratio": 1}),
    (Kind.MLP_RATIO, {"mlp_ratio": 3.5}),
]
"""Kinds between networks, tried on patterns of two mixers."""


@pytest.mark.parametrize("scaffold", SCAFFOLDS)
def test_every_kind_lifts_whole_networks(
    scaffold: Scaffold, capsys: pytest.CaptureFixture[str]
) -> None:
    exercised: set[Kind] = set()
    for parent, child, kind in network_pairs(scaffold):
        torch.manual_seed(len(exercised))
        assert kind in (inclusion_kinds(parent, child) or ()), kind
        assert_lifts(parent, child)
        exercised.add(kind)
    with capsys.disabled():
        print(
            f"\n{len(exercised)} kinds of inclusion lifted in whole networks, {scaffold} scaffold"
        )
    assert exercised == set(Kind)


def network_pairs(scaffold: Scaffold) -> Iterator[tuple[Architecture, Architecture, Kind]]:
    chance = random.Random(scaffold)
    for kind, pairs in PAIRS.items():
        for special, general in pairs:
            size = chance.randint(13, 16), chance.randint(13, 16)
            parent = architecture([special], scaffold, size)
            yield parent, architecture([general], scaffold, size), kind
    for kind, changes in CHANGES:
        for number, one in enumerate(SEVERAL):
            pattern = [one, SEVERAL[number - 1]]
            parent = architecture(pattern, scaffold, (11, 12))
            yield parent, architecture(pattern, scaffold, (11, 12), **changes), kind


@pytest.mark.parametrize("copies", [1, 2])
@given(mixers_of(all_cells()), st.data(), map_sizes(), st.booleans(), st.integers(0, 2**20))
@settings(max_examples=100, deadline=None)
def test_operators_lift_exactly_or_are_refused(
    copies: int,
    drawn: tuple[Mixer, int],
    data: st.DataObject,
    size: MapSize,
    shifted: bool,
    seed: int,
) -> None:
    """Random pairs: what the index maps allow is exact, and what they refuse is not lifted."""
    special, width = drawn
    torch.manual_seed(seed)
    general = data.draw(generalised(special))
    places = (Place(special, width, size, shifted), Place(general, copies * width, size, shifted))
    one = TokenMixer(special, width, size, shifted).double().eval()
    try:
        other = TokenMixer(general, copies * width, size, shifted).double().eval()
        randomise(one)
        randomise(other)
        lift_operator(one, other)
    except InputError:
        assert place_refusal(*places) is not None
        return
    assert place_refusal(*places) is None
    values, context = torch.randn(2, 2, width, size.height, size.width, dtype=torch.float64)
    expected = one(values, context).repeat_interleave(copies, 1)
    found = other(values.repeat_interleave(copies, 1), context.repeat_interleave(copies, 1))
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@st.composite
def generalised(draw: st.DrawFn, special: Mixer) -> Mixer:
    """A mixer of a drawn cell with the sizes of the special one where they apply, or larger."""
    cells = [cell for cell in all_cells() if cell.rank in (special.rank, "full", "joint")]
    cell = draw(st.sampled_from(cells))
    kernel = draw(st.sampled_from([special.kernel_size or 3, 4, 5, 7]))
    wanted = {
        "kernel_size": kernel | 1 if cell.locality == "sliding" else kernel,
        "groups": draw(st.sampled_from([1, 2])),
        "heads": draw(st.sampled_from([special.heads or 1, 2])),
        "ratio": special.ratio or 1,
        "generator_ratio": draw(st.sampled_from([1, special.generator_ratio or 2])),
    }
    applicable = Mixer.applicable(*cell.values)
    fields = {name: getattr(special, name) for name in applicable}
    fields |= {name: value for name, value in wanted.items() if name in applicable}
    return Mixer(**cell_fields(cell), **fields)


SIZE = MapSize(6, 6)


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


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"stem": Stem(4)}, "stem"),
        ({"scaffold": "prenorm"}, "scaffold"),
        ({"head": Head(6)}, "head"),
        ({"input": Input(3, 16, 18)}, "input"),
        ({"downsample": "conv"}, "downsample"),
        ({"stages": 1}, "stages"),
        ({"depth": 1}, "stages[0].depth"),
        ({"width": 12}, "stages[0].width"),
        ({"mlp_ratio": 1}, "stages[0].mlp_ratio"),
        ({"mixers": (DW, DW.changed(kernel_size=1))}, "stages[0].block[1].mix.positions"),
    ],
)
def test_the_first_thing_that_is_no_inclusion_is_named(changes: dict[str, Any], where: str) -> None:
    parent = architecture([DW], "conv", (16, 16))
    changes = dict(changes)
    if changes.get("stages") == 1:
        child = replace(parent, stages=parent.stages[:1])
    elif set(changes) <= {"stem", "scaffold", "head", "input", "downsample"}:
        child = replace(parent, **changes)
    else:
        stage = replace(parent.stages[0], **changes)
        child = replace(parent, stages=(stage, parent.stages[1]))
    with pytest.raises(InputError) as refused:
        lift(build(parent), child)
    assert [problem.where for problem in refused.value.problems] == [where]


def test_edges_of_a_stage_are_single_steps_between_canonical_mixers() -> None:
    choices = [DW, DW.changed(kernel_size=5), DENSE, GROUPS_4, DW]
    found = {(e.parent, e.child): e.kinds for e in inclusion_edges(choices, WIDTH, SIZE)}
    assert found == {
        (DW, DW.changed(kernel_size=5)): (Kind.SMALLER_KERNEL,),
        (DW, DENSE): (Kind.SEPARABLE_IN_DENSE,),
        (DW, GROUPS_4): (Kind.SEPARABLE_IN_GROUPED,),
        (GROUPS_4, DENSE): (Kind.GROUPED_IN_DENSE,),
    }
    assert inclusion(DW, DW, WIDTH, SIZE) == (Kind.SAME,)
    everything = inclusion_edges([DW, DENSE.changed(kernel_size=5)], WIDTH, SIZE, False)
    assert everything[0].kinds == (Kind.SEPARABLE_IN_DENSE, Kind.SMALLER_KERNEL)


def test_a_lifted_network_trains_in_what_is_new() -> None:
    """What nothing reads is freshly initialised, so that gradients reach every parameter soon."""
    torch.manual_seed(0)
    parent = architecture([mixer("Bottleneck", kernel_size=3, ratio=4)], "conv", (16, 16))
    wider = mixer("Bottleneck", kernel_size=3, ratio=2)
    child = architecture([wider], "conv", (16, 16), depth=3, mlp_ratio=4)
    network = lift(randomised(parent).train(), child)
    assert network.training
    optimiser = torch.optim.SGD(network.parameters(), 1e-2)
    for _ in range(3):
        loss = nn.functional.cross_entropy(
            network(torch.randn(4, 3, 16, 16)), torch.tensor([0, 1, 2, 3])
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    silent = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert silent == []


@pytest.mark.parametrize("scaffold", SCAFFOLDS)
def test_training_parts_copied_channels(scaffold: Scaffold) -> None:
    """Else a network lifted into a wider one would stay as narrow as it was."""
    torch.manual_seed(0)
    parent = architecture([DW], scaffold, (16, 16))
    child = architecture([DW], scaffold, (16, 16), width=2 * WIDTH, mlp_ratio=1)
    network = lift(randomised(parent).train(), child)
    copied = {n: p for n, p in network.named_parameters() if "mix" in n and p.dim() > 1}
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2)
    for _ in range(3):
        loss = nn.functional.cross_entropy(
            network(torch.randn(4, 3, 16, 16)), torch.tensor([0, 1, 2, 3])
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    apart = {n: (p[0::2] - p[1::2]).abs().mean() for n, p in copied.items()}
    assert {n for n, distance in apart.items() if distance < 1e-3} == set()


@pytest.mark.parametrize("kind", PAIRS)
def test_pairs_of_mixers_are_inclusions_of_their_kind(kind: Kind) -> None:
    for special, general in PAIRS[kind]:
        kinds = inclusion(special, general, WIDTH, SIZE)
        assert kinds is not None
        assert kind in kinds


@pytest.mark.parametrize("size", [MapSize(4, 4), MapSize(3, 5)])
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
    assert [(a, b) for a, b, kinds in found if kinds == (Kind.SAME,)] == []


def fields_apart(one: Mixer, other: Mixer) -> int:
    """Fields that both have and that differ."""
    before, after = one.to_dict(), other.to_dict()
    return sum(before[name] != after[name] for name in before.keys() & after.keys())
