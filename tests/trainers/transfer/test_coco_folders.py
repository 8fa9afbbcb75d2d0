"""Folders of COCO's shape, as they are laid out."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from tests.support.drawn_scenes import CLASSES
from tests.support.scene_folders import write_pictures
from tests.trainers.transfer.folders import (
    TRAIN,
    VALIDATION,
    change,
    coco,
    first,
    instances,
    opened,
    roboflow,
)
from trainers.transfer.data import DetectionChanges
from trainers.transfer.data.parts import content_hash
from trainers.transfer.data.transfer_data import DetectionData

AS_IT_IS = DetectionChanges(validation_shortest=None)


def validation_targets(data: DetectionData) -> list[dict[str, Any]]:
    return [target for _, targets in data.validation(AS_IT_IS) for target in targets]


def pixels_of(image: Tensor) -> NDArray[np.uint8]:
    return (image * 255).round().byte().permute(1, 2, 0).numpy()


# What is read


def test_boxes_labels_and_masks_are_those_of_the_scenes(tmp_path: Path) -> None:
    data = opened(coco(tmp_path))
    assert data.classes == CLASSES
    assert data.has_masks
    for scene, target in zip(VALIDATION, validation_targets(data), strict=True):
        assert target["size_before"].tolist() == list(scene.picture.shape[:2])
        assert target["labels"].tolist() == [CLASSES.index(t.name) + 1 for t in scene.things]
        for box, mask, thing in zip(target["boxes"], target["masks"], scene.things, strict=True):
            left, top, across, down = thing.box
            assert box.tolist() == [left, top, left + across, top + down]
            assert np.array_equal(mask.numpy().astype(bool), thing.mask)


def test_pictures_are_those_of_the_files(tmp_path: Path) -> None:
    data = opened(coco(tmp_path))
    images = [image for images, _ in data.validation(AS_IT_IS) for image in images]
    for scene, image in zip(VALIDATION, images, strict=True):
        assert np.array_equal(pixels_of(image), scene.picture)


def test_run_lengths_may_be_compressed(tmp_path: Path) -> None:
    from pycocotools import mask as masks

    folder = coco(tmp_path)
    before = validation_targets(opened(folder))

    def compress(content: Any) -> None:
        for each in content["annotations"]:
            if isinstance(each["segmentation"], dict):
                found = masks.frPyObjects(each["segmentation"], *each["segmentation"]["size"])
                each["segmentation"] = {**found, "counts": found["counts"].decode()}

    change(instances(folder, "val2017"), compress)
    after = validation_targets(opened(folder))
    assert all((a["masks"] == b["masks"]).all() for a, b in zip(before, after, strict=True))


def test_layouts_of_others_hold_the_same(tmp_path: Path) -> None:
    """Roboflow's, images/ with a year, files named otherwise."""
    plain = opened(coco(tmp_path / "coco"))
    boxed = opened(roboflow(tmp_path / "roboflow", tmp_path / "coco"))
    below = tmp_path / "below"
    shutil.copytree(tmp_path / "coco", below)
    (below / "images").mkdir()
    for part in ("train2017", "val2017"):
        (below / part).rename(below / "images" / part)
    named = tmp_path / "named"
    shutil.copytree(tmp_path / "coco", named)
    (named / "annotations").rename(named / "boxes")
    fields = {
        "train_annotations": "boxes/instances_train2017.json",
        "validation_annotations": "boxes/instances_val2017.json",
        "train_images": "train2017",
        "validation_images": "val2017",
    }
    found = {each.content_hash for each in (plain, boxed, opened(below), opened(named, **fields))}
    assert found == {plain.content_hash}


def test_one_file_for_all_is_divided_by_a_seed(tmp_path: Path) -> None:
    write_pictures(tmp_path / "images", TRAIN + VALIDATION)
    content = json.loads(instances(coco(tmp_path / "coco")).read_text())
    (tmp_path / "annotations.json").write_text(json.dumps(content))
    shutil.rmtree(tmp_path / "coco")
    data = opened(tmp_path, validation_fraction=0.4)
    assert (data.train_images, data.validation_images) == (4, 2)
    assert "held out for validation (data.validation_fraction): 2 pictures" in data.remarks
    again, other = (opened(tmp_path, validation_fraction=0.4, split_seed=s) for s in (0, 5))
    assert again.content_hash == data.content_hash != other.content_hash
    assert not set(data.train_index.files) & set(data.validation_index.files)


def test_categories_may_be_texts_in_any_order(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    hash_before = opened(folder).content_hash

    def rename(content: Any) -> None:
        names = {each["id"]: f"c{each['id']:02}" for each in content["categories"]}
        content["categories"] = [
            {**each, "id": names[each["id"]]} for each in reversed(content["categories"])
        ]
        for each in content["annotations"]:
            each["category_id"] = names[each["category_id"]]

    for part in ("train2017", "val2017"):
        change(instances(folder, part), rename)
    assert opened(folder).classes == CLASSES
    assert opened(folder).content_hash == hash_before


def test_the_parts_are_matched_by_the_names_of_classes(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    before = validation_targets(opened(folder))

    def renumber(content: Any) -> None:
        for each in content["categories"]:
            each["id"] = 50 - each["id"]
        for each in content["annotations"]:
            each["category_id"] = 50 - each["category_id"]

    change(instances(folder, "val2017"), renumber)
    after = validation_targets(opened(folder))
    assert [t["labels"].tolist() for t in after] == [t["labels"].tolist() for t in before]


def test_crowds_are_counted_and_not_learnt(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    everything = sum(len(scene.things) for scene in TRAIN)

    def crowd(content: Any) -> None:
        content["annotations"][0]["iscrowd"] = 1

    change(instances(folder), crowd)
    data = opened(folder)
    assert any("1 annotations are crowds" in each for each in data.remarks)
    changes = DetectionChanges(shortest=(60,), flip=0.0)
    seen = [t for _, ts in data.train(changes, batch_size=1, epoch=1, seed=0) for t in ts]
    assert sum(len(target["labels"]) for target in seen) == everything - 1


def test_pictures_with_nothing_on_them_are_left_out_or_kept(tmp_path: Path) -> None:
    folder = coco(tmp_path)

    def empty(content: Any) -> None:
        image = content["images"][2]["id"]
        content["annotations"] = [a for a in content["annotations"] if a["image_id"] != image]

    for part in ("train2017", "val2017"):
        change(instances(folder, part), empty)
    data = opened(folder)
    assert (data.train_images, data.validation_images) == (5, 4), "all are validated on"
    assert "left out as pictures to train on with nothing on them: 1" in data.remarks
    kept = opened(folder, without_annotations="keep")
    assert kept.train_images == 6
    changes = DetectionChanges(shortest=(60,))
    targets = [t for _, ts in kept.train(changes, batch_size=1, epoch=1, seed=0) for t in ts]
    (bare,) = (target for target in targets if not len(target["labels"]))
    assert bare["boxes"].shape == (0, 4)
    assert bare["masks"].shape[0] == 0


def test_boxes_without_extent_are_left_out_and_counted(tmp_path: Path) -> None:
    folder = coco(tmp_path)

    def flatten(content: Any) -> None:
        first("annotations")(content)["bbox"][3] = 0
        content["annotations"][1]["bbox"] = [5000, 10, 20, 20]

    change(instances(folder), flatten)
    (said,) = (each for each in opened(folder).remarks if "no width or height" in each)
    assert "left out as boxes of no width or height within their picture: 2" in said


def test_boxes_end_at_the_edge(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    edit = first("annotations")
    change(instances(folder, "val2017"), lambda c: edit(c).update(bbox=[-10, 20.5, 5000, 5000]))
    target = validation_targets(opened(folder))[0]
    height, width = target["size"].tolist()
    assert target["boxes"][0].tolist() == [0, 20.5, width, height]


def test_pictures_in_both_parts_are_told(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    write_pictures(folder / "val2017", [TRAIN[0], *VALIDATION[1:]])
    (said,) = (each for each in opened(folder).remarks if "will flatter" in each)
    assert said.startswith("1 picture to validate on is also trained on, such as 00000.png")


def test_a_turned_picture_is_read_as_its_annotations_see_it(tmp_path: Path) -> None:
    """Annotations of some programs are of the picture as viewers show it, those of COCO are not."""
    folder = coco(tmp_path)
    note = Image.Exif()
    note[0x0112] = 6  # viewers turn it clockwise by a quarter
    wide = VALIDATION[1].picture
    assert wide.shape[0] < wide.shape[1]
    path = folder / "val2017" / "00001.png"
    Image.fromarray(wide).save(path, exif=note)
    data = opened(folder)
    assert not data.validation_index.upright.any()
    images = [image for images, _ in data.validation(AS_IT_IS) for image in images]
    assert np.array_equal(pixels_of(images[1]), wide), "as it lies in the file"
    # Another picture, stored on its side, that the same annotations fit only upright.
    Image.fromarray(np.rot90(wide).copy()).save(path, exif=note)
    turned = opened(folder)
    assert turned.validation_index.upright.tolist() == [False, True, False, False]
    images = [image for images, _ in turned.validation(AS_IT_IS) for image in images]
    assert np.array_equal(pixels_of(images[1]), wide)


def test_boxes_alone_are_data_without_masks(tmp_path: Path) -> None:
    folder = coco(tmp_path)

    def strip(content: Any) -> None:
        for each in content["annotations"]:
            each["segmentation"] = []

    for part in ("train2017", "val2017"):
        change(instances(folder, part), strip)
    data = opened(folder)
    assert not data.has_masks
    assert all("masks" not in target for target in validation_targets(data))
    change(instances(folder), lambda content: first("annotations")(content).pop("area"))
    assert opened(folder).content_hash != data.content_hash, "the area of the box counts now"


def test_remarks_are_made_once_and_limits_come_after_what_is_left_out(tmp_path: Path) -> None:
    folder = coco(tmp_path)

    def empty(content: Any) -> None:
        gone = {each["id"] for each in content["images"][:3]}
        content["annotations"] = [a for a in content["annotations"] if a["image_id"] not in gone]

    change(instances(folder), empty)
    data = opened(folder, limit_train=3, limit_validation=2)
    assert (data.train_images, data.validation_images) == (3, 2)
    assert len(set(data.remarks)) == len(data.remarks)


def test_one_class_is_enough_to_be_found(tmp_path: Path) -> None:
    folder = coco(tmp_path)

    def merge(content: Any) -> None:
        content["categories"] = content["categories"][:1]
        for each in content["annotations"]:
            each["category_id"] = content["categories"][0]["id"]

    for part in ("train2017", "val2017"):
        change(instances(folder, part), merge)
    assert opened(folder).classes == ("square",)


def test_a_test_part_is_not_touched(tmp_path: Path) -> None:
    folder = roboflow(tmp_path / "roboflow", coco(tmp_path / "coco"))
    before = opened(folder).content_hash
    (folder / "test").mkdir()
    (folder / "test" / "_annotations.coco.json").write_text("no JSON")
    assert opened(folder).content_hash == before


# The hash


def test_the_hash_is_of_what_is_trained_on(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    before = opened(folder).content_hash
    moved = tmp_path / "moved"
    shutil.copytree(folder / "annotations", moved / "annotations")
    for part in ("train2017", "val2017"):
        shutil.copytree(folder / part, moved / part)
    change(instances(moved), lambda content: content.update(info={"token": "secret"}))
    change(instances(moved), lambda content: content["images"].reverse())
    assert opened(moved).content_hash == before
    change(
        instances(moved), lambda content: first("annotations")(content)["bbox"].__setitem__(0, 1)
    )
    assert opened(moved).content_hash != before
    index = opened(folder).train_index
    parts = [
        content_hash(index.only(np.arange(at)), index.only(np.arange(at, 6)), CLASSES)
        for at in (2, 3)
    ]
    assert parts[0] != parts[1], "the same pictures, one of them in the other part"
