"""Steps whose loss or gradient is not finite change nothing, are counted, and have a limit."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from space import Architecture
from tests.trainers.proofs import proves
from tests.trainers.tiny import SEEDS, architecture, short_protocol, small_data
from trainers import NonFiniteLoss, Training
from trainers.step_log import StepLog

CPU = torch.device("cpu")
YES, NO = torch.tensor(True), torch.tensor(False)


class Breaking(nn.Module):
    """Batch norm and a linear layer, whose forward passes of these numbers, from 1, go wrong."""

    def __init__(self, wrong: set[int], how: str) -> None:
        super().__init__()
        self.norm, self.linear = nn.BatchNorm1d(784), nn.Linear(784, 10)
        self.wrong, self.how, self.calls = wrong, how, 0

    def forward(self, images: Tensor) -> Tensor:
        x = images.flatten(1)
        self.calls += self.training
        is_wrong = self.training and self.calls in self.wrong
        if is_wrong and self.how == "images":  # and batch norm sees them
            x = x * float("nan")
        y: Tensor = self.linear(self.norm(x))
        if is_wrong and self.how == "gradient":  # that of √x at 0 is infinite; the loss is finite
            y = y + (y.detach() - y).abs().sqrt()
        return y


def breaking(wrong: set[int], how: str = "images", **changes: Any) -> Training:
    """Three steps an epoch."""

    def build(chosen: Architecture, drop_path_rate: float) -> nn.Module:
        return Breaking(wrong, how)

    protocol = short_protocol(**changes)
    data = small_data(protocol)
    return Training(architecture(), protocol, data, seeds=SEEDS, build=build)


def everything(found: Training) -> list[Tensor]:
    moments = [v for state in found.optimiser.state.values() for v in state.values()]
    return [v.clone() for v in (*found.model.state_dict().values(), *moments)]


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("how", ["images", "gradient"])
def test_such_a_step_changes_nothing_and_the_next_one_goes_on(how: str, clip: float | None) -> None:
    found = breaking({2}, how, clip_norm=clip)
    stepper = found._make_stepper()
    batches = list(found.data.train_batches(1, 0))
    found.model.train()
    found.schedule.step_update(2)
    stepper.make(0, *batches[0])
    before = everything(found)
    loss, skipped, counted = stepper.make(1, *batches[1])
    assert (bool(loss.isfinite()), bool(skipped), bool(counted)) == (how == "gradient", True, True)
    after = everything(found)
    for one, other in zip(before, after, strict=True):  # but for batch norm's counter of batches
        assert one.dtype == torch.int64 or torch.equal(one, other)
    _, skipped, _ = stepper.make(2, *batches[2])
    assert not skipped
    assert all(v.isfinite().all() for v in everything(found))
    assert not torch.equal(everything(found)[0], before[0])


@proves("max_nonfinite_steps")
@pytest.mark.parametrize(("wrong", "limit"), [({2}, 1), ({1, 5, 6}, 2), ({2}, 10)])
def test_as_many_as_allowed_in_an_epoch_are_counted(wrong: set[int], limit: int) -> None:
    found = breaking(wrong, max_nonfinite_steps=limit)
    results = [found.run_epoch() for _ in range(2)]
    assert [r.skipped_steps for r in results] == [
        len(wrong & {1, 2, 3}),
        len(wrong & {4, 5, 6}),
    ]
    assert all(
        torch.isfinite(torch.tensor([r.train_loss, r.validation_loss])).all() for r in results
    )


@proves("max_nonfinite_steps")
@pytest.mark.parametrize(
    ("limit", "how", "said"),
    [
        (0, "images", "train loss is nan in epoch 1, step 1$"),
        (0, "gradient", "the gradient is not finite in epoch 1, step 1$"),
        (1, "images", r"nan in epoch 1, step 3, the 2\. such step; max_nonfinite_steps is 1"),
    ],
)
def test_one_more_ends_the_training(limit: int, how: str, said: str) -> None:
    with pytest.raises(NonFiniteLoss, match=said):
        breaking({1, 3}, how, max_nonfinite_steps=limit).run_epoch()


def test_an_epoch_without_any_step_ends_the_training() -> None:
    with pytest.raises(NonFiniteLoss, match="nan in epoch 1, step 1, and in every other step"):
        breaking({1, 2, 3}).run_epoch()


def test_the_mean_is_that_of_the_finite_losses() -> None:
    log = StepLog(1, 4, CPU, limit=2)
    for loss in (1.0, float("nan"), 4.0, float("inf")):
        wrong = torch.tensor(not math.isfinite(loss))
        log.add(torch.tensor(loss), wrong, wrong)
    assert (log.mean(), log.skipped) == (2.5, 2)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_first_non_finite_loss_is_named(value: float) -> None:
    log = StepLog(3, 20, CPU, limit=0)
    for _ in range(16):
        log.add(torch.tensor(1.0), NO, NO)
    with pytest.raises(NonFiniteLoss, match=rf"train loss is {value} in epoch 3, step 17"):
        log.add(torch.tensor(value), YES, YES)


def test_what_the_scaling_of_the_loss_skips_has_no_limit_until_it_should_have_settled() -> None:
    short, long = StepLog(1, 8, CPU, limit=0), StepLog(1, 40, CPU, limit=0)
    for log, steps in ((short, 8), (long, 40)):
        for _ in range(steps):
            log.add(torch.tensor(2.0), YES, NO)
    assert (short.mean(), short.skipped) == (2.0, 8)
    with pytest.raises(NonFiniteLoss, match="the gradient is not finite in epoch 1, step 1, and"):
        long.mean()
