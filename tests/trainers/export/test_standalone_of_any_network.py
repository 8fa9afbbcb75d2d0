"""Random networks, and those of the zoo, as stand-alone files."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from space import BLOCK_TYPES, Architecture, Mixer
from space.architecture import Head, Input, Stage, Stem
from space.networks import build
from space.published import ENTRIES
from tests.space.spaces import everything
from tests.trainers.export.standalone_files import (
    assert_same,
    error,
    executed,
    images,
    pair,
    tensors,
    unused,
)
from trainers.export.standalone import standalone_source


@st.composite
def networks(draw: st.DrawFn) -> Architecture:
    """Of the space of all mixers and options, with any stem, downsampling, head and image."""
    sampled = everything().sample(np.random.default_rng(draw(st.integers(0, 10**9))))
    values: dict[str, Any] = sampled.to_dict()
    stem = draw(st.sampled_from(["patch", "overlap", "pool"]))
    values["stem"] = {"patch_size": draw(st.sampled_from([2, 4])), "type": stem}
    values["downsample"] = draw(st.sampled_from(["merge", "conv"]))
    values["head"] = {
        "classes": draw(st.sampled_from([0, 1, 5])),
        "norm": draw(st.sampled_from(["before", "after"])),
    }
    values["input"] = {
        "channels": draw(st.sampled_from([1, 3])),
        "height": draw(st.integers(5, 30)),
        "width": draw(st.integers(5, 30)),
    }
    values["layer_scale"] = draw(st.sampled_from([1e-6, 0.5, 1.0]))
    first = draw(st.integers(1, len(values["stages"])))
    values["stages"] = values["stages"][:first]
    return Architecture.from_dict(values)


def holds(architecture: Architecture) -> None:
    source = standalone_source(architecture)
    assert source == standalone_source(Architecture.from_json(architecture.to_json()))
    assert unused(source) <= {"build", "load"}
    theirs, ours = pair(architecture, source)
    assert_same(theirs, ours, images(architecture))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_any_network_computes_and_learns_the_same(architecture: Architecture) -> None:
    holds(architecture)


@pytest.mark.slow
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_many_networks_compute_and_learn_the_same(architecture: Architecture) -> None:
    holds(architecture)


def test_a_single_image_trains_as_ours() -> None:
    """Batch norms of one value a channel, as a pooled map has."""
    values = everything().sample(np.random.default_rng(0)).to_dict()
    values |= {"block_type": "conv", "input": {"channels": 1, "height": 4, "width": 4}}
    mixer = {
        "locality": "sliding",
        "channels": "separable",
        "rank": "full",
        "sharing": "position",
        "dynamics": "homogeneous",
        "kernel_size": 3,
    }
    for stage in values["stages"]:
        stage["mixers"] = [mixer]
    architecture = Architecture.from_dict(values)
    theirs, ours = pair(architecture, standalone_source(architecture))
    assert_same(theirs, ours, images(architecture, batch=1))


@pytest.mark.parametrize(
    "mixer",
    [
        {"operator": "dynamic dw-s conv.", "kernel_size": 3, "generator_ratio": (3, 5)},
        {"operator": "dynamic local-s mlp", "kernel_size": (3, 5), "heads": (2, 4)},
        {"operator": "bottleneck", "kernel_size": 3, "ratio": (2, 5), "bias": (True, False)},
        {"operator": "pvt", "ratio": (2, 3), "heads": 2, "reduction_norm": (True, False)},
        {"operator": "local vit", "kernel_size": 3, "query_key_bias": (True, False)},
        {"operator": "lr mlp", "ratio": (8, 3), "bias": True},
    ],
    ids=lambda mixer: mixer["operator"],
)
def test_blocks_of_one_kind_take_what_differs_from_stage_to_stage(mixer: dict[str, Any]) -> None:
    stages = []
    for index, width in enumerate((10, 20)):
        own = {n: v[index] if isinstance(v, tuple) else v for n, v in mixer.items()}
        named = Mixer.named(own.pop("operator"), **own)
        stages.append(Stage(2, width, (2, 3)[index], (named,)))
    for block_type in BLOCK_TYPES:
        holds(Architecture(Input(1, 26, 20), Stem(2), block_type, tuple(stages), Head(4)))


@pytest.mark.parametrize("name", sorted(ENTRIES))
def test_networks_of_the_zoo_have_the_same_tensors(name: str) -> None:
    architecture = ENTRIES[name].architecture
    module = executed(standalone_source(architecture))
    with torch.device("meta"):
        assert tensors(module.build()) == tensors(build(architecture))


@pytest.mark.thorough
@pytest.mark.parametrize(
    "name",
    [
        "swin_tiny",
        *(
            pytest.param(each, marks=pytest.mark.slow)
            for each in ("dwnet_tiny", "dynamic_dwnet_tiny", "i_dynamic_dwnet_tiny", "pvt_like")
        ),
    ],
)
def test_networks_of_the_zoo_compute_the_same_at_their_size(name: str) -> None:
    architecture = ENTRIES[name].architecture
    ours = build(architecture, weight_init="lecun", seed=0).eval()
    theirs = executed(standalone_source(architecture)).build()
    theirs.load_state_dict(ours.state_dict())
    batch = images(architecture, batch=1).float()
    with torch.no_grad():
        assert error(theirs.eval()(batch), ours(batch)) <= 1e-5


def test_first_weights_are_drawn_as_ours() -> None:
    """Constants are equal, and random tensors of one deviation."""
    names = ["swin_tiny", "i_dynamic_dwnet_tiny", "local_mlp_tiny", "convnext_tiny"]
    for name in names:
        values = ENTRIES[name].architecture.to_dict()
        values["stages"] = [stage | {"depth": 1} for stage in values["stages"][:2]]
        architecture = Architecture.from_dict(values)
        theirs = executed(standalone_source(architecture)).build().state_dict()
        for tensor, ours in build(architecture).state_dict().items():
            if ours.unique().numel() == 1:
                assert torch.equal(theirs[tensor], ours), (name, tensor)
            else:
                spread = float(theirs[tensor].std() / ours.std())
                assert abs(spread - 1) < 5 / ours.numel() ** 0.5, (name, tensor)


@pytest.mark.parametrize(
    ("operator", "options", "words"),
    [
        ("local vit", {"position_bias": False}, "Local attention over"),
        (
            "local vit",
            {"position_bias": False, "shift": False},
            "Local attention over",
        ),
        ("neighbourhood attention", {"position_bias": True}, "BiasedNeighbourhoodAttention"),
        ("neighbourhood attention", {"position_bias": False}, "NeighbourhoodAttention"),
    ],
)
@pytest.mark.parametrize("size", [24, 20])
def test_attention_with_and_without_a_position_bias(
    operator: str, options: dict[str, Any], words: str, size: int
) -> None:
    """Of maps that windows divide, and others."""
    mixer = Mixer.named(operator, heads=2, kernel_size=3, **options)
    stages = (Stage(2, 8, 2, (mixer,)),)
    architecture = Architecture(Input(3, size, size), Stem(4), "conv", stages, Head(3))
    assert words in standalone_source(architecture)
    assert ("position_bias" in standalone_source(architecture)) is options["position_bias"]
    holds(architecture)
