"""The loop: it learns, resumes to the last bit, and ends with a reason."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from space import Architecture
from space.errors import InputError
from space.native_library import compiler
from space.operator_choice import Choice, operators
from tests.trainers.tiny import SEEDS, architecture, short_protocol, small_data, training
from trainers import NonFiniteLoss, Seeds, Training
from trainers.checkpoint import load_checkpoint

RESUME = """
import json, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from tests.trainers.tiny import training
for path, changes in json.load(sys.stdin):
    found = training(Path(path), **changes)
    assert found.epoch == 2, found.epoch
    while not found.done:
        found.run_epoch()
    # A worker waits for no library that its recipe does not need.
    assert bool(changes) == bool({"timm", "torchvision"} & set(sys.modules)), changes
"""
HARD = {
    "drop_path": 0.3,
    "ema_decay": 0.9,
    "augmentation": {"crop_padding": 2, "mixup": 0.4, "cutmix": 1.0, "random_erasing": 0.3},
}


def weights(path: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(path).tensors)


def test_resuming_in_a_new_process_is_exact(tmp_path: Path) -> None:
    every: list[dict[str, object]] = [{}, HARD]
    for number, changes in enumerate(every):
        whole = training(tmp_path / f"straight{number}", **changes)
        while not whole.done:
            whole.run_epoch()
        first = training(tmp_path / f"broken{number}", **changes)
        for _ in range(2):
            first.run_epoch()
    jobs = [(str(tmp_path / f"broken{number}"), changes) for number, changes in enumerate(every)]
    subprocess.run([sys.executable, "-c", RESUME], input=json.dumps(jobs), text=True, check=True)
    for number in range(len(every)):
        _assert_equal(tmp_path / f"straight{number}", tmp_path / f"broken{number}")


OLD = Path(__file__).parent / "old" / "checkpoint_1.safetensors"
"""Of the first release that kept averages: one epoch of `training` with `OLD_CHANGES`."""
OLD_CHANGES = {
    "ema_decay": 0.9,
    "drop_path": 0.3,
    "augmentation": {"crop_padding": 2, "mixup": 0.4},
}


def histories(history: Iterable[Any]) -> list[dict[str, Any]]:
    """Without what that release did not note."""
    later = {"skipped_steps", "peak_memory_bytes", "fused_mixers"}
    plain = (e if isinstance(e, dict) else e.to_dict() for e in history)
    return [{n: v for n, v in epoch.items() if n not in later} for epoch in plain]


def test_a_checkpoint_of_an_earlier_release_is_taken_up(tmp_path: Path) -> None:
    path = Path(shutil.copy(OLD, tmp_path / "c"))
    found, old = training(path, **OLD_CHANGES), load_checkpoint(OLD)
    assert histories(found.history) == old.state["history"]
    for part, network in (("model", found.evaluated), ("trained", found.model)):
        kept, state = old.part(part), network.state_dict()
        assert kept.keys() == state.keys()
        assert all(torch.equal(kept[name], state[name]) for name in kept)
    moments = old.part("optimiser")
    for name, parameter in found.model.named_parameters():
        for slot, value in found.optimiser.state[parameter].items():
            assert torch.equal(value, moments[f"{slot}.{name}"])
    found.save(tmp_path / "again")
    again = load_checkpoint(tmp_path / "again").state
    assert histories(again["history"]) == old.state["history"]
    assert {n: v for n, v in again.items() if n != "history"} == {
        n: v for n, v in old.state.items() if n != "history"
    }
    assert found.run_epoch().epoch == 2


def test_what_is_trained_and_what_is_evaluated_are_kept_apart(tmp_path: Path) -> None:
    """Batch norm's statistics among them; neither is put in the place of the other."""
    first = training(tmp_path / "c", ema_decay=0.9)
    first.run_epoch()
    again = training(tmp_path / "c", ema_decay=0.9)
    for one, other in ((first.model, again.model), (first.evaluated, again.evaluated)):
        expected, found = one.state_dict(), other.state_dict()
        assert any("running_mean" in name for name in found)
        assert all(torch.equal(expected[name], found[name]) for name in expected)
    trained, evaluated = again.model.state_dict(), again.evaluated.state_dict()
    floats = [name for name, value in trained.items() if value.is_floating_point()]
    assert not any(torch.equal(trained[name], evaluated[name]) for name in floats)


def _assert_equal(straight: Path, broken: Path) -> None:
    expected, found = weights(straight), weights(broken)
    assert expected.keys() == found.keys()
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    histories = [load_checkpoint(path).state["history"] for path in (straight, broken)]
    timed = {"seconds", "images_per_second", "peak_memory_bytes"}
    for one, other in zip(*histories, strict=True):
        assert {n: v for n, v in one.items() if n not in timed} == {
            n: v for n, v in other.items() if n not in timed
        }


ATTENTION = {"locality": "global", "sharing": "channel", "dynamics": "attention", "heads": 2}
INHOMOGENEOUS = {"sharing": "channel", "dynamics": "inhomogeneous", "heads": 2}


@pytest.mark.parametrize(
    ("block_type", "mixer"),
    [
        ("conv", {"dynamics": "homogeneous"}),
        ("conv", INHOMOGENEOUS),
        ("prenorm", ATTENTION | {"kernel_size": None}),
    ],
)
def test_other_mixers_resume_exactly_too(
    block_type: str, mixer: dict[str, object], tmp_path: Path
) -> None:
    protocol = short_protocol(epochs=2, drop_path=0.2)
    data = small_data(protocol, limit_train=64)
    chosen = architecture(block_type=block_type, **mixer)

    def start(name: str) -> Training:
        return Training(chosen, protocol, data, seeds=SEEDS, checkpoint_path=tmp_path / name)

    straight = start("straight")
    straight.run_epoch()
    straight.run_epoch()
    start("broken").run_epoch()
    start("broken").run_epoch()
    _assert_equal(tmp_path / "straight", tmp_path / "broken")


def test_it_learns() -> None:
    protocol = short_protocol(epochs=4, batch_size=32)
    data = small_data(protocol, limit_train=1600, limit_validation=300)
    found = Training(architecture(), protocol, data, seeds=SEEDS)
    results = [found.run_epoch() for _ in range(4)]
    assert results[-1].validation_accuracy > 0.4
    assert results[-1].train_loss < results[0].train_loss
    assert [result.epoch for result in results] == [1, 2, 3, 4]
    assert all(result.seconds > 0 and result.images_per_second > 0 for result in results)


def test_an_epoch_takes_its_training_and_its_validation_and_images_are_counted_by_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0

    def taking(seconds: float, result: object) -> Callable[[int], object]:
        def work(epoch: int) -> object:
            nonlocal now
            now += seconds
            return result

        return work

    found = training()
    found._last_rate = 0.1
    monkeypatch.setattr("trainers.training.time.perf_counter", lambda: now)
    monkeypatch.setattr(found, "_train", taking(2.0, (1.5, 0)))
    monkeypatch.setattr(found, "_validate", taking(3.0, (1.0, 0.5)))
    result = found.run_epoch()
    assert result.seconds == 5.0
    assert result.images_per_second == found.data.train_images_per_epoch / 2.0


def test_seeds_decide_the_weights() -> None:
    protocol = short_protocol()
    data = small_data(protocol)

    def first_weights(seeds: Seeds) -> torch.Tensor:
        found = Training(architecture(), protocol, data, seeds=seeds)
        found.run_epoch()
        return nn.utils.parameters_to_vector(found.model.parameters())

    assert torch.equal(first_weights(Seeds(1, 2)), first_weights(Seeds(1, 2)))
    assert not torch.equal(first_weights(Seeds(1, 2)), first_weights(Seeds(1, 3)))
    assert not torch.equal(first_weights(Seeds(1, 2)), first_weights(Seeds(2, 2)))


def test_the_rate_warms_up_and_falls_and_never_jumps_on_resume(tmp_path: Path) -> None:
    found = training(tmp_path / "c")
    rates = [found.run_epoch().learning_rate for _ in range(2)]
    found = training(tmp_path / "c")
    rates += [found.run_epoch().learning_rate for _ in range(2)]
    assert rates[1] > rates[0]
    assert rates[1] > rates[2] > rates[3] > 0


def test_one_dimensional_parameters_do_not_decay() -> None:
    for group in training().optimiser.param_groups:
        decays = {parameter.dim() > 1 for parameter in group["params"]}
        assert decays == {group["weight_decay"] > 0}


@pytest.mark.parametrize(("limit", "batch"), [(65, 64), (2, 64), (3, 2)])
def test_small_and_incomplete_batches_do_not_break_batch_norm(limit: int, batch: int) -> None:
    protocol = short_protocol(epochs=1, batch_size=batch)
    data = small_data(protocol, limit_train=limit, limit_validation=1)
    chosen = architecture(dynamics="homogeneous")
    Training(chosen, protocol, data, seeds=SEEDS).run_epoch()


class Exploding(nn.Module):
    """Breaks at the given training step: its output becomes nan there."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.linear = nn.Linear(784, 10)
        self.left = step

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        return self.linear(images.flatten(1)) * (float("nan") if self.left == 0 else 1.0)


def exploding(step: int, **limits: int) -> Training:
    def build(architecture: Architecture, drop_path_rate: float) -> nn.Module:
        return Exploding(step)

    protocol = short_protocol(max_nonfinite_steps=0)
    data = small_data(protocol, **limits)
    return Training(architecture(), protocol, data, seeds=SEEDS, build=build)


def test_a_loss_that_is_nan_is_named_with_its_epoch_and_step() -> None:
    found = exploding(step=3 + 1 + 2)  # three steps and one validation batch make an epoch
    found.run_epoch()
    with pytest.raises(NonFiniteLoss, match="train loss is nan in epoch 2, step 2"):
        found.run_epoch()
    with pytest.raises(NonFiniteLoss, match="validation loss is nan after epoch 1"):
        exploding(step=4).run_epoch()


def test_a_finished_training_stays_finished(tmp_path: Path) -> None:
    found = training(tmp_path / "c", epochs=1)
    found.run_epoch()
    for finished in (found, training(tmp_path / "c", epochs=1)):
        assert finished.done
        with pytest.raises(RuntimeError, match="all 1 epochs"):
            finished.run_epoch()


def test_checkpoints_of_something_else_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "c"
    training(path).run_epoch()
    with pytest.raises(InputError, match="written for protocol"):
        training(path, epochs=9)
    protocol = short_protocol()
    data = small_data(protocol)
    for chosen, seeds in ((architecture(kernel_size=5), SEEDS), (architecture(), Seeds(9, 9))):
        with pytest.raises(InputError, match=r"written for (architecture|seeds)"):
            Training(chosen, protocol, data, seeds=seeds, checkpoint_path=path)


def test_data_of_another_shape_are_refused() -> None:
    protocol = short_protocol()
    with pytest.raises(InputError) as error:
        Training(
            architecture(channels=3, size=32, classes=7),
            protocol,
            small_data(protocol),
            seeds=SEEDS,
        )
    assert len(error.value.problems) == 4


def test_data_opened_under_another_protocol_are_refused() -> None:
    with pytest.raises(InputError, match=r"^protocol: is not the one that the data"):
        Training(
            architecture(), short_protocol(epochs=3), small_data(short_protocol()), seeds=SEEDS
        )


@pytest.mark.gpu
def test_mixed_precision_on_a_gpu(tmp_path: Path) -> None:
    protocol = short_protocol(epochs=2)
    data = small_data(protocol)
    for _ in range(2):
        found = Training(
            architecture(),
            protocol,
            data,
            seeds=SEEDS,
            device="cuda",
            checkpoint_path=tmp_path / "c",
        )
        found.run_epoch()
    assert found.done


@pytest.mark.parametrize(("choice", "fused"), [("auto", 2), ("plain", 0)])
def test_an_epoch_says_how_many_mixers_were_fused(choice: Choice, fused: int) -> None:
    if compiler() is None:
        pytest.skip("no C++ compiler here")
    protocol = short_protocol()
    with operators(choice):
        made = Training(architecture(**INHOMOGENEOUS), protocol, small_data(protocol), seeds=SEEDS)
        assert made.run_epoch().fused_mixers == fused
