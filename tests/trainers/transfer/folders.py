"""Small folders of drawn scenes, and what is said where one is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from space.errors import InputError
from tests.support.drawn_scenes import CLASSES, GROUND, draw_scenes
from tests.support.scene_folders import write_ade20k, write_coco
from trainers.transfer.data import Task, open_data
from trainers.transfer.data.transfer_data import DetectionData

TRAIN, VALIDATION = draw_scenes(6, 0), draw_scenes(4, 1)
ADE_CLASSES = (GROUND, *CLASSES)


def coco(folder: Path) -> Path:
    """COCO's shape: six pictures to train on, four to validate on."""
    return write_coco(folder, TRAIN, VALIDATION, CLASSES)


def ade20k(folder: Path) -> Path:
    """ADE20K's shape, of the same pictures."""
    return write_ade20k(folder, TRAIN, VALIDATION, ADE_CLASSES)


def instances(folder: Path, part: str = "train2017") -> Path:
    return folder / "annotations" / f"instances_{part}.json"


def change(path: Path, edit: Callable[[Any], object]) -> None:
    """Change what a file of JSON holds."""
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def refusal(folder: Path, task: Task, **fields: Any) -> str:
    """What is said when the data are opened."""
    with pytest.raises(InputError) as refused:
        open_data({"folder": folder, **fields}, task)
    return str(refused.value).replace(str(folder), "DATA")


def roboflow(folder: Path, from_coco: Path) -> Path:
    """train/ and valid/ that hold pictures and annotations side by side."""
    for name, part in (("train", "train2017"), ("valid", "val2017")):
        shutil.copytree(from_coco / part, folder / name)
        shutil.copy(instances(from_coco, part), folder / name / "_annotations.coco.json")
    return folder


def opened(folder: Path, **fields: Any) -> DetectionData:
    """A folder to detect on."""
    return open_data({"folder": folder, **fields}, "detection")


def first(name: str) -> Callable[[Any], dict[str, Any]]:
    """Of a content in COCO's format the first annotation, picture or category."""
    return lambda content: content[name][0]
