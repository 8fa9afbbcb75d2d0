"""The recipes that come with the program: the paper's to the letter, and what is made of it."""

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from space.networks import build
from space.torchvision_support import prepare_torchvision
from space.zoo import entry
from tests.trainers.tiny import SEEDS, architecture, image_folder
from trainers import Protocol, Training, open_data
from trainers.data.augmentation import BatchMixer, train_transform
from trainers.data.augmentation import test_transform as evaluation_transform
from trainers.optimisation import CosineSchedule, make_optimiser

ROOT = Path(__file__).parents[2]
SHIPPED = sorted((ROOT / "configs" / "protocols").glob("imagenet*.yaml"))
OF_FOLDERS = {"data": "image-folder"}
PAPER = Protocol.paper_imagenet()
STEPS = 1_281_167 // 1024
"""Of an epoch over the whole training set; a study holds some of it out."""


def shipped(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load(path.read_text())
    return values


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_protocol_is_one(path: Path) -> None:
    found = Protocol.from_dict(OF_FOLDERS | shipped(path))
    assert found.hash != PAPER.hash
    assert not {"data", "content_hash", "split_hash", "validation_fraction"} & set(shipped(path))


def test_the_files_of_the_papers_recipe_are_the_papers_recipe() -> None:
    """The protocol alone, and the one of the configuration of a search."""
    split = {"validation_fraction": PAPER.validation_fraction}
    alone = shipped(ROOT / "configs" / "protocols" / "imagenet.yaml")
    of_search = shipped(ROOT / "configs" / "imagenet.yaml")["protocol"]
    assert Protocol.from_dict(OF_FOLDERS | split | alone) == PAPER
    assert Protocol.from_dict(OF_FOLDERS | of_search) == PAPER


def test_its_figures_are_the_papers() -> None:
    assert (PAPER.label_smoothing, PAPER.drop_path, PAPER.ema_decay) == (0.1, 0.2, None)
    chosen = PAPER.augmentation
    assert (chosen.flip, chosen.interpolation, chosen.repeats) == (0.5, "bicubic", 1)
    assert (PAPER.accumulation, PAPER.layer_decay, PAPER.initialisation) == (1, None, "scratch")


@pytest.mark.parametrize(
    ("epoch", "rate"),
    [
        (0, 5e-7),
        (10, (5e-7 + 1e-3) / 2),
        (20, 5e-6 + (1e-3 - 5e-6) * (1 + math.cos(math.pi * 20 / 300)) / 2),
        (150, (1e-3 + 5e-6) / 2),
        (300, 5e-6),
    ],
)
def test_its_rate_is_a_cosine_by_step_behind_a_warm_up(epoch: int, rate: float) -> None:
    schedule = CosineSchedule(make_optimiser(torch.nn.Linear(1, 1), PAPER), PAPER, STEPS)
    assert schedule.rate(epoch * STEPS) == pytest.approx(rate, rel=1e-4)
    if 0 < epoch < 300:  # by step, and not by epoch
        assert schedule.rate(epoch * STEPS) != schedule.rate(epoch * STEPS + 1)


@pytest.mark.parametrize("name", ["dwnet_tiny", "swin_tiny"])
def test_its_decay_leaves_out_vectors_biases_and_tables_of_positions(name: str) -> None:
    with torch.device("meta"):
        model = build(entry(name).architecture)
    optimiser = make_optimiser(model, PAPER)
    assert optimiser.defaults["betas"] == (0.9, 0.999)
    decays = {
        id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]
    }
    for parameter_name, parameter in model.named_parameters():
        spared = parameter.ndim == 1 or parameter_name.endswith(("bias", "position_bias"))
        assert decays[id(parameter)] == (0.0 if spared else 0.05), parameter_name
    assert any("position_bias" in n for n, _ in model.named_parameters()) == (name == "swin_tiny")


def test_its_images_are_changed_as_timm_changes_them() -> None:
    prepare_torchvision()
    from timm.data import create_transform

    theirs = create_transform(
        224,
        is_training=True,
        color_jitter=0.4,
        auto_augment="rand-m9-mstd0.5-inc1",
        interpolation="bicubic",
    )
    ours: Any = train_transform(PAPER.augmentation)
    assert str(ours) == str(theirs)
    assert "RandAugment" in str(ours)
    tested: Any = evaluation_transform(PAPER.augmentation)
    inner = tested.__closure__[0].cell_contents
    assert "Resize(size=256, interpolation=bicubic" in str(inner)
    assert "CenterCrop(size=(224, 224))" in str(inner)


def test_its_batches_are_erased_and_mixed_as_a_whole() -> None:
    mixer = BatchMixer(PAPER, 1000, "cpu")
    assert mixer._erase is not None
    assert (mixer._erase.probability, mixer._erase.per_pixel) == (0.25, True)
    mix: Any = mixer._mix
    assert (mix.mixup_alpha, mix.cutmix_alpha, mix.switch_prob) == (0.8, 1.0, 0.5)
    assert (mix.mix_prob, mix.mode, mix.label_smoothing) == (1.0, "batch", 0.1)


def test_it_trains_two_steps_on_a_tiny_folder_with_every_augmentation_on(tmp_path: Path) -> None:
    """The layout of ImageNet; only the length and the batch are other than the paper's."""
    folder = image_folder(tmp_path, train=4, val=1)
    protocol = Protocol.paper_imagenet(
        epochs=1, warmup_epochs=0.5, batch_size=4, validation_fraction=0.3
    )
    data = open_data({"name": "image-folder", "folder": str(folder)}, protocol)
    assert data.steps_per_epoch == 2
    chosen = architecture(channels=3, size=224, classes=3)
    found = Training(chosen, protocol, data, seeds=SEEDS)
    result = found.run_epoch()
    assert math.isfinite(result.train_loss + result.validation_loss)
    assert result.skipped_steps == 0
