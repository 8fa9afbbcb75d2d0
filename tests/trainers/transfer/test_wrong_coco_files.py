"""What is wrong with a folder of COCO's shape: refused by kind and number, or left out."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from space.errors import InputError
from tests.trainers.transfer.folders import (
    change,
    coco,
    first,
    instances,
    opened,
    refusal,
)
from trainers.transfer.data import open_data

BAD: dict[str, tuple[Callable[[Any], object], str]] = {
    "a picture that is not listed": (
        lambda c: first("annotations")(c).update(image_id=999),
        "has annotations of pictures that are not listed: 1 (annotation 7)",
    ),
    "a category that is not listed": (
        lambda c: first("annotations")(c).update(category_id=2),
        "has annotations of categories that are not listed: 1 (annotation 7)",
    ),
    "annotations twice": (
        lambda c: c["annotations"].append(c["annotations"][0]),
        "has annotations whose id stands there twice: 1 (annotation 7)",
    ),
    "pictures twice": (
        lambda c: c["images"].append({**c["images"][0], "file_name": "other.png"}),
        "has pictures whose id stands there twice: 1 (100)",
    ),
    "files twice": (
        lambda c: c["images"].append({**c["images"][0], "id": 1}),
        "has pictures that stand there twice: 1 (00000.png)",
    ),
    "categories twice": (
        lambda c: c["categories"].append({"id": 1, "name": "other"}),
        "has categories whose id stands there twice: 1 (1)",
    ),
    "names twice": (
        lambda c: c["categories"].append({"id": 99, "name": "disk"}),
        "has names of categories that stand there twice: 1 (disk)",
    ),
    "no class": (lambda c: c.update(categories=[]), "has no categories: there is no class to find"),
    "no pictures": (lambda c: c.update(images=[]), "has no images"),
    "no list": (lambda c: c.pop("annotations"), "has no list of annotations"),
    "a picture that is not there": (
        lambda c: c["images"].append({"id": 1, "file_name": "gone.png", "height": 1, "width": 1}),
        "has pictures that cannot be read: 1 (gone.png: No such file or directory)",
    ),
    "a file elsewhere": (
        lambda c: first("images")(c).update(file_name="../val2017/00000.png"),
        "has pictures without the path of a file below their folder as file_name: 1 (100: "
        "'../val2017/00000.png')",
    ),
    "another size": (
        lambda c: first("images")(c).update(width=61),
        "has pictures of another size than is said of them: 1 (00000.png: 61 × 80, and the file "
        "has 60 × 80)",
    ),
    "half a box": (
        lambda c: first("annotations")(c).update(bbox=[1, 2, 3]),
        "has annotations without a box of four numbers: 1 (annotation 7)",
    ),
    "an endless box": (
        lambda c: first("annotations")(c).update(bbox=[1, 2, 3, float("inf")]),
        "has annotations without a box of four numbers: 1 (annotation 7)",
    ),
    "a box beyond all numbers": (
        lambda c: first("annotations")(c).update(bbox=[1, 2, 3, 10**400]),
        "has annotations without a box of four numbers: 1 (annotation 7)",
    ),
    "both infinities": (
        lambda c: first("annotations")(c).update(
            segmentation=[[1, 2, 3, 4, float("inf"), -float("inf")]]
        ),
        "has polygons of fewer than three points, or of half points: 1 (annotation 7)",
    ),
    "true as a number": (
        lambda c: first("annotations")(c).update(bbox=[1, 2, 3, True]),
        "has annotations without a box of four numbers: 1 (annotation 7)",
    ),
    "half a point": (
        lambda c: first("annotations")(c).update(segmentation=[[1, 2, 3, 4, 5, 6, 7]]),
        "has polygons of fewer than three points, or of half points: 1 (annotation 7)",
    ),
    "a category without a name": (
        lambda c: first("categories")(c).update(name=" "),
        "DATA/annotations/instances_train2017.json has categories without a name: 1 (1)",
    ),
    "a word as an annotation": (
        lambda c: c["annotations"].insert(2, "word"),
        "has annotations that are no mappings: 1 (2)",
    ),
    "a picture without an id": (
        lambda c: c["images"].insert(1, {"file_name": "a.png"}),
        "has pictures without a number or text as id: 1 (entry 1)",
    ),
    "a word as a category": (
        lambda c: c["categories"].insert(0, "disk"),
        "has categories without a number or text as id: 1 (entry 0)",
    ),
    "half a crowd": (
        lambda c: first("annotations")(c).update(iscrowd=2),
        "has values of iscrowd that are neither 0 nor 1: 1 (annotation 7)",
    ),
    "a word as a crowd": (
        lambda c: first("annotations")(c).update(iscrowd="1"),
        "has values of iscrowd that are neither 0 nor 1: 1 (annotation 7)",
    ),
    "a mask of another size": (
        lambda c: first("annotations")(c).update(segmentation={"size": [9, 9], "counts": [81]}),
        "has masks of another size than their picture: 1 (annotation 7)",
    ),
    "runs that are too short": (
        lambda c: first("annotations")(c).update(segmentation={"size": [80, 60], "counts": [81]}),
        "has run lengths that do not cover their picture: 1 (annotation 7)",
    ),
    "letters of no run lengths": (
        lambda c: first("annotations")(c).update(segmentation={"size": [80, 60], "counts": "é"}),
        "has run lengths that cannot be read: 1 (annotation 7)",
    ),
    "words as a mask": (
        lambda c: first("annotations")(c).update(segmentation="all of it"),
        "has segmentations that are neither polygons nor run lengths: 1 (annotation 7)",
    ),
    "a mask missing": (
        lambda c: first("annotations")(c).pop("segmentation"),
        "data.folder: 1 annotations have no segmentation, and",
    ),
    "nothing at all": (
        lambda c: c["annotations"].clear(),
        "data: have 0 pictures to train on that have something on them; at least 2 needed",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_refused_by_kind_and_number(tmp_path: Path, name: str) -> None:
    edit, said = BAD[name]
    change(instances(coco(tmp_path)), edit)
    place = "data.folder: DATA/annotations/instances_train2017.json "
    start = place if said.startswith("has ") else ""
    assert start + said in refusal(tmp_path, "detection").splitlines()[0]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    cut = folder / "train2017" / "00003.png"
    cut.write_bytes(cut.read_bytes()[:200])
    change(instances(folder), lambda c: [a.update(image_id=0) for a in c["annotations"][:7]])
    said = refusal(folder, "detection")
    assert "pictures that cannot be read: 1 (00003.png: " in said
    assert "pictures that are not listed: 7 (annotation 7, annotation 8, annotation 9," in said
    assert "annotation 11, …)" in said


def test_what_is_wrong_may_be_left_out_and_is_counted(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    (folder / "train2017" / "00003.png").unlink()
    change(instances(folder), lambda c: first("annotations")(c).update(category_id=2))
    data = opened(folder, broken="leave_out")
    assert "00003.png" not in data.train_index.files
    said = [each.replace(str(folder), "DATA") for each in data.remarks]
    start = "DATA/annotations/instances_train2017.json: left out as "
    assert f"{start}annotations of categories that are not listed: 1 (annotation 7)" in said
    assert any(
        each.startswith(f"{start}pictures that cannot be read: 1 (00003.png") for each in said
    )


def test_a_file_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = instances(coco(tmp_path))
    path.write_bytes(path.read_bytes()[:100])
    assert "DATA/annotations/instances_train2017.json is no JSON" in refusal(tmp_path, "detection")
    path.write_text("[" * 100_000)
    assert "is no JSON" in refusal(tmp_path, "detection")


def test_folders_that_say_too_little_or_too_much_are_refused(tmp_path: Path) -> None:
    assert "DATA is no folder" in refusal(tmp_path / "gone", "detection")
    assert "DATA holds no annotations in COCO's format" in refusal(tmp_path, "detection")
    folder = coco(tmp_path / "coco")
    said = refusal(folder, "detection", validation_fraction=0.2)
    assert "data.validation_fraction: only for data without a validation part" in said
    said = refusal(folder, "detection", train_annotations="gone.json", validation_images="gone")
    assert "data.train_annotations: DATA/gone.json is no file" in said
    assert "data.validation_images: DATA/gone is no folder" in said
    shutil.rmtree(folder / "train2017")
    assert "none of the pictures of DATA/annotations/instances_train2017.json is there" in refusal(
        folder, "detection"
    )


def test_classes_that_only_the_validation_has_are_refused(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    more = {"id": 77, "name": "star"}
    change(instances(folder, "val2017"), lambda c: c["categories"].append(more))
    assert "has categories that DATA/annotations/instances_train2017.json has not: star" in refusal(
        folder, "detection"
    )


def test_fields_of_the_other_task_are_refused(tmp_path: Path) -> None:
    said = refusal(coco(tmp_path), "detection", reduce_zero_label=True, train_masks="masks")
    assert said.splitlines() == [
        "data.reduce_zero_label: only for segmentation, and the task is detection; got true",
        "data.train_masks: only for segmentation, and the task is detection; got 'masks'",
    ]
    with pytest.raises(InputError, match=r"data\.folder: this field is required"):
        open_data({}, "detection")


def test_of_two_files_of_annotations_one_must_be_named(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    for part in ("train", "val"):
        (file,) = (folder / "annotations").glob(f"*{part}*.json")
        other = folder / "annotations" / f"instances_{part}2014.json"
        other.write_bytes(file.read_bytes())
        found = refusal(folder, "detection")
        field = {"train": "train", "val": "validation"}[part]
        shown = sorted(f"DATA/annotations/{path.name}" for path in (file, other))
        assert found == (
            f"data.{field}_annotations: say which it is, there are 2: {', '.join(shown)}"
        )
        other.unlink()
