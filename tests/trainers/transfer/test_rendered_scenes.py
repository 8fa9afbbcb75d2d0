"""Frames that vizdoom renders, as folders of both shapes."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.support.rendered_scenes import CLASSES, STUFF, render_scenes
from tests.support.scene_folders import Scene, write_ade20k, write_coco
from trainers.transfer.data import DetectionChanges, open_data


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> list[Scene]:
    return render_scenes(tmp_path_factory.mktemp("vizdoom"), 24, seed=3)


def test_frames_show_things_of_every_class(scenes: list[Scene]) -> None:
    assert len(scenes) == 24
    shown = Counter(thing.name for scene in scenes for thing in scene.things)
    assert set(shown) == set(CLASSES)
    for scene in scenes:
        assert scene.picture.shape == (120, 160, 3)
        covered = sum(mask.astype(int) for mask in scene.stuff.values())
        covered = covered + sum(thing.mask.astype(int) for thing in scene.things)
        assert covered.max() == 1, "each pixel is of one thing, or of what is behind"
        assert covered.mean() > 0.9
    assert len({scene.picture.tobytes() for scene in scenes}) == 24


def test_frames_are_the_same_for_a_seed(scenes: list[Scene], tmp_path: Path) -> None:
    again = render_scenes(tmp_path / "again", 24, seed=3)
    for one, other in zip(scenes, again, strict=True):
        assert np.array_equal(one.picture, other.picture)
        assert len(one.things) == len(other.things)
    other = render_scenes(tmp_path / "other", 3, seed=4)
    assert not np.array_equal(other[0].picture, scenes[0].picture)


def test_they_are_data_of_both_tasks(scenes: list[Scene], tmp_path: Path) -> None:
    train, validation = scenes[:16], scenes[16:]
    boxed = open_data(
        {"folder": write_coco(tmp_path / "coco", train, validation, CLASSES)}, "detection"
    )
    assert (boxed.classes, boxed.train_images, boxed.validation_images) == (CLASSES, 16, 8)
    changes = DetectionChanges(validation_shortest=None)
    targets = [t for _, ts in boxed.validation(changes, batch_size=4) for t in ts]
    assert [len(t["labels"]) for t in targets] == [len(scene.things) for scene in validation]
    names = (*STUFF, *CLASSES)
    folder = write_ade20k(tmp_path / "ade", train, validation, names)
    masked = open_data({"folder": folder}, "segmentation")
    assert (masked.classes, masked.train_images, masked.validation_images) == (names, 16, 8)
