"""What AdamW does not decay, with timm's own optimiser as the oracle."""

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from torch import nn

from space import BLOCK_TYPES, Architecture, Mixer, MixerType, all_mixer_types
from space.networks import build
from space.zoo import ENTRIES, entry  # registers the models of timm, which is imported after it
from tests.space.test_every_mixer_type_trains import mixer_fields, network_of
from tests.trainers.proofs import proves
from trainers import Protocol
from trainers.optimisation import make_optimiser

import timm.optim  # isort: skip

DECAY = 0.05


def decays(model: nn.Module, groups: Iterable[dict[str, Any]]) -> dict[str, float]:
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {names[id(p)]: group["weight_decay"] for group in groups for p in group["params"]}


def ours(model: nn.Module, **written: Any) -> dict[str, float]:
    protocol = Protocol.from_dict({"weight_decay": DECAY} | written)
    return decays(model, make_optimiser(model, protocol).param_groups)


def by_timm(model: nn.Module) -> dict[str, float]:
    made = timm.optim.create_optimizer_v2(model, opt="adamw", lr=1e-3, weight_decay=DECAY)
    return decays(model, made.param_groups)


@proves("weight_decay", "weight_decay_exempt", "optimiser")
@pytest.mark.parametrize("name", list(ENTRIES))
def test_the_networks_of_the_zoo_are_decayed_as_timm_does(name: str) -> None:
    with torch.device("meta"):
        model = timm.create_model(f"mixspace_{name}")
        bare = build(entry(name).architecture)
    assert ours(model) == by_timm(model)
    of_bare = ours(bare)
    assert sorted(of_bare.values()) == sorted(ours(model).values())
    tables = {n for n, d in of_bare.items() if "position_bias" in n}
    assert {of_bare[n] for n in tables} <= {0.0}
    assert set(of_bare.values()) == {0.0, DECAY}


def expected(model: nn.Module, *, network: bool) -> dict[str, float]:
    """Swin's recipe: neither vectors nor tables of positions."""
    return {
        name: 0.0 if p.dim() <= 1 or (network and "position_bias" in name) else DECAY
        for name, p in model.named_parameters()
    }


def with_every_option(mixer_type: MixerType, block_type: str) -> Architecture:
    values = network_of(mixer_type, block_type).to_dict()
    options = {"position_bias", "query_key_bias", "reduction_norm"}
    chosen = dict.fromkeys(options & set(Mixer.applicable(*mixer_type.values)), True)
    for stage in values["stages"]:
        stage["mixers"] = [mixer_fields(mixer_type) | chosen]
    return Architecture.from_dict(values)


@proves("weight_decay_exempt")
@pytest.mark.parametrize("mixer_type", all_mixer_types(), ids=lambda mixer_type: mixer_type.label)
def test_every_operator_is_decayed_by_the_rule(mixer_type: MixerType) -> None:
    for block_type in BLOCK_TYPES:
        model = build(with_every_option(mixer_type, block_type))
        assert ours(model) == expected(model, network=True) == by_timm(model)
        alone = ours(model, weight_decay_exempt="one_dimensional")
        assert alone == expected(model, network=False)
        has_tables = "position_bias" in Mixer.applicable(*mixer_type.values)
        assert (alone != ours(model)) is has_tables


def test_a_network_that_names_nothing_is_decayed_but_for_its_vectors() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(3, 4))
    assert ours(model) == expected(model, network=True)


@proves("optimiser")
def test_the_optimiser_is_adamw_with_the_numbers_of_the_protocol() -> None:
    model = nn.Linear(2, 2)
    made = make_optimiser(model, Protocol(betas=(0.8, 0.9), learning_rate=0.01))
    assert type(made) is torch.optim.AdamW
    assert {group["betas"] for group in made.param_groups} == {(0.8, 0.9)}
    assert {group["lr"] for group in made.param_groups} == {0.01}
    assert {group["eps"] for group in made.param_groups} == {1e-8}
