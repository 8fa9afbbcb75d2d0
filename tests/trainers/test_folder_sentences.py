"""Every sentence on a folder of images, word for word: what is refused, what does not count."""

import itertools
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from space.errors import InputError
from tests.trainers.tiny import pictures
from trainers import DataConfig, Protocol, UnreadableData, describe_data, open_data
from trainers.data.image_folder import class_folders, inspection
from trainers.data.image_folder.decoding import listed_suffixes
from trainers.data.image_folder.indexing import inspected_index, layout_of, list_part
from trainers.data.split import split_train_validation

PROTOCOL = Protocol.from_dict(
    {"data": "image-folder", "validation_fraction": 0.25, "augmentation": {"image_size": 32}}
)
WELCOME = (
    "put class folders into train/ and val/, into train/ alone, or into the folder itself, where "
    "none may be called train or val"
)
MEND = "mend or remove them, or set data.broken: leave_out"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "images"


def fill(root: Path, **counts: int) -> Path:
    """Class folders ("train__red" is train/red) with so many pictures, no two of them alike."""
    for number, (name, count) in enumerate(counts.items()):
        folder = root / name.replace("__", "/")
        folder.mkdir(parents=True)
        for place in range(count):
            Image.new("RGB", (4, 4), (number, place, 7)).save(folder / f"{place:02}.png")
    return root


def config(root: Path, **changes: Any) -> dict[str, Any]:
    return {"name": "image-folder", "folder": str(root)} | changes


def refused(root: Path, **changes: Any) -> list[str]:
    with pytest.raises(InputError) as error:
        describe_data(config(root, **changes), PROTOCOL)
    return [str(problem) for problem in error.value.problems]


def remarks(root: Path, **changes: Any) -> tuple[str, ...]:
    return describe_data(config(root, **changes), PROTOCOL).remarks


# --- which folders are refused --------------------------------------------------------------------


def test_folders_that_are_not_there_or_hold_too_little(root: Path) -> None:
    assert refused(root) == [f"data.folder: {root} is not a folder"]
    root.mkdir()
    ends = f"{WELCOME}; pictures end in {listed_suffixes()}"
    assert refused(root) == [f"data.folder: {root} holds no class folders; it is empty; {ends}"]
    for name in "fedcba":
        (root / name).touch()
    assert refused(root) == [
        f"data.folder: {root} holds no class folders; it holds a, b, c, d, e, … (6 in all); {ends}"
    ]
    (root / "f").unlink()
    assert "it holds a, b, c, d, e; put" in refused(root)[0]
    fill(root, red=1)
    assert refused(root) == [f"data.folder: {root} holds one class, 'red'; at least 2 are needed"]
    fill(root, val__red=1)
    assert refused(root) == [f"data.folder: {root}/train is not a folder; {WELCOME}"]


def test_classes_that_differ_are_named_on_both_sides(root: Path) -> None:
    fill(root, train__red=1, train__blue=1, val__red=1)
    start = f"data.folder: {root} has classes"
    assert refused(root) == [f"{start} only in train/: blue"]
    fill(root, val__green=1, val__Blue=1)
    assert refused(root) == [
        f"{start} only in train/: blue; only in val/: Blue, green; "
        "some differ in capitals alone, or in how Unicode writes them"
    ]


def test_data_sets_are_told_from_classes_with_a_folder_of_that_name(root: Path) -> None:
    fill(root, cats__train__tabby=3, dogs=3)
    assert describe_data(config(root), PROTOCOL).class_names == ("cats", "dogs")
    fill(root, cats__train__tom=1)
    assert refused(root) == [
        f"data.folder: {root} holds data sets where classes should be: cats has class folders in "
        f"its train/; name one of them, such as {root}/cats"
    ]


def test_every_class_without_pictures_is_named(root: Path) -> None:
    fill(root, train__red=2, train__blue=0, train__green=0, val__red=1, val__blue=1, val__green=1)
    (root / "train/blue/a.txt").touch()
    said = f"holds no images; files count that end in {listed_suffixes()}"
    assert refused(root) == [
        f"data.folder: {root}/train/{name} {said}" for name in ("blue", "green")
    ]
    for name in ("blue", "green"):
        (root / f"train/{name}/a.png").touch()
    said = "holds no readable images"
    assert refused(root, broken="leave_out") == [
        f"data.folder: {root}/train/{name} {said}" for name in ("blue", "green")
    ]
    for picture in (root / "train/red").iterdir():
        picture.write_bytes(b"x")
    assert refused(root, broken="leave_out") == [
        f"data.folder: {root}/train/{name} {said}" for name in ("blue", "green", "red")
    ]


def test_a_share_for_the_test_is_refused_beside_a_test_split(root: Path) -> None:
    fill(root, train__red=2, train__blue=2, val__red=1, val__blue=1)
    said = f"data.test_fraction: {root}/val is the test split; only without it"
    assert refused(root, test_fraction=0.5) == [said]


@pytest.mark.parametrize(("number", "more"), [(1, ""), (10, ""), (12, "2 more like these; ")])
def test_pictures_that_cannot_be_read_are_refused_by_name(
    root: Path, number: int, more: str
) -> None:
    fill(root, train__red=4, train__blue=4, val__red=1, val__blue=1)
    for place in range(number):
        (root / f"train/red/x{place:02}.png").touch()
    said = [
        f"data.folder: {root}/train/red/x{place:02}.png is not a readable image (empty, 0 bytes)"
        for place in range(number)
    ]
    assert refused(root) == [*said[:10], f"data.broken: {more}{number} in all; {MEND}"]


@pytest.mark.parametrize("names_it", [True, False])
@pytest.mark.parametrize("part", ["", "train", "train/red", "train/red/deeper", "val", "val/red"])
def test_what_cannot_be_read_is_refused_by_name(
    root: Path, part: str, names_it: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a network whose folders come and go, also where the error names none of them."""
    fill(root, train__red__deeper=1, train__red__other=1, train__blue=3, val__red=1, val__blue=1)

    def scandir(path: Any = ".") -> Any:
        if os.fspath(path) == str(root / part):
            raise PermissionError(13, "Permission denied", *([str(path)] if names_it else []))
        return there(path)

    there = os.scandir
    place = root / (part if names_it else part.removesuffix("/deeper"))
    with monkeypatch.context() as patch:  # pytest itself lists the folder afterwards
        patch.setattr(os, "scandir", scandir)
        assert refused(root) == [f"data.folder: {place} cannot be read: Permission denied"]


def test_pictures_beside_the_classes_that_cannot_be_listed_are_refused_too(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, red=1, blue=0)

    def refuses(folder: Path, found: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(class_folders, "_count_loose", refuses)
    with pytest.raises(InputError) as error:
        class_folders.list_classes(root, ("red", "blue"))
    assert [str(each) for each in error.value.problems] == [
        f"data.folder: {root}/blue holds no images; files count that end in {listed_suffixes()}",
        f"data.folder: {root} cannot be read: Permission denied",
    ]


# --- what is said of a folder that is taken -------------------------------------------------------


def test_all_that_is_left_out_is_told(root: Path) -> None:
    fill(root, train__red=4, train__blue=4, val__red=1, val__blue=1, valid__red=1, test=0)
    train = root / "train"
    (train / "blue/00.png").rename(train / "blue/00.PNG")
    (train / "blue/01.png").rename(train / "blue/01.apng")
    for name in (
        "loose.png",
        "list.csv",
        "red/a.CSV",
        "red/notes",
        "red/.b.png",
        "blue/.c",
        ".hidden",
    ):
        (train / name).touch()
    (train / "red/.git").mkdir()
    (train / "red/.git/x.png").touch()
    (train / "blue/again.png").hardlink_to(train / "blue/02.png")
    (train / "red/other.png").hardlink_to(train / "blue/03.png")
    (train / "red/gone.png").symlink_to("nowhere")
    os.mkfifo(train / "red/pipe.png")
    said = (
        "8 pictures apart from the test's, of 2 classes (blue, red): 7 .png, 1 .apng",
        "not read, beside train/: test, valid",
        f"left out for their suffix: 2 .csv, 1 none; files count that end in {listed_suffixes()}",
        "left out as pictures outside of the class folders: 1",
        "left out for a name that begins with a dot: 4",
        "left out as further links to the same file: 1",
        "left out as broken: 3, such as red/gone.png (a link to nothing)",
    )
    assert remarks(root, broken="leave_out") == said
    assert refused(root) == [
        f"data.folder: {train}/red/gone.png is not a readable image (a link to nothing)",
        f"data.folder: {train}/red/other.png is not a readable image "
        "(the same file as blue/03.png, of another class)",
        f"data.folder: {train}/red/pipe.png is not a readable image (no regular file)",
        f"data.broken: 3 in all; {MEND}",
    ]
    found = pictures(config(root, broken="leave_out"))
    assert found.left_out == ("red/gone.png", "red/other.png", "red/pipe.png")


@pytest.mark.parametrize("check", ["headers", "none"])
def test_what_is_not_decoded_is_told(root: Path, check: str) -> None:
    fill(root, train__red=4, train__blue=4, val__red=1, val__blue=1)
    said = f"not decoded (data.check: {check}): a picture that is broken stops the search"
    assert remarks(root, check=check)[1:] == (said,)


@pytest.mark.parametrize(("number", "words"), [(1, "1 picture is"), (2, "2 pictures are")])
def test_copies_in_the_test_are_counted(root: Path, number: int, words: str) -> None:
    fill(root, train__red=4, train__blue=4, val__red=3, val__blue=3)
    for place in range(number):
        copy = root / f"val/blue/{place:02}.png"
        copy.write_bytes((root / f"train/red/{place:02}.png").read_bytes())
    assert remarks(root)[1:] == (
        f"{words} both in train/ and in val/, such as train/red/00.png and val/blue/00.png: "
        "the test will flatter",
    )


def test_copies_in_the_validation_part_are_counted(root: Path) -> None:
    fill(root, train__red=4, train__blue=4, val__red=1, val__blue=1)
    index = pictures(config(root))
    split = split_train_validation(
        index.labels, seed=PROTOCOL.split_seed, validation_fraction=PROTOCOL.validation_fraction
    )
    one, other = (
        next(index.files[i] for i in part if index.labels[i])
        for part in (split.validation, split.train)
    )
    (root / "train" / one).write_bytes((root / "train" / other).read_bytes())
    assert remarks(root)[1:] == (
        f"1 picture is both in the validation part and in the training part, such as {one} and "
        f"{other}: the validation will flatter",
    )


@pytest.mark.parametrize(("number", "words"), [(1, "1 picture stands"), (2, "2 pictures stand")])
def test_pictures_with_two_labels_are_counted(root: Path, number: int, words: str) -> None:
    fill(root, train__red=4, train__blue=4, val__red=1, val__blue=1)
    for place in range(number):
        copy = root / f"train/red/{place:02}.png"
        copy.write_bytes((root / "train/blue/03.png").read_bytes())
    said = f"{words} in a second class too, such as blue/03.png and red/00.png"
    assert remarks(root)[1] == f"{said}: one of the labels is wrong"


def test_what_is_kept_for_the_test_is_told_and_stays_the_same(root: Path) -> None:
    fill(root, train__red=12, train__blue=6, train__one=1)
    assert remarks(root)[:3] == (
        "17 pictures apart from the test's, of 3 classes (blue, one, red): 17 .png",
        "2 pictures are kept for the test (data.test_fraction)",
        "classes without test pictures: one",
    )
    read = config(root)
    kept = pictures(read, "test")
    # Drawn from the split's seed, in this and in every later release.
    assert kept.files == ("blue/02.png", "red/05.png")
    assert kept.labels.tolist() == [0, 2]
    assert pictures(read, "test", split_seed=1).files != kept.files
    others = pictures(read)
    assert len({*kept.files, *others.files}) == 19
    (root / "train/red/00.png").write_bytes((root / "train/red/05.png").read_bytes())
    assert remarks(root)[3] == (
        "1 picture is both in the pictures to train on and in those kept for the test, such as "
        "red/00.png and red/05.png: the test will flatter"
    )


def test_the_pass_over_the_pictures_says_how_far_it_is(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part of its own; quick ones say nothing, long ones every few seconds, and at the end."""
    fill(root, train__red=40, train__blue=100, val__red=1, val__blue=2)
    said: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(inspection, "_QUIET_SECONDS", 1e9)  # on the slowest machine it is quick
        describe_data(config(root), PROTOCOL, say=said.append)
    assert said == []
    monkeypatch.setattr(inspection.time, "monotonic", itertools.count(0, 70).__next__)
    describe_data(config(root), PROTOCOL, say=said.append)
    assert said == [
        "Looking at the pictures, once: 64 of 140, about 1 min left",
        "Looking at the pictures, once: 128 of 140, about 13 s left",
        "Looking at the pictures, once: 140 of 140, about 0 s left",
        "Looked at 140 pictures.",
        "Looking at the pictures, once: 3 of 3, about 0 s left",
        "Looked at 3 pictures.",
    ]


def test_it_says_so_every_ten_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(inspection.time, "monotonic", lambda: now)
    said: list[str] = []
    progress = inspection._Progress(2_100, said.append)
    for now, number in ((0, 100), (2.9, 100), (3, 100), (12.9, 100), (13, 2_000), (60, 20)):  # noqa: B007 - read by the clock
        progress.at(number)
    assert said == [
        "Looking at the pictures, once: 100 of 2,100, about 1 min left",
        "Looking at the pictures, once: 2,000 of 2,100, about 1 s left",
        "Looking at the pictures, once: 20 of 2,100, about 104 min left",
    ]


def test_pictures_of_a_test_split_are_only_hashed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(root, train__red=2, train__blue=2, val__red=1, val__blue=1)
    opened: set[str] = set()
    decode = inspection.decode
    monkeypatch.setattr(inspection, "decode", lambda file: (opened.add(file.name), decode(file))[1])
    monkeypatch.setattr(inspection, "read_header", None)
    describe_data(config(root), PROTOCOL)
    assert opened == {str(path) for path in (root / "train").rglob("*.png")}


# --- what a worker finds changed ------------------------------------------------------------------


def changed(root: Path, description: Any) -> str:
    with pytest.raises(UnreadableData) as error:
        open_data(config(root), description.protocol, description.inspected)
    return str(error.value)


def test_a_worker_says_what_changed(root: Path) -> None:
    fill(root, train__red=4, train__blue=4, val__red=1, val__blue=1)
    then = describe_data(config(root), PROTOCOL)
    said = "does not hold the files that it held when the run began"
    blue = root / "train/blue"
    (blue / "00.png").write_bytes((blue / "00.png").read_bytes() + b"x")
    assert changed(root, then) == f"{blue} {said}: 4 pictures then, 4 now"
    (blue / "00.png").unlink()
    assert changed(root, then) == f"{blue} {said}: 4 pictures then, 3 now"
    for part in ("train", "val"):
        (root / part / "blue").rename(root / part / "green")
    assert changed(root, then) == f"{blue} {said}: 4 pictures then, no now"
    for part in ("train", "val"):
        (root / part / "green").rename(root / part / "azure")
    assert changed(root, then) == f"{root}/train/azure {said}: no pictures then, 3 now"


def test_a_worker_leaves_out_what_the_driver_did(root: Path) -> None:
    fill(root, train__red=2, train__blue=1, val__red=1, val__blue=1)
    read = DataConfig.from_dict(config(root))
    listed = list_part(layout_of(read), "train")
    for left_out, files in (
        (("red/00.png",), ("blue/00.png", "red/01.png")),
        (("blue/00.png", "red/00.png", "red/01.png"), ()),
    ):
        found = inspected_index(listed, read, left_out=left_out)
        assert (found.left_out, found.files, found.digests) == (left_out, files, ())


def test_the_hash_of_a_folder_is_the_same_on_every_machine(root: Path) -> None:
    """It stands in every protocol hash; pictures of few bytes, written out by hand."""
    for name in ("train/a", "train/b", "val/a", "val/b"):
        (root / name).mkdir(parents=True)
        for place in range(4):
            (root / name / f"{place}.ppm").write_bytes(b"P6 1 1 255\n" + bytes([place, 1, 2]))
    found = describe_data(config(root), PROTOCOL)
    assert (found.content_hash, found.split_hash) == ("0796cde51b0f23e1", "50467708f205d29d")
    assert found.inspected is not None
    assert found.inspected.to_dict() == {
        "content_hash": found.content_hash,
        "listing": {"a": "4 9389eefbc744ce91", "b": "4 eab013a8976b6b73"},
        "left_out": [],
    }
    assert np.isclose(found.chance, 0.5)
