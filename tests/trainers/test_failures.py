"""Exceptions become states and reasons."""

import pickle

import pytest
import torch

from space.errors import InputError
from trainers import NonFiniteLoss, TrainingStopped, classify
from trainers.losses import LossLog, training_loss


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_running_out_of_memory_is_infeasible() -> None:
    with pytest.raises(RuntimeError) as error:
        torch.empty(1 << 60)
    for memory_error in (
        error.value,
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        MemoryError(),
    ):
        found = classify(memory_error)
        assert found.state == "infeasible"
        assert found.reason.startswith("out of memory: ")


def test_other_ends() -> None:
    assert classify(NonFiniteLoss("train loss is nan in epoch 3, step 17")).state == "failed"
    assert classify(TrainingStopped("stopped")).state == "preempted"
    found = classify(raised(ValueError("odd\nsecond line")))
    assert found.state == "failed"
    assert found.reason.startswith("ValueError: odd (in raised, test_failures.py:")
    assert classify(KeyError()).reason == "KeyError: KeyError"


@pytest.mark.parametrize(
    "error", [NonFiniteLoss("x"), TrainingStopped("y"), InputError.of("a", "b")]
)
def test_they_travel_between_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_the_first_non_finite_loss_is_named(value: float) -> None:
    log = LossLog(3, 20, torch.device("cpu"))
    for _ in range(16):
        log.add(torch.tensor(1.0))
    with pytest.raises(NonFiniteLoss, match=rf"train loss is {value} in epoch 3, step 17"):
        log.add(torch.tensor(value))


def test_soft_and_hard_targets_have_the_same_loss() -> None:
    logits = torch.randn(6, 10)
    labels = torch.arange(6)
    soft = torch.nn.functional.one_hot(labels, 10) * 0.9 + 0.01
    assert torch.allclose(training_loss(logits, labels, 0.1), training_loss(logits, soft, 0.1))
