"""Activation memory against what torch saves, keeps alive and moves."""

from collections.abc import Iterator
from dataclasses import astuple
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from space import Architecture, DesignSpace
from space.cost import memory
from space.native_library import compiler
from space.networks import build
from space.operator_choice import operators
from space.published import ENTRIES
from tests.space.memory_oracles import forward_traffic, saved_bytes
from tests.space.spaces import EVERYTHING, everything


@pytest.fixture(autouse=True)
def _plain_path() -> Iterator[None]:
    """Costs are those of the plain path, whatever a machine has kernels for."""
    with operators("plain"):
        yield


def network_and_images(architecture: Architecture, batch: int) -> tuple[nn.Module, Tensor]:
    image = architecture.input
    torch.manual_seed(0)
    return build(architecture), torch.randn(batch, image.channels, image.height, image.width)


@pytest.mark.parametrize(("batch", "seed"), [(1, 0), (2, 1), (5, 2)])
def test_training_memory_is_what_autograd_saves(batch: int, seed: int) -> None:
    """The contract is 5%; nearly all are equal to the byte."""
    rng, space = np.random.default_rng(seed), everything()
    exact = 0
    for _ in range(30):
        architecture = space.sample(rng)
        saved = saved_bytes(*network_and_images(architecture, batch))
        ours = memory(architecture, batch).training_bytes
        assert ours == pytest.approx(saved, rel=0.01), architecture.to_json()
        exact += ours == saved
    assert exact >= 27


@pytest.mark.parametrize(("batch", "seed"), [(1, 5), (3, 6)])
def test_fused_paths_need_no_more(batch: int, seed: int) -> None:
    rng, space = np.random.default_rng(seed), everything()
    less = 0
    for _ in range(15):
        architecture = space.sample(rng)
        with operators("auto"):
            saved = saved_bytes(*network_and_images(architecture, batch))
        ours = memory(architecture, batch).training_bytes
        assert saved <= 1.01 * ours, architecture.to_json()
        less += saved < ours
    assert less or compiler() is None


@pytest.mark.parametrize(("batch", "seed"), [(1, 3), (3, 4)])
def test_inference_memory_and_traffic(batch: int, seed: int) -> None:
    rng, space = np.random.default_rng(seed), everything()
    for _ in range(20):
        architecture = space.sample(rng)
        network, images = network_and_images(architecture, batch)
        peak, moved = forward_traffic(network.eval(), images)
        ours = memory(architecture, batch)
        assert ours.inference_bytes == pytest.approx(peak, rel=0.01), architecture.to_json()
        assert ours.moved_bytes == pytest.approx(moved, rel=0.05), architecture.to_json()


@cache
def everything_on(height: int, width: int) -> DesignSpace:
    image = {"channels": 3, "height": height, "width": width}
    return DesignSpace.from_dict(EVERYTHING | {"input": image})


@pytest.mark.thorough
@pytest.mark.parametrize("size", [(27, 9), (25, 5), (5, 40), (64, 6)])
@pytest.mark.parametrize("batch", [1, 3])
def test_maps_of_which_a_tile_covers_one_axis(size: tuple[int, int], batch: int) -> None:
    """One row or column of tiles lies in memory as the map does, so that less is copied."""
    space, rng = everything_on(*size), np.random.default_rng(batch)
    for _ in range(8):
        architecture = space.sample(rng)
        network, images = network_and_images(architecture, batch)
        ours, saved = memory(architecture, batch), saved_bytes(network, images)
        peak, moved = forward_traffic(network.eval(), images)
        assert ours.training_bytes == pytest.approx(saved, rel=0.01), architecture.to_json()
        assert ours.inference_bytes == pytest.approx(peak, rel=0.01), architecture.to_json()
        assert ours.moved_bytes == pytest.approx(moved, rel=0.01), architecture.to_json()


WINDOW = {"locality": "window", "channels": "separable", "rank": "full", "sharing": "none"}


@pytest.mark.parametrize(
    ("mixer", "width", "block_type", "size", "patch", "batch"),
    [
        ({"kernel_size": 6, "dynamics": "static"}, 5, "conv", (27, 9), 4, 2),
        ({"kernel_size": 8, "dynamics": "inhomogeneous"}, 5, "convnext", (25, 5), 2, 3),
        ({"kernel_size": 8, "dynamics": "inhomogeneous"}, 2, "conv", (25, 5), 2, 1),
        ({"kernel_size": 4, "dynamics": "inhomogeneous"}, 16, "prenorm", (16, 8), 2, 2),
        ({"kernel_size": 6, "dynamics": "attention", "sharing": "channel", "heads": 2}, 8,
         "prenorm", (26, 6), 2, 1),
        ({"kernel_size": 3, "dynamics": "homogeneous", "sharing": "both", "locality": "sliding"}, 6,
         "convnext", (10, 4), 2, 2),
    ],
)  # fmt: skip
def test_a_column_of_tiles_to_the_byte(
    mixer: dict[str, Any],
    width: int,
    block_type: str,
    size: tuple[int, int],
    patch: int,
    batch: int,
) -> None:
    stage = {"depth": 2, "width": width, "mlp_ratio": 1, "mixers": [WINDOW | mixer]}
    architecture = Architecture.from_dict(
        {
            "input": {"channels": 1, "height": size[0], "width": size[1]},
            "stem": {"patch_size": patch},
            "block_type": block_type,
            "stages": [stage],
            "head": {"classes": 1},
        }
    )
    network, images = network_and_images(architecture, batch)
    saved = saved_bytes(network, images)
    assert astuple(memory(architecture, batch)) == (saved, *forward_traffic(network.eval(), images))


OPTIONS: list[dict[str, Any]] = [
    {"downsample": "conv"},
    {"head": {"classes": 5, "norm": "after"}},
    {"head": {"classes": 0}},
    {"head": {"classes": 0, "norm": "after"}},
    {"stem": {"patch_size": 3, "type": "overlap"}},
    {"stem": {"patch_size": 2, "type": "overlap"}, "layer_scale": 1.0},
    {"stem": {"patch_size": 2, "type": "pool"}},
    {"stem": {"patch_size": 4, "type": "pool"}},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_other_stems_downsampling_and_heads(options: dict[str, Any]) -> None:
    rng, space = np.random.default_rng(5), everything()
    for _ in range(8):
        architecture = Architecture.from_dict(space.sample(rng).to_dict() | options)
        network, images = network_and_images(architecture, 2)
        ours = memory(architecture, 2)
        assert ours.training_bytes == pytest.approx(saved_bytes(network, images), rel=0.01)
        peak, moved = forward_traffic(network.eval(), images)
        assert ours.inference_bytes == pytest.approx(peak, rel=0.05)
        assert ours.moved_bytes == pytest.approx(moved, rel=0.05)


@pytest.mark.parametrize("name", ["swin_tiny", "dynamic_dwnet_tiny", "convnext_tiny"])
def test_published_networks_at_full_size(name: str) -> None:
    architecture = ENTRIES[name].architecture
    network, images = network_and_images(architecture, 1)
    assert memory(architecture).training_bytes == pytest.approx(
        saved_bytes(network, images), rel=1e-3
    )


def test_memory_grows_with_the_batch() -> None:
    architecture = everything().sample(np.random.default_rng(6))
    small, large = astuple(memory(architecture, 2)), astuple(memory(architecture, 64))
    assert all(a < b <= 32 * a for a, b in zip(small, large, strict=True))
