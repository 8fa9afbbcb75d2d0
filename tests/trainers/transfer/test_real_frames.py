"""Short trainings on rendered frames: a backbone that is trained beats chance and a frozen one.

Frames of Freedoom's levels, which vizdoom renders where the test runs; none is kept.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from space import Architecture, mixer_type_named
from tests.space.test_every_mixer_type_trains import mixer_fields
from tests.support.rendered_scenes import CLASSES, STUFF, render_scenes
from tests.support.scene_folders import Scene, Thing, write_ade20k, write_coco
from trainers.transfer.data import open_data
from trainers.transfer.recipe import read_recipe
from trainers.transfer.source import BackboneSource
from trainers.transfer.transferring import Transfer, run_transfer

pytestmark = pytest.mark.slow
TRAIN, VALIDATION = 720, 120
THING = "thing"
CHANGES = {"shortest": [120], "longest": 200, "validation_shortest": 120, "flip": 0.5}
DETECTION: dict[str, Any] = {
    "task": "detection",
    "iterations": 1200,
    "milestones": [950],
    "batch_size": 4,
    "learning_rate": 2e-3,
    "weight_init": "lecun",
    "warmup_steps": 50,
    "clip_norm": 5.0,
    "pyramid_channels": 32,
    "anchor_scale": 4.0,
    "box_head_width": 96,
    "mask_channels": 32,
    "rpn_train": [100, 50],
    "rpn_test": [200, 60],
    "rois_per_image": 32,
    "changes": CHANGES,
}
SEGMENTATION: dict[str, Any] = {
    "task": "segmentation",
    "epochs": 10,
    "batch_size": 8,
    "learning_rate": 4e-3,
    "weight_init": "lecun",
    "schedule": "poly",
    "warmup_steps": 20,
    "clip_norm": 5.0,
    "decoder_channels": 32,
    "auxiliary_channels": 16,
    "changes": {
        "crop": 96,
        "shortest": 120,
        "longest": 200,
        "scale": [0.8, 1.25],
        "distort_colours": False,
    },
}


def backbone() -> BackboneSource:
    """Depth-wise convolutions in the paper's block, four stages."""
    mixer = {**mixer_fields(mixer_type_named("dw-s conv.")), "kernel_size": 5}
    widths = (16, 32, 64, 96)
    return BackboneSource.random(
        Architecture.from_dict(
            {
                "input": {"channels": 3, "height": 64, "width": 64},
                "stem": {"patch_size": 4},
                "block_type": "conv",
                "stages": [
                    {"depth": 1, "width": width, "mlp_ratio": 2, "mixers": [mixer]}
                    for width in widths
                ],
                "head": {"classes": 10},
            }
        )
    )


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    found = render_scenes(tmp_path_factory.mktemp("engine"), TRAIN + VALIDATION, seed=0)
    return found[:TRAIN], found[TRAIN:]


Trained = Callable[..., dict[str, float]]


@pytest.fixture
def trained(tmp_path: Path) -> Trained:
    def train(data: Any, recipe: dict[str, Any], *, frozen: bool) -> dict[str, float]:
        wanted = Transfer(backbone(), read_recipe(recipe), data, 0, frozen)
        figures: dict[str, float] = run_transfer(wanted, tmp_path / f"{frozen}")["metrics"]
        print({"frozen": frozen, **{k: round(v, 4) for k, v in figures.items()}})
        return figures

    return train


def things_of_some_size(scenes: list[Scene]) -> list[Scene]:
    """All things as one class; those below 16 × 16 pixels, most of them, are ignored."""
    found = [
        replace(
            scene,
            things=tuple(replace(each, name=THING, crowd=is_small(each)) for each in scene.things),
        )
        for scene in scenes
    ]
    return [scene for scene in found if not all(each.crowd for each in scene.things)]


def is_small(thing: Thing) -> bool:
    _, _, width, height = thing.box
    return bool(width * height < 16**2)


@pytest.mark.timeout(3600)
def test_detection(scenes: Any, trained: Trained, tmp_path: Path) -> None:
    parts = [things_of_some_size(part) for part in scenes]
    folder = write_coco(tmp_path / "coco", parts[0], parts[1], (THING,))
    data = open_data({"folder": str(folder)}, "detection")
    whole, frozen = (trained(data, DETECTION, frozen=each) for each in (False, True))
    # Boxes at random hit next to nothing.
    assert whole["box_ap50"] > max(0.06, 2 * frozen["box_ap50"])
    assert whole["mask_ap50"] > frozen["mask_ap50"]


@pytest.mark.timeout(3600)
def test_segmentation(scenes: Any, trained: Trained, tmp_path: Path) -> None:
    names = (*STUFF, *CLASSES)
    folder = write_ade20k(tmp_path / "ade", *scenes, names)
    data = open_data({"folder": str(folder)}, "segmentation")
    whole, frozen = (trained(data, SEGMENTATION, frozen=each) for each in (False, True))
    chance = commonest_class_alone(folder / "annotations" / "validation", len(names))
    assert whole["mean_iou"] > max(3 * chance, frozen["mean_iou"] + 0.05)


def commonest_class_alone(masks: Path, classes: int) -> float:
    """Mean IoU of who calls every pixel by the commonest class; 0 in masks is of none."""
    pixels = np.zeros(classes + 1)
    for path in masks.glob("*.png"):
        pixels += np.bincount(np.asarray(Image.open(path)).ravel(), minlength=classes + 1)
    shares = pixels[1:] / pixels[1:].sum()
    return float(shares.max() / (shares > 0).sum())
