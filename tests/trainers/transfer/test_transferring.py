"""Transfers from beginning to end, on drawn shapes: broken off, gone on with, written down."""

import copy
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file

from space import InputError, cost
from tests.support.drawn_scenes import CLASSES, GROUND
from tests.trainers.tiny import architecture
from tests.trainers.transfer.small import ade20k_folder, coco_folder, recipe, source
from trainers.checkpoint import load_checkpoint
from trainers.outcome import NonFiniteLoss
from trainers.seeds import seeded
from trainers.transfer import training as training_module
from trainers.transfer.data import open_data
from trainers.transfer.model import make_model, parts_of
from trainers.transfer.recipe import read_recipe
from trainers.transfer.result import load_transferred
from trainers.transfer.source import BackboneSource
from trainers.transfer.training import TransferTraining
from trainers.transfer.transferring import Transfer, TransferFailed, run_transfer

ROOT = Path(__file__).parents[3]
TASKS = ("detection", "segmentation")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    place = tmp_path_factory.mktemp("scenes")
    return {
        "detection": open_data({"folder": str(coco_folder(place / "coco"))}, "detection"),
        "segmentation": open_data({"folder": str(ade20k_folder(place / "ade"))}, "segmentation"),
    }


class BrokenOff(Exception):
    """A process that is killed."""


def breaking_off_at(step: int) -> Any:
    def report(progress: Any, steps: int, loss: float) -> None:
        if progress.step == step:
            raise BrokenOff

    return report


def asked(data: dict[str, Any], task: str, **changes: Any) -> Transfer:
    options = {name: changes.pop(name) for name in ("seed", "frozen") if name in changes}
    return Transfer(source(), recipe(task, **changes), data[task], **options)


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ("detection", {}),
        ("segmentation", {}),
        pytest.param("detection", {"model": "cascade-mask-rcnn"}, marks=pytest.mark.slow),
    ],
)
def test_a_transfer_that_was_broken_off_ends_as_an_unbroken_one(
    data: dict[str, Any], tmp_path: Path, task: str, changes: dict[str, Any]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    wanted = asked(data, task, **changes)
    expected = run_transfer(wanted, whole)
    for step in (2, 4):  # within an epoch, and behind its end
        with pytest.raises(BrokenOff):
            run_transfer(wanted, broken, report=breaking_off_at(step), save_seconds=0)
        kept = load_checkpoint(broken / "checkpoint.safetensors", wanted.identity)
        assert kept.state["progress"]["step"] == step - 1
    said: list[str] = []
    found = run_transfer(wanted, broken, say=said.append)
    assert said[0] == f"going on behind step 3 of {expected['steps']}"
    for name in ("seconds", "environment"):
        del found[name], expected[name]
    assert found == expected
    weights = [load_file(place / "model.safetensors") for place in (whole, broken)]
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    assert sorted(path.name for path in broken.iterdir()) == ["model.safetensors", "result.json"]


@pytest.mark.parametrize("task", TASKS)
def test_the_result_says_what_it_is_of(data: dict[str, Any], tmp_path: Path, task: str) -> None:
    wanted = asked(data, task, seed=3, frozen=True)
    found = run_transfer(wanted, tmp_path / "made")
    assert json.loads((tmp_path / "made" / "result.json").read_text()) == found
    assert found["identity"] == wanted.identity
    assert (found["task"], found["seed"], found["skipped_steps"]) == (task, 3, 0)
    assert (found["train_images"], found["validation_images"]) == (12, 4)
    assert found["classes"] == list(CLASSES if task == "detection" else (*CLASSES, GROUND))
    main = "box_ap" if task == "detection" else "mean_iou"
    assert 0 <= found["metrics"][main] <= 1
    assert found["params"] - found["trained_params"] == backbone_params()
    assert found["backbone"]["params"] == cost(architecture(channels=3, size=32)).params
    assert [entry["epoch"] for entry in found["history"]] == [1, 2]
    assert all(math.isfinite(entry["train_loss"]) for entry in found["history"])


def backbone_params() -> int:
    """Of the small network without its head: its layer norm and its classifier of 10."""
    return cost(architecture(channels=3, size=32)).params - (2 * 16 + 16 * 10 + 10)


def test_the_same_again_is_done_and_another_is_refused(
    data: dict[str, Any], tmp_path: Path
) -> None:
    first = run_transfer(asked(data, "segmentation"), tmp_path)
    files = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert run_transfer(asked(data, "segmentation"), tmp_path) == first
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    for changes in ({"seed": 1}, {"frozen": True}, {"iterations": 6}):
        with pytest.raises(InputError, match="holds the result for"):
            run_transfer(asked(data, "segmentation", **changes), tmp_path)
    (tmp_path / "result.json").write_text("{}")
    with pytest.raises(InputError, match="no result of a transfer"):
        run_transfer(asked(data, "segmentation"), tmp_path)


def test_a_checkpoint_of_another_transfer_is_refused(data: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BrokenOff):
        run_transfer(
            asked(data, "segmentation"), tmp_path, report=breaking_off_at(2), save_seconds=0
        )
    with pytest.raises(InputError, match="was written for seed 0, not 1"):
        run_transfer(asked(data, "segmentation", seed=1), tmp_path)


@pytest.mark.parametrize("task", TASKS)
def test_what_was_written_is_read_again(data: dict[str, Any], tmp_path: Path, task: str) -> None:
    wanted = asked(data, task)
    run_transfer(wanted, tmp_path)
    network = load_transferred(tmp_path)
    trained = TransferTraining(network, wanted.recipe, data[task], seed=0)
    told = json.loads((tmp_path / "result.json").read_text())["metrics"]
    assert trained.evaluate() == pytest.approx(told)
    (tmp_path / "model.safetensors").write_bytes(b"PK\x03\x04")
    with pytest.raises(InputError, match="pickle"):
        load_transferred(tmp_path)


def test_seeds_decide_all_that_is_random(data: dict[str, Any], tmp_path: Path) -> None:
    losses = []
    for number, seed in enumerate((0, 0, 1)):
        torch.manual_seed(number)  # of the surroundings, which decide nothing
        found = run_transfer(asked(data, "segmentation", seed=seed), tmp_path / str(number))
        losses.append([entry["train_loss"] for entry in found["history"]])
    assert losses[0] == losses[1] != losses[2]


def training(data: dict[str, Any], task: str, **changes: Any) -> TransferTraining:
    wanted = recipe(task, **changes)
    with seeded(0):
        model = make_model(source(), wanted, 4, masks=True)
    return TransferTraining(model, wanted, data[task], seed=0)


@pytest.fixture
def broken_losses(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Steps, from 0, whose loss is nan."""
    steps: set[int] = set()
    made = iter(range(1000))
    real = training_module.losses_of

    def losses(model: Any, batch: Any) -> Any:
        found = real(model, batch)
        return {k: v * math.nan for k, v in found.items()} if next(made) in steps else found

    monkeypatch.setattr(training_module, "losses_of", losses)
    return steps


def test_a_step_that_is_not_finite_changes_nothing_and_is_counted(
    data: dict[str, Any], broken_losses: set[int]
) -> None:
    broken_losses.add(2)
    found = training(data, "segmentation", max_nonfinite_steps=1)
    states: list[dict[str, Any]] = []
    found.run(lambda progress, steps, loss: states.append(copy.deepcopy(found.model.state_dict())))
    assert found.progress.skipped == 1
    floats = [name for name, value in states[1].items() if value.is_floating_point()]
    assert all(torch.equal(states[1][name], states[2][name]) for name in floats)
    assert not all(torch.equal(states[2][name], states[3][name]) for name in floats)


def test_too_many_of_them_are_a_failure_that_names_the_step(
    data: dict[str, Any], broken_losses: set[int]
) -> None:
    broken_losses.update({1, 3})
    found = training(data, "segmentation", max_nonfinite_steps=1)
    with pytest.raises(NonFiniteLoss, match=r"train loss is nan in step 4, the 2\. such step"):
        found.run()


def test_parts_of_a_batch_have_their_mean_gradient(data: dict[str, Any]) -> None:
    """Without batch norms, drop path and dropout, which go by parts."""
    plain = {"drop_path": 0.0, "accumulation": 2, "clip_norm": 1.0}
    whole, parts = (training(data, "detection", **plain) for _ in range(2))
    batch = next(iter(parts._batches()))
    cut = parts_of(batch, 2)
    assert [len(images) for images, _ in cut] == [2, 2]
    with seeded(5):
        loss = parts._backward(batch)
    with seeded(5):  # the same draws, one part after the other
        total = sum(
            sum(training_module.losses_of(whole.model.train(), part).values()) for part in cut
        )
    (total / 2).backward()
    torch.testing.assert_close(loss, (total / 2).detach())
    for one, other in zip(whole.model.parameters(), parts.model.parameters(), strict=True):
        if one.grad is not None:
            torch.testing.assert_close(other.grad, one.grad)
    norm = float(parts._clipped_norm())
    clipped = [p.grad.norm() for p in parts.model.parameters() if p.grad is not None]
    assert float(torch.stack(clipped).norm()) == pytest.approx(min(1.0, norm), rel=1e-3)


def test_decay_leaves_out_vectors_biases_and_what_the_backbone_names(data: dict[str, Any]) -> None:
    window = {"locality": "window", "sharing": "channel", "dynamics": "attention", "heads": 2}
    tables = architecture(channels=3, size=32, **window, position_bias=True)
    model = make_model(BackboneSource.random(tables), recipe("detection"), 3)
    found = TransferTraining(model, recipe("detection"), data["detection"], seed=0)
    decays = {
        id(p): group["weight_decay"]
        for group in found.state.optimiser.param_groups
        for p in group["params"]
    }
    named = list(model.named_parameters())
    assert any(name.endswith("position_bias") for name, _ in named)
    for name, parameter in named:
        spared = parameter.ndim == 1 or name.endswith(("bias", "position_bias"))
        assert decays[id(parameter)] == (0.0 if spared else 0.05), name


def test_half_precision_leaves_boxes_and_losses_whole(data: dict[str, Any]) -> None:
    found = training(data, "detection", precision="bfloat16", model="cascade-mask-rcnn")
    batch = next(iter(found._batches()))
    found.model.train()
    with found._precision():
        losses = training_module.losses_of(found.model, batch)
    assert {value.dtype for value in losses.values()} == {torch.float32}
    with torch.no_grad(), found._precision():
        (first, *_) = found.model.eval()(batch[0])
    assert {first[name].dtype for name in ("boxes", "scores", "masks")} == {torch.float32}


def test_boxes_alone_train_without_masks(tmp_path: Path) -> None:
    place = coco_folder(tmp_path / "coco", 4, 2)
    for path in (place / "annotations").glob("*.json"):
        content = json.loads(path.read_text())
        for each in content["annotations"]:
            del each["segmentation"]
        path.write_text(json.dumps(content))
    boxes = open_data({"folder": str(place)}, "detection")
    for model in ("mask-rcnn", "cascade-mask-rcnn"):
        wanted = Transfer(source(), recipe("detection", epochs=1, model=model), boxes)
        found = run_transfer(wanted, tmp_path / model)
        assert not found["masks"]
        assert "mask_ap" not in found["metrics"]
        load_transferred(tmp_path / model)


def test_too_few_pictures_for_a_step_are_refused(tmp_path: Path) -> None:
    few = open_data(
        {"folder": str(ade20k_folder(tmp_path / "ade")), "limit_train": 2}, "segmentation"
    )
    two_parts = recipe("segmentation", accumulation=2)
    with pytest.raises(InputError, match="2 training pictures are too few"):
        run_transfer(Transfer(source(), two_parts, few), tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_a_folder_that_cannot_be_written_is_a_failure_in_words(
    data: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training_module, "save_checkpoint", full)
    with pytest.raises(TransferFailed, match="cannot be written: No space left on device"):
        run_transfer(asked(data, "segmentation"), tmp_path / "made")


KILLED = """
import sys
from pathlib import Path
from tests.trainers.transfer.small import recipe, source
from trainers.transfer.data import open_data
from trainers.transfer.transferring import Transfer, run_transfer
data = open_data({"folder": sys.argv[1]}, "segmentation")
asked = Transfer(source(), recipe("segmentation", iterations=60), data)
run_transfer(asked, Path(sys.argv[2]), save_seconds=0)
"""


@pytest.mark.slow
def test_a_process_that_was_killed_is_gone_on_behind_and_ends_the_same(tmp_path: Path) -> None:
    place, killed = ade20k_folder(tmp_path / "ade"), tmp_path / "killed"
    wanted = Transfer(
        source(),
        recipe("segmentation", iterations=60),
        open_data({"folder": str(place)}, "segmentation"),
    )
    command = [sys.executable, "-c", KILLED, str(place), str(killed)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        while not (killed / "checkpoint.safetensors").exists():
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    said: list[str] = []
    found = run_transfer(wanted, killed, say=said.append)
    assert said[0].startswith("going on behind step ")
    expected = run_transfer(wanted, tmp_path / "whole")
    assert found["metrics"] == expected["metrics"]
    weights = [load_file(at / "model.safetensors") for at in (killed, tmp_path / "whole")]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    assert sorted(path.name for path in killed.iterdir()) == ["model.safetensors", "result.json"]


NARROW: dict[str, dict[str, Any]] = {
    "coco-cascade-mask-rcnn": {
        "pyramid_channels": 8,
        "box_head_width": 16,
        "mask_channels": 8,
        "rpn_train": [200, 50],
        "rpn_test": [50, 20],
        "rois_per_image": 32,
    },
    "ade20k-upernet": {"decoder_channels": 8, "auxiliary_channels": 8},
}
"""The paper's recipes with all that is done to pictures, and models of a few channels."""


@pytest.mark.slow
@pytest.mark.parametrize("name", NARROW)
def test_the_papers_recipe_trains_two_steps_on_a_small_folder(
    data: dict[str, Any], tmp_path: Path, name: str
) -> None:
    shipped = yaml.safe_load((ROOT / "configs" / "transfer" / f"{name}.yaml").read_text())
    short = {"epochs": None, "iterations": 2, "milestones": [], "batch_size": 2}
    wanted = read_recipe(shipped | short | NARROW[name])
    found = run_transfer(Transfer(source(), wanted, data[wanted.task]), tmp_path)
    assert (found["steps"], found["skipped_steps"]) == (2, 0)
    assert math.isfinite(found["history"][-1]["train_loss"])
