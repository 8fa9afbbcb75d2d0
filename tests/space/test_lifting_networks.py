"""Whole networks lifted along every kind of inclusion in every block type, and what is refused."""

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from space import Architecture, InputError
from space.architecture import BLOCK_TYPES, BlockType, Head, Input, Stem
from space.inclusion import InclusionKind, inclusion_kinds
from space.morphisms import lift
from space.networks import Network, build
from tests.space.inclusion_pairs import DW, PAIRS, WIDTH, architecture, mixer, randomised


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


CHANGES: list[tuple[InclusionKind, dict[str, Any]]] = [
    (InclusionKind.DEPTH, {"depth": 5}),
    (InclusionKind.WIDTH, {"width": 2 * WIDTH}),
    (InclusionKind.WIDTH, {"width": 3 * WIDTH, "depth": 3, "mlp_ratio": 1}),
    (InclusionKind.MLP_RATIO, {"mlp_ratio": 3.5}),
]
"""Kinds between networks, tried on patterns of two mixers."""


@pytest.mark.thorough
@pytest.mark.parametrize("block_type", BLOCK_TYPES)
def test_every_kind_lifts_whole_networks(
    block_type: BlockType, capsys: pytest.CaptureFixture[str]
) -> None:
    exercised: set[InclusionKind] = set()
    for parent, child, kind in network_pairs(block_type):
        torch.manual_seed(len(exercised))
        assert kind in (inclusion_kinds(parent, child) or ()), kind
        assert_lifts(parent, child)
        exercised.add(kind)
    with capsys.disabled():
        print(f"\n{len(exercised)} kinds of inclusion lifted in whole {block_type} networks")
    assert exercised == set(InclusionKind)


def network_pairs(
    block_type: BlockType,
) -> Iterator[tuple[Architecture, Architecture, InclusionKind]]:
    chance = random.Random(block_type)
    for kind, pairs in PAIRS.items():
        for special, general in pairs:
            size = chance.randint(13, 16), chance.randint(13, 16)
            parent = architecture([special], block_type, size)
            yield parent, architecture([general], block_type, size), kind
    for kind, changes in CHANGES:
        for number, one in enumerate(SEVERAL):
            pattern = [one, SEVERAL[number - 1]]
            parent = architecture(pattern, block_type, (11, 12))
            yield parent, architecture(pattern, block_type, (11, 12), **changes), kind


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"stem": Stem(4)}, "stem"),
        ({"block_type": "prenorm"}, "block_type"),
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
    elif set(changes) <= {"stem", "block_type", "head", "input", "downsample"}:
        child = replace(parent, **changes)
    else:
        stage = replace(parent.stages[0], **changes)
        child = replace(parent, stages=(stage, parent.stages[1]))
    with pytest.raises(InputError) as refused:
        lift(build(parent), child)
    assert [problem.where for problem in refused.value.problems] == [where]


@pytest.mark.parametrize("norm", ["before", "after"])
def test_the_features_of_a_network_without_classes_keep_their_width(norm: Any) -> None:
    parent = replace(architecture([DW], "conv", (16, 16)), head=Head(0, norm))
    first, last = parent.stages
    assert_lifts(parent, replace(parent, stages=(replace(first, width=2 * first.width), last)))
    child = replace(parent, stages=(first, replace(last, width=2 * last.width)))
    assert inclusion_kinds(parent, child) is None
    with pytest.raises(InputError, match=r"stages\[1\]\.width: .* without classes"):
        lift(build(parent), child)


@pytest.mark.parametrize("stem", [Stem(3, "overlap"), Stem(2, "pool"), Stem(4, "pool")])
def test_stems_of_every_type_are_lifted_with_their_norm(stem: Stem) -> None:
    parent = replace(architecture([DW], "conv", (16, 16)), stem=stem)
    wider = tuple(replace(stage, width=2 * stage.width) for stage in parent.stages)
    assert_lifts(parent, replace(parent, stages=wider))


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


@pytest.mark.parametrize("block_type", BLOCK_TYPES)
def test_training_parts_copied_channels(block_type: BlockType) -> None:
    """Else a network lifted into a wider one would stay as narrow as it was."""
    torch.manual_seed(0)
    parent = architecture([DW], block_type, (16, 16))
    child = architecture([DW], block_type, (16, 16), width=2 * WIDTH, mlp_ratio=1)
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
