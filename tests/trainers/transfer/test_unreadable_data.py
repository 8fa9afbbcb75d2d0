"""Files and folders of transfers that cannot be read, or hold what no reader takes."""

import errno
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from space.errors import InputError
from tests.trainers.transfer.folders import ade20k, change, coco, instances, refusal
from trainers.outcome import UnreadableData
from trainers.transfer.data import (
    index_masks,
    mask_checks,
    open_data,
    pictures,
    segmentation_layout,
    segmentation_opening,
)
from trainers.transfer.data.class_names import read_class_names
from trainers.transfer.data.index_masks import inspect_masks, read_mask
from trainers.transfer.data.packed_records import PackedRecords
from trainers.transfer.data.pictures import frames_of, read_picture


def unreadable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A file of that name is another's; root would read it all the same."""
    for method in ("read_text", "read_bytes"):
        real = getattr(Path, method)

        def refused(self: Path, *args: Any, real: Any = real, **options: Any) -> Any:
            if self.name == name:
                raise PermissionError(errno.EACCES, "Permission denied", str(self))
            return real(self, *args, **options)

        monkeypatch.setattr(Path, method, refused)


# --- masks ----------------------------------------------------------------------------------------


def lists_of_voc(folder: Path) -> Path:
    """The file that lists the training pictures of a folder of Pascal VOC's."""
    for name in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (folder / name).mkdir(parents=True)
    return folder / "ImageSets" / "Segmentation" / "train.txt"


def test_a_folder_of_masks_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "gone", "segmentation") == "data.folder: DATA is no folder"
    folder = ade20k(tmp_path / "ade")
    named = {"train_images": "images/training", "train_masks": "no", "class_names": "none.txt"}
    assert refusal(folder, "segmentation", **named).splitlines() == [
        "data.train_masks: DATA/no is no folder",
        "data.class_names: DATA/none.txt is no file",
    ]


def test_pictures_none_of_which_has_a_mask_are_refused(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    for path in (folder / "annotations" / "training").iterdir():
        path.rename(path.with_name(f"mask{path.name}"))
    last = refusal(folder, "segmentation").splitlines()[-1]
    assert last == (
        "data.folder: DATA/images/training with DATA/annotations/training has no pictures with "
        "masks of the same name, in .png .bmp .gif .tif .tiff"
    )


def test_files_that_differ_in_their_suffix_alone_are_refused(tmp_path: Path) -> None:
    folder = ade20k(tmp_path)
    training = folder / "images" / "training"
    for name in (".hidden.png", ".00000.jpg", "00000.txt"):
        (training / name).write_bytes(b"counts for nothing")
    (training / ".cache").mkdir()
    (training / ".cache" / "00000.png").write_bytes(b"nor does this")
    assert open_data({"folder": folder}, "segmentation").train_images == 6
    (training / "00000.bmp").write_bytes((training / "00000.png").read_bytes())
    said = "files that differ in their suffix alone: 1 (00000.png)"
    assert refusal(folder, "segmentation") == f"data.folder: DATA/images/training has {said}"


def test_a_folder_of_masks_that_cannot_be_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = ade20k(tmp_path), os.scandir

    def scandir(path: Any) -> Any:
        if os.fspath(path).endswith("annotations/training"):
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    said = "data.folder: DATA/annotations/training cannot be read: Permission denied"
    assert refusal(folder, "segmentation") == said


def test_a_list_of_pictures_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lists_of_voc(tmp_path)
    path.write_bytes(b"\xff\xfe\x00")
    place = "data.folder: DATA/ImageSets/Segmentation/train.txt"
    assert refusal(tmp_path, "segmentation") == f"{place} is no text in UTF-8"
    unreadable(monkeypatch, "train.txt")
    assert refusal(tmp_path, "segmentation") == f"{place} cannot be read: Permission denied"


def test_names_of_classes_that_cannot_be_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes(b"caf\xe9\n")
    with pytest.raises(InputError) as refused:
        read_class_names(path)
    assert str(refused.value) == f"data.class_names: {path} is no text in UTF-8"
    path.write_bytes("\ufeffcaf\xe9\n\n  tree \n".encode())
    assert read_class_names(path) == ("caf\xe9", "tree")
    unreadable(monkeypatch, "names.txt")
    with pytest.raises(InputError) as refused:
        read_class_names(path)
    assert str(refused.value) == f"data.class_names: {path} cannot be read: Permission denied"


def saved(path: Path, values: list[list[int]], kind: type = np.uint8) -> Path:
    Image.fromarray(np.array(values, kind)).save(path)
    return path


def test_numbers_beyond_sixteen_bits_are_of_no_classes(tmp_path: Path) -> None:
    good = saved(tmp_path / "good.tif", [[0, 65535]], np.int32)
    assert read_mask(good).tolist() == [[0, 65535]]
    for place, values in enumerate(([[0, 65536]], [[-1, 65535]])):
        path = saved(tmp_path / f"{place}.tif", values, np.int32)
        said = f"holds numbers from {min(values[0])} to {max(values[0])}"
        assert inspect_masks([path]) == [said]
        with pytest.raises(UnreadableData) as refused:
            read_mask(path)
        assert str(refused.value) == f"{path} is not a readable mask ({said})"


def test_what_a_mask_holds_is_told(tmp_path: Path) -> None:
    path = saved(tmp_path / "mask.png", [[7, 0, 0], [0, 3, 7]])
    (facts,) = inspect_masks([path])
    assert not isinstance(facts, str)
    assert (facts.height, facts.width, facts.values) == (2, 3, (0, 3, 7))


def test_many_masks_are_told_of_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ade20k(tmp_path)
    monkeypatch.setattr(mask_checks, "_MANY", 6)
    told: list[str] = []
    open_data({"folder": folder}, "segmentation", say=told.append)
    training = f"Reading 6 masks of {folder}/annotations/training."
    assert [each for each in told if "masks of" in each] == [training]


def test_steps_of_an_epoch_have_full_batches(tmp_path: Path) -> None:
    data = open_data({"folder": ade20k(tmp_path)}, "segmentation")
    expected = {1: 6, 4: 1, 3: 2, 6: 1, 50: 1}
    assert {size: data.steps_per_epoch(size) for size in expected} == expected


# --- pictures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "number"),
    [(MemoryError(), errno.ENOMEM), (OSError(errno.EMFILE, "too many"), errno.EMFILE)],
    ids=["memory", "files"],
)
@pytest.mark.parametrize(
    "read",
    [read_mask, read_picture, lambda path: frames_of([path]), lambda path: inspect_masks([path])],
    ids=["mask", "picture", "frame", "facts"],
)
def test_want_of_memory_or_files_is_no_fault_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Any, fault: Exception, number: int
) -> None:
    path = saved(tmp_path / "a.png", [[1]])

    def full(*_: Any, **__: Any) -> Any:
        raise fault

    monkeypatch.setattr(index_masks.Image, "open", full)
    with pytest.raises(OSError, match=os.strerror(number)) as failed:
        read(path)
    assert (failed.value.errno, failed.value.filename) == (number, str(path))
    assert failed.value.__cause__ is fault


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"no picture")
    said = "no kind of picture that is known here"
    assert frames_of([path]) == [said]
    with pytest.raises(UnreadableData) as refused:
        read_picture(path)
    assert str(refused.value) == f"{path} is not a readable image ({said})"
    assert pictures.Frame(3, 4, True).upright == (4, 3)


# --- annotations ----------------------------------------------------------------------------------


def test_annotations_that_cannot_be_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = instances(coco(tmp_path))
    place = "data.folder: DATA/annotations/instances_train2017.json"
    path.write_text("{")
    assert refusal(tmp_path, "detection").startswith(f"{place} is no JSON: Expecting property name")
    path.write_text("[1, 2]")
    said = f"{place} is no mapping with images, annotations, categories"
    assert refusal(tmp_path, "detection") == said
    path.write_text('{"images": 3}')
    assert refusal(tmp_path, "detection").splitlines() == [
        f"{place} has no list of {name}" for name in ("images", "annotations", "categories")
    ]
    unreadable(monkeypatch, path.name)
    assert refusal(tmp_path, "detection") == f"{place} cannot be read: Permission denied"


def test_faults_behind_an_annotation_that_is_there_twice_are_told(tmp_path: Path) -> None:
    path = instances(coco(tmp_path))

    def spoil(content: Any) -> None:
        content["annotations"].insert(1, content["annotations"][0])
        content["annotations"][-1]["image_id"] = 999

    change(path, spoil)
    twice, unlisted = sorted(refusal(tmp_path, "detection").splitlines(), reverse=True)
    assert "annotations whose id stands there twice: 1 (annotation 7)" in twice
    assert "annotations of pictures that are not listed: 1 (" in unlisted


def test_places_that_were_looked_in_are_named(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    (folder / "train2017").rename(folder / "elsewhere")
    said = refusal(folder, "detection")
    start = (
        "data.folder: none of the pictures of DATA/annotations/instances_train2017.json is there, "
        "such as 00000.png; looked in DATA/"
    )
    assert said.startswith(start)
    (folder / "elsewhere").rename(folder / "train2017")
    instances(folder, "train2014").write_bytes(instances(folder).read_bytes())
    assert refusal(folder, "detection") == (
        "data.train_annotations: say which it is, there are 2: "
        "DATA/annotations/instances_train2014.json, DATA/annotations/instances_train2017.json"
    )


def test_annotations_to_validate_on_alone_are_refused(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    instances(folder).rename(folder / "annotations.json")
    assert refusal(folder, "detection") == (
        "data.folder: DATA/annotations/instances_val2017.json is for validation, and there are no "
        "annotations to train on"
    )


def test_pictures_with_nothing_to_validate_on_are_refused(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    change(instances(folder, "val2017"), lambda c: c["annotations"].clear())
    said = "data: have nothing on the pictures to validate on"
    assert refusal(folder, "detection") == said


def test_pictures_without_a_stated_size_are_as_they_lie(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    before = open_data({"folder": folder}, "detection").train_index

    def forget(content: Any) -> None:
        for image in content["images"]:
            del image["height"], image["width"]

    change(instances(folder), forget)
    after = open_data({"folder": folder}, "detection").train_index
    assert after.sizes.tolist() == before.sizes.tolist()
    assert not after.upright.any()
    change(instances(folder), lambda c: c["images"][0].update(height=80))
    said = "pictures of another size than is said of them: 1 (00000.png: null × 80, and the file "
    assert said in refusal(folder, "detection")


def test_areas_that_are_not_said_are_those_of_the_masks(tmp_path: Path) -> None:
    folder = coco(tmp_path)
    corners = [10, 10, 20, 10, 20, 30, 10, 30]
    box = [9.0, 8.0, 13.0, 24.0]

    def draw(content: Any) -> None:
        content["annotations"][0] |= {"segmentation": [corners], "bbox": box, "area": -1}

    change(instances(folder, "val2017"), draw)
    assert areas(folder)[tuple(box)] == 200.0


def test_areas_that_are_not_said_are_those_of_boxes_without_masks(tmp_path: Path) -> None:
    folder = coco(tmp_path)

    def strip(content: Any) -> None:
        for each in content["annotations"]:
            del each["segmentation"]
        del content["annotations"][0]["area"]
        content["annotations"][0]["bbox"] = [1, 2, 3, 4.5]
        content["annotations"][1] |= {"area": 7, "bbox": [2, 2, 3, 4.5]}

    for part in ("train2017", "val2017"):
        change(instances(folder, part), strip)
    found = areas(folder)
    assert found[1.0, 2.0, 3.0, 4.5] == 13.5
    assert found[2.0, 2.0, 3.0, 4.5] == 7.0


def areas(folder: Path) -> dict[tuple[float, ...], float]:
    """The areas of what is on the pictures to validate on, by the boxes."""
    data: Any = open_data({"folder": folder}, "detection")
    every = (each for some in data.validation_index.annotations for each in some)
    return {tuple(each["bbox"]): each["area"] for each in every}


def test_packed_records_end() -> None:
    records = PackedRecords([{"a": 1}, [], "x"])
    assert [*records] == [{"a": 1}, [], "x"]
    for number in (-1, 3):
        with pytest.raises(IndexError, match=str(number)):
            records[number]
    assert [*records.only([2, 0])] == ["x", {"a": 1}]


def test_masks_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    given = segmentation_layout._given
    assert given(tmp_path, Path("a"), None) is None
    assert given(tmp_path, None, Path("b")) is None
    found = given(tmp_path, Path("a"), Path("b"))
    assert found is not None
    assert (found.images, found.masks) == (tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("ignored", "first", "words"),
    [
        (None, 0, ""),
        (None, 1, " beside 0 (data.reduce_zero_label)"),
        (255, 0, " beside 255 (data.ignore_label)"),
        (255, 1, " beside 0 (data.reduce_zero_label) and 255 (data.ignore_label)"),
    ],
)
def test_which_numbers_are_no_classes_is_said(ignored: int | None, first: int, words: str) -> None:
    config = SimpleNamespace(ignore_label=ignored)
    assert segmentation_opening._but(config, first) == words
