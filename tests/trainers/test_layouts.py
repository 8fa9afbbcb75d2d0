"""Folders of labelled pictures as people have them: parts, wrappers, tables of labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from space.errors import InputError
from tests.trainers.data_contract import Images, PictureContract
from tests.trainers.tiny import pictures
from trainers import DataConfig, Protocol, describe_data
from trainers.data.data_config import as_meant_then
from trainers.data.image_folder.layout import SYNONYMS, find_layout

NAMES = ("cat", "dog", "owl")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path_factory.mktemp("cache")))


def put(path: Path, colour: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 4), colour).save(path)


def fill(root: Path, part: str = "", count: int = 6, classes: Sequence[str] = NAMES) -> Path:
    """Class folders below a part, no two pictures of which are alike in all parts."""
    for number, name in enumerate(classes):
        for place in range(count):
            put(root / part / name / f"{place}.png", (number, place, sum(part.encode()) % 256))
    return root


def described(folder: Path, **changes: Any) -> Any:
    config = {"name": "image-folder", "folder": str(folder)} | changes
    return describe_data(config, Protocol.from_dict({"data": "image-folder"}))


def held_out(folder: Path, **changes: Any) -> Any:
    return pictures({"name": "image-folder", "folder": str(folder)} | changes, "test")


def refused(folder: Path, **changes: Any) -> str:
    with pytest.raises(InputError) as error:
        described(folder, **changes)
    return str(error.value)


# --- parts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("train", ["train", "Training"])
@pytest.mark.parametrize("other", ["val", "valid", "Validation", "test", "Testing", "eval"])
def test_of_two_parts_the_other_is_the_test(tmp_path: Path, train: str, other: str) -> None:
    fill(fill(tmp_path, train), other, count=2)
    found = described(tmp_path)
    assert found.train_images + found.validation_images == 18
    assert len(held_out(tmp_path).files) == 6
    told = f"{other}/ is the test split" in "; ".join(found.remarks)
    assert told is (other != "val")


@pytest.mark.parametrize("names", [("val", "test"), ("valid", "testing"), ("Validation", "Test")])
def test_of_three_parts_the_test_is_the_test_and_validation_is_not_drawn(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    fill(fill(fill(tmp_path, "train"), names[0], count=2), names[1], count=1)
    found = described(tmp_path)
    assert (found.train_images, found.validation_images) == (18, 6)
    assert held_out(tmp_path).folder == tmp_path / names[1]
    said = f"{names[1]}/ is the test split and {names[0]}/ the validation part, and protocol."
    assert said in "; ".join(found.remarks)
    index = pictures({"name": "image-folder", "folder": str(tmp_path)})
    parts = {
        file.split("/")[0] for file, own in zip(index.files, index.validation, strict=True) if own
    }
    assert parts == {names[0]}
    assert len({found.content_hash, described(tmp_path, layout="train_val").content_hash}) == 2


def test_a_study_of_an_earlier_release_keeps_val_as_its_test(tmp_path: Path) -> None:
    fill(fill(fill(tmp_path, "train"), "val", count=2), "test", count=1)
    stored = {"name": "image-folder", "folder": str(tmp_path), "source": "embedded"}
    meant = as_meant_then(stored | {"download": False})
    assert meant == {"name": "image-folder", "folder": str(tmp_path), "layout": "train_val"}
    found = DataConfig.from_dict(meant).to_dict()
    assert pictures(found, "test").folder == tmp_path / "val"
    assert len(pictures(found).files) == 18
    assert as_meant_then({"workers": 2, "source": "full"}) == {"source": "full"}


def test_pictures_of_the_search_that_are_in_the_test_are_told(tmp_path: Path) -> None:
    fill(fill(fill(tmp_path, "train"), "val", count=2), "test", count=1)
    (tmp_path / "test/cat/0.png").write_bytes((tmp_path / "val/cat/0.png").read_bytes())
    said = "1 picture is both in the pictures of the search and in the test split, such as "
    assert f"{said}val/cat/0.png and cat/0.png" in "; ".join(described(tmp_path).remarks)


def test_a_test_folder_without_labels_is_none(tmp_path: Path) -> None:
    """As of competitions, whose pictures are for others to judge."""
    fill(fill(tmp_path, "train"), "val", count=2)
    put(tmp_path / "test/1.png", (1, 2, 3))
    found = described(tmp_path)
    assert "not read, beside train/: test" in found.remarks[1]
    assert held_out(tmp_path).folder == tmp_path / "val"


def test_parts_must_have_the_same_classes_and_one_name(tmp_path: Path) -> None:
    fill(fill(fill(tmp_path, "train"), "valid", 1, NAMES[:2]), "test", 1, NAMES[1:])
    assert refused(tmp_path).splitlines() == [
        f"data.folder: {tmp_path} has classes only in train/: owl",
        f"data.folder: {tmp_path} has classes only in train/: cat",
    ]
    fill(tmp_path, "evaluation", 1)
    said = f"{tmp_path} holds evaluation and valid, which both say validation: name one val"
    assert refused(tmp_path) == f"data.folder: {said}"
    (tmp_path / "train").rename(tmp_path / "mine")
    for name in ("valid", "evaluation"):
        (tmp_path / name).rename(tmp_path / f"old-{name}")
    assert "train is not a folder, and test/ is taken for the test split; put" in refused(tmp_path)


@pytest.mark.parametrize("role", SYNONYMS)
def test_every_name_of_a_part_is_found_whatever_its_capitals(tmp_path: Path, role: Any) -> None:
    for name in SYNONYMS[role]:
        root = tmp_path / name
        others = {"train": "test", "validation": "train", "test": "train"}[role]
        fill(fill(root, others, 1), name.upper(), 1)
        found = find_layout(root).parts["train" if role == "train" else "test"]
        assert found.folder == root / name.upper()


# --- what lies around and inside ------------------------------------------------------------------


def test_a_folder_that_holds_all_pictures_is_looked_into(tmp_path: Path) -> None:
    fill(fill(tmp_path / "images", "train"), "val", 1)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/list.txt").touch()
    found = described(tmp_path)
    assert f"the pictures are those in {tmp_path}/images" in found.remarks
    assert found.content_hash == described(tmp_path / "images").content_hash
    again = fill(tmp_path / "flowers/flowers")
    assert described(again.parent).class_names == NAMES


def test_images_is_a_class_beside_others(tmp_path: Path) -> None:
    assert described(fill(tmp_path, classes=("images", "drawings"))).classes == 2


def test_folders_in_a_class_are_of_the_class(tmp_path: Path) -> None:
    fill(tmp_path)
    put(tmp_path / "cat/tabby/young/9.png", (9, 9, 9))
    found = described(tmp_path)
    assert found.class_names == NAMES
    assert sum((found.train_images, found.validation_images)) == 17  # 2 of 19 for the test


# --- ImageNet -------------------------------------------------------------------------------------

WNIDS = ("n01440764", "n01443537", "n15075141")


def test_imagenet_1k_as_it_is_prepared(tmp_path: Path) -> None:
    fill(fill(tmp_path, "train", 5, WNIDS), "val", 1, WNIDS)
    found = described(tmp_path)
    assert (found.class_names, found.remarks[1:]) == (WNIDS, ())


def test_imagenet_1k_as_it_comes(tmp_path: Path) -> None:
    """Flat val/ with its table of labels and boxes; test/ has no labels."""
    inner = tmp_path / "ILSVRC/Data/CLS-LOC"
    fill(inner, "train", 4, WNIDS)
    lines = ["ImageId,PredictionString"]
    for number, name in enumerate(reversed(WNIDS), 1):
        stem = f"ILSVRC2012_val_{number:08}"
        put(inner / "val" / f"{stem}.JPEG", (number, 1, 1))
        lines.append(f"{stem},{name} 85 1 499 272 {name} 1 2 3 4")
    put(inner / "test/ILSVRC2012_test_00000001.JPEG", (1, 1, 1))
    for name in ("Annotations", "ImageSets"):
        (tmp_path / "ILSVRC" / name).mkdir()
    (tmp_path / "LOC_val_solution.csv").write_text("\n".join(lines))
    found = described(tmp_path)
    assert found.class_names == WNIDS
    assert f"the pictures are those in {inner}" in found.remarks
    test = held_out(tmp_path)
    assert test.labels.tolist() == [0, 1, 2]
    assert [file[-8:-5] for file in test.files] == ["003", "002", "001"]
    (tmp_path / "LOC_val_solution.csv").unlink()
    said = f"{inner}/val holds pictures and no class folders: sort them into class folders, or put"
    assert said in refused(tmp_path)


def test_imagenet_22k_is_class_folders_without_a_val(tmp_path: Path) -> None:
    found = described(fill(tmp_path, "", 10, (*WNIDS, "n00004475")))
    assert found.classes == 4
    assert found.remarks[1:] == ("4 pictures are kept for the test (data.test_fraction)",)


# --- tables of labels -----------------------------------------------------------------------------


class TestTable(PictureContract):
    """Pictures in one folder, whose classes and parts a table says."""

    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        lines = ["id;split;label"]
        for part, pixels, labels in images.parts():
            for number, (each, label) in enumerate(zip(pixels, labels, strict=True)):
                stem = f"{part}-{number:02}"
                path = folder / "all" / f"{stem}.png"
                path.parent.mkdir(exist_ok=True)
                Image.fromarray(each).save(path)
                lines.append(f"{stem};{part};{NAMES[label]}")
        (folder / "labels.csv").write_text("\n".join(lines))
        return {"name": "image-folder", "folder": str(folder)}


def table(folder: Path, text: str, name: str = "labels.csv") -> Path:
    for number in range(6):
        put(folder / f"{number}.png", (number, 0, 0))
    (folder / name).write_text(text)
    return folder


ROWS = [f"{number}.png,{NAMES[number % 2]}" for number in range(6)]
BODY = "\n".join(ROWS)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", BODY),
        ("labels.csv", f"file,label\n{BODY}\n\n"),
        ("labels.csv", f"\ufefffilename,class\r\n{BODY}"),
        ("labels.csv", f"image,breed\n{BODY}".replace(".png", "")),
        ("labels.csv", BODY.replace(",", ";")),
        ("labels.tsv", BODY.replace(",", "\t")),
        ("labels.csv", "label,x,file\n" + "\n".join(",7,".join(r.split(",")[::-1]) for r in ROWS)),
        ("labels.csv", "\n".join(f'"./{row.split(",")[0]}", {row.split(",")[1]}' for row in ROWS)),
    ],
)
def test_a_table_may_be_written_in_many_ways(tmp_path: Path, name: str, text: str) -> None:
    found = described(table(tmp_path, text, name), test_fraction=0.34)
    assert found.class_names == ("cat", "dog")
    index = pictures({"name": "image-folder", "folder": str(tmp_path), "test_fraction": 0.34})
    assert all(
        int(file[0]) % 2 == label for file, label in zip(index.files, index.labels, strict=True)
    )
    assert f"the classes are those of {tmp_path}/{name}" in found.remarks


def test_a_table_is_named_where_it_is_called_otherwise(tmp_path: Path) -> None:
    table(tmp_path / "jpg", BODY, "../train.csv")
    said = refused(tmp_path / "jpg")
    assert (
        "for pictures without class folders name a table of file,label by data.labels; put" in said
    )
    assert described(tmp_path / "jpg", labels="../train.csv").classes == 2
    (tmp_path / "jpg/all.csv").write_text(BODY)
    assert "by data.labels (perhaps all.csv)" in refused(tmp_path / "jpg")
    fill(tmp_path / "jpg")  # class folders come first, and a table that is named before them
    assert described(tmp_path / "jpg").classes == 3
    assert described(tmp_path / "jpg", labels="all.csv").classes == 2


def test_numbers_are_in_the_order_of_numbers(tmp_path: Path) -> None:
    rows = "\n".join(f"{number}.png,{label}" for number, label in enumerate([10, 9, 10, 9, 2, 2]))
    assert described(table(tmp_path, rows)).class_names == ("2", "9", "10")


def test_a_label_counts_for_the_hash_of_the_data(tmp_path: Path) -> None:
    first = described(table(tmp_path, BODY)).content_hash
    swapped = BODY.replace("cat", "x").replace("dog", "cat").replace("x", "dog")
    (tmp_path / "labels.csv").write_text(swapped)
    assert described(tmp_path).content_hash != first


def test_pictures_that_no_line_names_are_left_out_and_counted(tmp_path: Path) -> None:
    table(tmp_path, BODY)
    put(tmp_path / "more/7.png", (7, 7, 7))
    said = "; ".join(described(tmp_path).remarks)
    assert "left out as pictures that labels.csv does not name: 1" in said
    assert "for their suffix" not in str(said), "the table was read"


def test_all_that_is_wrong_with_a_table_comes_at_once(tmp_path: Path) -> None:
    rows = [*ROWS, "7.png,cat", "8.png,dog", "0.png,cat", "a,owl"]
    table(tmp_path, "\n".join(rows))
    for name in ("x", "y"):
        put(tmp_path / name / "a.png", (1, 1, 1))
    place, there = f"data.labels: {tmp_path}/labels.csv", f"there is no such picture in {tmp_path}"
    assert refused(tmp_path, labels="labels.csv").splitlines() == [
        f"{place}: line 7, 7.png: {there}",
        f"{place}: line 8, 8.png: {there}",
        f"{place}: line 9, 0.png: line 1 names the same picture",
        f"{place}: line 10, a: may be x/a.png and y/a.png; write the path from the folder",
    ]
    table(tmp_path, "\n".join(f"{number}.jpg,cat" for number in range(30)) + "\n0.png,dog")
    lines = refused(tmp_path, labels="labels.csv").splitlines()
    assert len(lines) == 11
    assert lines[-1] == f"{place}: 20 more like these"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("file,label\n", "holds a header and nothing else"),
        ("a,b,c\n1,2,3\n", "has 3 columns (a, b, c); allowed: two, file and label, or more with a"),
        ("file,label\n0.png\n,cat\n1.png,\n", "line 2 has 1 of 2 columns"),
        ("file,label\n0.png,cat\n1.png,cat", "holds one class, 'cat'; at least 2 are needed"),
        (
            "file,label,split\n0.png,cat,x\n",
            "split x is none; allowed: train, training, val, valid",
        ),
        ("file,label,split\n0.png,cat,test\n", "holds no classes to train on; at least 2 are"),
        ('file,label\n"0.png,cat\n', "cannot be read as a table: unexpected end of data"),
        (
            "file,label,split\n0.png,cat,train\n1.png,dog,train\n2.png,owl,val\n3.png,ow,val",
            "label 'owl' (1 lines) is no class; the classes are cat, dog",
        ),
    ],
)
def test_a_table_that_says_no_labels_is_refused(tmp_path: Path, text: str, said: str) -> None:
    found = refused(table(tmp_path, text))
    assert found.startswith(f"data.labels: {tmp_path}/labels.csv")
    assert said in found


def test_tables_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    table(tmp_path, "")
    (tmp_path / "labels.csv").write_bytes(b"\xff\xfe0")
    assert refused(tmp_path) == f"data.labels: {tmp_path}/labels.csv is not text in UTF-8"
    (tmp_path / "labels.tsv").touch()
    assert refused(tmp_path).endswith("holds labels.csv and labels.tsv: name one")
    said = f"data.labels: {tmp_path}/no.csv cannot be read: No such file or directory"
    assert refused(tmp_path, labels="no.csv") == said


def test_a_broken_picture_of_a_table_is_refused_or_left_out(tmp_path: Path) -> None:
    table(tmp_path, BODY)
    (tmp_path / "4.png").write_bytes(b"x")
    (tmp_path / "5.png").unlink()
    (tmp_path / "5.png").symlink_to("nowhere")
    assert "5.png is not a readable image (a link to nothing)" in refused(tmp_path)
    found = described(tmp_path, broken="leave_out", test_fraction=0.3)
    assert "left out as broken: 2, such as 4.png" in "; ".join(found.remarks)


def test_parts_may_have_tables_of_their_own(tmp_path: Path) -> None:
    for part in ("train", "test"):
        table(tmp_path / part, BODY)
    found = described(tmp_path)
    assert (found.train_images + found.validation_images, found.classes) == (6, 2)
    assert len(held_out(tmp_path).files) == 6
    said = f"data.test_fraction: {tmp_path}/test/labels.csv is the test split; only without it"
    assert refused(tmp_path, test_fraction=0.5) == said
    (tmp_path / "test/labels.csv").write_text("0.png,fox\n1.png,cat")
    assert "label 'fox' (1 lines) is no class; the classes are cat, dog" in refused(tmp_path)
