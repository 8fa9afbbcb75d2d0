"""The learning rate and the groups of AdamW, with timm's own as the oracles."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from space.torchvision_support import prepare_torchvision
from tests.trainers.proofs import proves
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


def test_a_network_of_vectors_has_one_group() -> None:
    (group,) = make_optimiser(nn.BatchNorm1d(3), Protocol()).param_groups
    assert (group["weight_decay"], len(group["params"])) == (0.0, 2)
