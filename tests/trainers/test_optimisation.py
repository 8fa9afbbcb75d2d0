"""The learning rate and the groups of AdamW, with timm's own as the oracles."""

from collections.abc import Iterable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from space.networks import build
from space.torchvision_support import prepare_torchvision
from tests.trainers.proofs import proves
from tests.trainers.tiny import architecture
from trainers import Protocol
from trainers.optimisation import CosineSchedule, make_optimiser

rates = st.floats(0, 10)


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """The rates in order, as a protocol wants them, and a warm-up that may be none or long."""
    low, first, top = sorted(draw(st.tuples(rates, rates, st.floats(1e-6, 10))))
    epochs = draw(st.integers(1, 5))
    return Protocol(
        epochs=epochs,
        warmup_epochs=draw(st.floats(0, epochs, exclude_max=True)),
        learning_rate=max(top, 1e-6),
        warmup_learning_rate=first,
        minimum_learning_rate=low,
    )


@proves("warmup_epochs", "warmup_learning_rate", "minimum_learning_rate", "learning_rate")
@given(protocols(), st.integers(1, 9))
def test_the_rate_of_every_step_is_that_of_timm(protocol: Protocol, steps_per_epoch: int) -> None:
    prepare_torchvision()
    from timm.scheduler import CosineLRScheduler

    ours, theirs = (make_optimiser(Named(), protocol) for _ in range(2))
    schedule = CosineSchedule(ours, protocol, steps_per_epoch)
    oracle = CosineLRScheduler(
        theirs,
        t_initial=protocol.epochs * steps_per_epoch + 1,
        lr_min=protocol.minimum_learning_rate,
        warmup_t=round(protocol.warmup_epochs * steps_per_epoch),
        warmup_lr_init=protocol.warmup_learning_rate,
        t_in_epochs=False,
    )
    for step in range(protocol.epochs * steps_per_epoch):
        schedule.step_update(step)
        oracle.step_update(step)
        rates = [[group["lr"] for group in made.param_groups] for made in (ours, theirs)]
        assert rates[0] == rates[1]
        assert rates[0] == [schedule.rate(step)] * 2


class Named(nn.Module):
    """Has what timm decays, what it leaves out, what it is told to, and what is not trained."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(2, 3) for _ in range(2))
        self.frozen = nn.Linear(2, 2).requires_grad_(False)
        self.table = nn.Parameter(torch.ones(2, 2))
        self.matrix = nn.Module()
        self.matrix.bias = nn.Parameter(torch.ones(2, 2))

    def no_weight_decay(self) -> set[str]:
        """As the networks of timm name theirs: whole names, or patterns."""
        return {"table", "layers.1.*"}


@proves("weight_decay", "weight_decay_exempt")
def test_the_groups_are_those_of_timm_in_their_order() -> None:
    prepare_torchvision()
    from timm.optim import param_groups_weight_decay

    model = Named()
    for named in (model.no_weight_decay(), set()):
        exempt = "network" if named else "one_dimensional"
        protocol = Protocol.from_dict({"weight_decay": 0.3, "weight_decay_exempt": exempt})
        expected = param_groups_weight_decay(model, 0.3, no_weight_decay_list=named)
        made = make_optimiser(model, protocol).param_groups
        assert [g["weight_decay"] for g in made] == [g["weight_decay"] for g in expected]
        for ours, theirs in zip(made, expected, strict=True):
            assert [id(p) for p in ours["params"]] == [id(p) for p in theirs["params"]]


@proves("layer_decay")
@pytest.mark.parametrize("name", ["dwnet_tiny", "swin_tiny", "dynamic_dwnet_tiny"])
def test_the_rates_of_layers_are_those_of_timm(name: str) -> None:
    prepare_torchvision()
    import timm
    from timm.optim import param_groups_layer_decay

    import space.zoo  # noqa: F401 - registers the networks

    with torch.device("meta"):
        model = timm.create_model(f"mixspace_{name}")
    protocol = Protocol(weight_decay=0.05, layer_decay=0.7)
    named = model.no_weight_decay()
    expected = param_groups_layer_decay(model, 0.05, named, layer_decay=0.7)
    found = make_optimiser(model, protocol).param_groups
    assert scales(found) == scales(expected)
    assert len({group["lr_scale"] for group in found}) == 2 + 12  # stem, twelve blocks, head


def scales(groups: Iterable[dict[str, Any]]) -> dict[int, tuple[float, float]]:
    """By parameter."""
    return {id(p): (g["lr_scale"], g["weight_decay"]) for g in groups for p in g["params"]}


@proves("layer_decay")
def test_every_layer_of_a_network_of_ours_has_a_rate_of_its_own() -> None:
    """The head the whole one, and a downsampling that of the block before it."""
    model = build(architecture())
    protocol = Protocol(layer_decay=0.5, learning_rate=0.01)
    optimiser = make_optimiser(model, protocol)
    CosineSchedule(optimiser, protocol, 10).step_update(10)
    rates = {id(p): g["lr"] for g in optimiser.param_groups for p in g["params"]}
    peak = CosineSchedule(optimiser, protocol, 10).rate(10)
    wanted = {"stem.": 8, "stages.0.": 4, "downsamples.0.": 4, "stages.1.": 2, "head.": 1}
    for name, parameter in model.named_parameters():
        (share,) = [share for start, share in wanted.items() if name.startswith(start)]
        assert rates[id(parameter)] == peak / share, name


def test_a_network_of_vectors_has_one_group() -> None:
    (group,) = make_optimiser(nn.BatchNorm1d(3), Protocol()).param_groups
    assert (group["weight_decay"], len(group["params"])) == (0.0, 2)
