"""Ways to compute the same: they change no result, and no hash; half precision is for GPUs."""

import functools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from space import Architecture
from space.errors import InputError
from tests.trainers.proofs import proves
from tests.trainers.tiny import SEEDS, architecture, short_protocol, small_data
from trainers import Runtime, Training
from trainers.checkpoint import load_checkpoint
from trainers.optimisation import make_optimiser
from trainers.runtime import CompileMode, runtime_problems, shares_problems
from trainers.steps import Stepper
from trainers.training_state import TrainingState


def trained(runtime: Runtime = Runtime(), **options: Any) -> Training:  # noqa: B008 - frozen
    """Two epochs with batch norm and drop path."""
    protocol = short_protocol(epochs=2, drop_path=0.3, accumulation=2)
    data = small_data(protocol, limit_train=128)
    found = Training(architecture(), protocol, data, seeds=SEEDS, runtime=runtime, **options)
    found.run_epoch()
    found.run_epoch()
    return found


def test_what_is_computed_again_is_the_same() -> None:
    plain, again = trained(), trained(Runtime(grad_checkpointing=True))
    expected, found = plain.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert again.model.grad_checkpointing is True
    assert [e.train_loss for e in plain.history] == [e.train_loss for e in again.history]


def test_a_network_that_cannot_compute_again_is_refused() -> None:
    def build(chosen: Architecture, rate: float) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))

    with pytest.raises(InputError, match=r"resources\.grad_checkpointing: Sequential has no"):
        trained(Runtime(grad_checkpointing=True), build=build)


@pytest.mark.parametrize(("asked", "mode"), [(True, None), ("reduce-overhead", "reduce-overhead")])
def test_the_mode_of_the_compiler_is_handed_on(
    asked: bool | CompileMode, mode: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def noted(network: nn.Module, **options: Any) -> nn.Module:
        found.append(options)
        return network

    monkeypatch.setattr(torch, "compile", noted)
    network = nn.Linear(2, 2)
    assert Runtime(compile=asked).prepared(network) is network
    assert found == [{"mode": mode}]


@pytest.mark.slow
def test_a_compiled_network_is_the_same_but_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced and differentiated as for a compiler, whose last stage takes minutes on a CPU."""
    monkeypatch.setattr(torch, "compile", functools.partial(torch.compile, backend="aot_eager"))
    plain, compiled = trained(), trained(Runtime(compile=True))
    assert isinstance(compiled._stepper, Stepper)
    assert type(compiled._stepper._network).__name__ == "OptimizedModule"
    for one, other in zip(plain.history, compiled.history, strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, rel=1e-3)
    names = plain.model.state_dict().keys()
    assert names == compiled.model.state_dict().keys()  # checkpoints are those of any training


@proves("precision")
def test_float16_is_refused_without_a_gpu() -> None:
    protocol = short_protocol(precision="float16")
    with pytest.raises(InputError, match=r"protocol\.precision: float16 is for GPUs"):
        Training(architecture(), protocol, small_data(protocol), seeds=SEEDS)


class Linear(nn.Linear):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.flatten(1))


def scaled(growth: int = 2) -> tuple[Stepper, TrainingState]:
    """A training whose loss is scaled, as on a GPU in half precision."""
    training = Training(
        architecture(),
        protocol := short_protocol(),
        small_data(protocol),
        seeds=SEEDS,
        build=lambda chosen, rate: Linear(784, 10),
    )
    state = training._state
    state.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8, growth_interval=growth)
    return training._make_stepper(), state


def test_a_scaled_loss_gives_the_steps_of_one_that_is_not() -> None:
    (with_scaler, state), (without, plain) = scaled(), scaled()
    plain.scaler = None
    images, targets = torch.randn(8, 1, 28, 28), torch.arange(8)
    for step in range(3):
        one, other = (each.make(step, images, targets) for each in (with_scaler, without))
        assert torch.allclose(one[0], other[0], rtol=1e-6)
        assert not one[1]
    for name, weight in plain.model.state_dict().items():
        assert torch.allclose(state.model.state_dict()[name], weight, atol=1e-6)


def test_what_overflows_is_skipped_without_counting_and_the_scale_falls_and_is_kept(
    tmp_path: Path,
) -> None:
    stepper, state = scaled()
    images, targets = torch.randn(8, 1, 28, 28), torch.arange(8)
    stepper.make(0, images, targets)
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    state.model.weight.register_hook(lambda gradient: gradient * float("inf"))
    loss, skipped, counted = stepper.make(1, images, targets)
    assert loss.isfinite()
    assert (bool(skipped), bool(counted)) == (True, False)
    assert all(torch.equal(before[name], v) for name, v in state.model.state_dict().items())
    assert state.scaler is not None
    assert state.scaler.get_scale() == 2.0**7
    kept = state.to_checkpoint({}, 1)
    fresh = TrainingState(
        model := Linear(784, 10),
        None,
        make_optimiser(model, short_protocol()),
        scaler=torch.amp.GradScaler("cpu"),
    )
    fresh.restore(kept, tmp_path)
    assert fresh.scaler is not None
    assert fresh.scaler.state_dict() == state.scaler.state_dict()


@pytest.mark.gpu
@proves("precision")
def test_float16_on_a_gpu_goes_on_exactly(tmp_path: Path) -> None:
    protocol = short_protocol(epochs=2, precision="float16")
    data = small_data(protocol)

    def begun(name: str) -> Training:
        path = tmp_path / name
        return Training(
            architecture(), protocol, data, seeds=SEEDS, device="cuda", checkpoint_path=path
        )

    straight = begun("straight")
    straight.run_epoch()
    straight.run_epoch()
    begun("broken").run_epoch()
    begun("broken").run_epoch()
    whole, broken = (load_checkpoint(tmp_path / name).state for name in ("straight", "broken"))
    assert whole["scaler"] == broken["scaler"]


@pytest.mark.gpu
def test_replayed_graphs_train_the_same_but_for_rounding() -> None:
    plain = trained(device="cuda")
    graphs = trained(Runtime(compile="reduce-overhead"), device="cuda")
    for one, other in zip(plain.history, graphs.history, strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, rel=1e-2)


@pytest.mark.parametrize(
    ("changes", "batch", "processes", "said"),
    [
        ({}, 64, 1, []),
        ({"batch_norm_parts": 2}, 64, 2, []),
        (
            {"batch_norm_parts": 2},
            64,
            4,
            [
                "protocol.batch_norm_parts: 2 shares of a batch are those of as many processes, "
                "and a trial has 4; 1 is for any number of them"
            ],
        ),
        (
            {"accumulation": 2},
            62,
            2,
            [
                "protocol.batch_size: a batch of 62 images cannot be cut into 2 processes × 2 "
                "(accumulation) equal parts; a multiple of 4 can"
            ],
        ),
        ({"accumulation": 2}, 60, 2, []),
    ],
)
def test_batches_that_processes_cannot_share(
    changes: dict[str, Any], batch: int, processes: int, said: list[str]
) -> None:
    found = shares_problems(short_protocol(**changes), batch, processes)
    assert [str(each) for each in found] == said


def test_half_precision_is_for_gpus() -> None:
    (problem,) = runtime_problems(short_protocol(precision="float16"), "cpu")
    assert str(problem) == (
        "protocol.precision: float16 is for GPUs, and a trial trains on a cpu: float32 is for all"
    )
    assert not [*runtime_problems(short_protocol(precision="float16"), "cuda")]
