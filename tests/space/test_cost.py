"""Closed-form costs against the built network, torch's counter and the paper's figures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from space import Architecture, DesignSpace, Mixer, MixerType, all_mixer_types, cost
from space.axes import Locality
from space.networks import build
from space.operator_choice import operators
from space.operators import aggregators
from space.weight_sources.attention import module as attention
from tests.space.spaces import BASE, EVERYTHING, TINY, everything, paper_network


class UnseenCounter:
    """Counts the sums that torch's counter cannot see, where the operators make them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.macs = 0
        for module, name in ((aggregators, "neighbourhood_sum"), (attention, "neighbourhood_dot")):
            monkeypatch.setattr(module, name, self._counting(getattr(module, name)))

    def _counting(self, function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
        def counted(one: torch.Tensor, other: torch.Tensor, kernel_size: int) -> torch.Tensor:
            self.macs += other.numel() * kernel_size**2
            return function(one, other, kernel_size)

        return counted


def assert_exact(architecture: Architecture, unseen: UnseenCounter) -> None:
    """Params equal the built network's; MACs equal torch's count plus what it cannot see."""
    spent = cost(architecture)
    image = architecture.input
    unseen.macs = 0
    # The networks are small: to compute them is quicker than what torch does on the meta device.
    network = build(architecture).eval().requires_grad_(False)
    with operators("plain"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, image.channels, image.height, image.width))
    built = sum(parameter.numel() for parameter in network.parameters())
    assert spent.params == built, architecture.to_json()
    assert spent.unseen_macs == unseen.macs, architecture.to_json()
    assert 2 * (spent.macs - unseen.macs) == counter.get_total_flops(), architecture.to_json()


@pytest.mark.parametrize("seed", range(2))
def test_costs_of_deep_networks_are_exact(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(seed)
    space, unseen = everything(), UnseenCounter(monkeypatch)
    for _ in range(20):
        assert_exact(space.sample(rng), unseen)


@pytest.mark.parametrize(
    ("patch_size", "kind"),
    [(1, "overlap"), (2, "overlap"), (3, "overlap"), (5, "overlap"), (2, "pool"), (6, "pool")],
)
def test_costs_of_stems_of_every_type_are_exact(
    patch_size: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stem = {"patch_size": patch_size, "type": kind}
    space = DesignSpace.from_dict(EVERYTHING | {"stem": stem, "layer_scale": 0.5})
    rng, unseen = np.random.default_rng(11), UnseenCounter(monkeypatch)
    for _ in range(5):
        assert_exact(space.sample(rng), unseen)


@pytest.mark.thorough
@pytest.mark.parametrize("each", [2, pytest.param(14, marks=pytest.mark.slow)])
def test_costs_are_exact_over_every_mixer_type(each: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of one stage, hundreds to a thousand, as many of each mixer type."""
    rng = np.random.default_rng(7)
    unseen = UnseenCounter(monkeypatch)
    stages = [{"depth": [1, 2], "width": [8, 12], "mlp_ratio": [1, 2.5]}]
    met: set[MixerType] = set()
    for mixer_type in all_mixer_types():
        lines = EVERYTHING["mixers"][0] | {"operator": mixer_type.label}
        fields = {"operator", *Mixer.applicable(*mixer_type.values)}
        sizes = {name: value for name, value in lines.items() if name in fields}
        if mixer_type.locality is Locality.SLIDING:
            sizes["kernel_size"] = [1, 3, 5, 9]
        space = DesignSpace.from_dict(EVERYTHING | {"stages": stages, "mixers": [sizes]})
        for number in range(14):
            architecture = space.sample(rng)
            mixer_types = {mixer.type for mixer in architecture.mixers()}
            if number < each or mixer_types - met:  # some of a mixer type are folded into others
                assert_exact(architecture, unseen)
                met |= mixer_types
    assert met == set(all_mixer_types())


PAPER: list[tuple[str, Any, dict[str, Any], int, float | None, float]] = [
    # operator, size, fields, params, MACs in G as torch counts, unseen MACs in G
    ("dw-s conv.", TINY, {}, 24_172_744, 3.7269, 0),
    ("dw-s conv.", BASE, {}, 74_347_112, 12.8123, 0),
    ("dynamic dw-s conv.", TINY, {}, 51_131_752, 3.7538, 0),
    ("dynamic dw-s conv.", BASE, {}, 161_597_928, 12.8995, 0),
    ("dynamic local-s mlp", TINY, {"heads": 32}, 26_244_280, 4.3041, 0.070),
    ("dynamic local-s mlp", BASE, {"heads": 32}, 80_253_608, 14.1876, 0.1524),
    ("local vit", TINY, {"heads": "swin", "block_type": "prenorm"}, 28_288_354, 4.4906, 0),
    ("local vit", BASE, {"heads": "swin", "block_type": "prenorm"}, 87_768_224, 15.431, 0),
    ("local mlp", TINY, {"heads": "swin", "block_type": "prenorm"}, 24_274_450, None, 0),
    ("local mlp", BASE, {"heads": "swin", "block_type": "prenorm"}, 74_624_224, None, 0),
    ("local mlp", TINY, {"heads": "swin"}, 24_283_282, None, 0),
    ("local mlp", BASE, {"heads": "swin"}, 74_648_288, None, 0),
    ("lightweight conv.", TINY, {"heads": "swin"}, 23_963_122, None, 0),
    ("lightweight conv.", BASE, {"heads": "swin"}, 73_775_968, None, 0),
]


@pytest.mark.parametrize(("operator", "size", "fields", "params", "macs", "unseen"), PAPER)
def test_models_of_the_paper_have_its_params_and_macs(
    operator: str,
    size: Any,
    fields: dict[str, Any],
    params: int,
    macs: float | None,
    unseen: float,
) -> None:
    spent = cost(paper_network(operator, size, kernel_size=7, **fields))
    assert spent.params == params
    if macs is not None:
        assert (spent.macs - spent.unseen_macs) / 1e9 == pytest.approx(
            macs, abs=5.1e-5 + macs * 1e-5
        )
    assert spent.unseen_macs / 1e9 == pytest.approx(unseen, abs=5e-4)


@pytest.mark.parametrize(
    ("kernel_size", "static", "dynamic"),
    [
        (3, 23.996, 29.39),
        (5, 24.067, 38.09),
        (7, 24.173, 51.13),
        (9, 24.314, 68.53),
        (11, 24.491, 90.27),
        (13, 24.703, 116.36),
    ],
)
def test_the_kernel_sweep_of_the_tiny_network(
    kernel_size: int, static: float, dynamic: float
) -> None:
    of_static = cost(paper_network("dw-s conv.", TINY, kernel_size=kernel_size)).params
    of_dynamic = cost(paper_network("dynamic dw-s conv.", TINY, kernel_size=kernel_size)).params
    assert of_static / 1e6 == pytest.approx(static, abs=5e-4)
    assert of_dynamic / 1e6 == pytest.approx(dynamic, abs=5e-3)
