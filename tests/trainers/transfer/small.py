"""Small recipes, folders and networks for the tests of transfers."""

from pathlib import Path
from typing import Any

from tests.support.drawn_scenes import CLASSES, GROUND, draw_scenes
from tests.support.scene_folders import write_ade20k, write_coco
from tests.trainers.tiny import architecture
from trainers.transfer.recipe import Recipe, read_recipe
from trainers.transfer.source import BackboneSource

DETECTION: dict[str, Any] = {
    "task": "detection",
    "epochs": 2,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "drop_path": 0.1,
    "pyramid_channels": 16,
    "box_head_width": 32,
    "mask_channels": 16,
    "anchor_scale": 4.0,
    "rpn_train": [60, 30],
    "rpn_test": [30, 20],
    "rois_per_image": 16,
    "changes": {"shortest": [48, 60], "longest": 100, "validation_shortest": 60},
}
SEGMENTATION: dict[str, Any] = {
    "task": "segmentation",
    "iterations": 5,
    "batch_size": 4,
    "learning_rate": 1e-3,
    "schedule": "poly",
    "drop_path": 0.1,
    "decoder_channels": 16,
    "auxiliary_channels": 8,
    "changes": {"crop": 48, "shortest": 60, "longest": 100},
}


def recipe(task: str, **changes: Any) -> Recipe:
    return read_recipe((DETECTION if task == "detection" else SEGMENTATION) | changes)


def source() -> BackboneSource:
    return BackboneSource.random(architecture(channels=3, size=32))


def coco_folder(place: Path, train: int = 12, validation: int = 4) -> Path:
    return write_coco(place, draw_scenes(train, 0), draw_scenes(validation, 1), CLASSES)


def ade20k_folder(place: Path, train: int = 12, validation: int = 4) -> Path:
    names = (*CLASSES, GROUND)
    return write_ade20k(place, draw_scenes(train, 0), draw_scenes(validation, 1), names)
