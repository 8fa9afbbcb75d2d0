"""Folders as people have them: any tree of links, every layout, what is beside, and copies."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from space.errors import InputError
from tests.trainers.tiny import image_folder
from trainers import Protocol, UnreadableData, describe_data, open_data
from trainers.data.image_folder.class_folders import class_folders, list_classes
from trainers.data.image_folder.image_index import Inspected

PROTOCOL = {
    "data": "image-folder",
    "validation_fraction": 0.25,
    "batch_size": 4,
    "augmentation": {"image_size": 32},
}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return image_folder(tmp_path / "images", train=4, val=2)


def remarks(folder: Path, **changes: Any) -> str:
    config = {"name": "image-folder", "folder": str(folder)} | changes
    return "; ".join(describe_data(config, Protocol.from_dict(PROTOCOL)).remarks)


# --- any tree of files and links, beside a slow listing -------------------------------------------

NAMES = ["a.png", "B.PNG", ".c.png", "d.txt", "e", ".f", "g\n.jpg", os.fsdecode(b"\xe9.png"), "h"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["folder", "folder", "file", "file", "link", "link", "hard", "fifo"]),
        st.integers(0, 20),
        st.sampled_from(NAMES),
        st.integers(0, 20),
    ),
    max_size=25,
)


def build(root: Path, steps: list[tuple[str, int, str, int]]) -> None:
    folders, things = [root], [root, root / "nowhere"]
    for kind, place, name, other in steps:
        path = folders[place % len(folders)] / name
        target = things[other % len(things)]
        if path.is_symlink() or path.exists():
            continue
        if kind == "folder":
            path.mkdir()
            folders.append(path)
        elif kind == "link":
            path.symlink_to(target)
        elif kind == "fifo":
            os.mkfifo(path)
        elif kind == "hard" and target.is_file() and not target.is_symlink():
            path.hardlink_to(target)
        else:
            path.write_bytes(b"x")
        things.append(path)


def reached(folder: str, seen: set[str]) -> Iterator[str]:
    """Paths of all that is called a picture; each real folder once, nothing hidden."""
    if os.path.realpath(folder) in seen:
        return
    seen.add(os.path.realpath(folder))
    for name in os.listdir(folder):  # noqa: PTH208
        path = os.path.join(folder, name)
        if name.startswith("."):
            continue
        if os.path.isdir(path):  # noqa: PTH112
            yield from reached(path, seen)
        elif name.lower().endswith((".png", ".jpg")):
            yield path


def inode_of(path: str) -> int | None:
    """None of what is no regular file."""
    return Path(path).stat().st_ino if os.path.isfile(path) else None  # noqa: PTH113


@settings(max_examples=60)
@given(steps=STEPS)
def test_any_tree_is_listed_as_a_slow_listing_does(steps: list[tuple[str, int, str, int]]) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        build(root, [("folder", 0, "k", 0), ("folder", 0, "l", 0), *steps])
        classes = class_folders(root)
        above = {os.path.realpath(each) for each in (root, *root.parents)}
        entries = [list(reached(str(root / each), set(above))) for each in classes]
        owner: dict[int | None, int] = {None: -1}
        places = [(label, inode_of(each)) for label, here in enumerate(entries) for each in here]
        bad = sum(owner.setdefault(inode, label) != label for label, inode in places)
        del owner[None]
        try:
            found = list_classes(root, classes)
        except InputError:
            assert not all(entries)
            return
        assert all(entries)
        taken = list(zip(found.labels, found.files, strict=True))
        assert {inode_of(str(root / file)): label for label, file in taken} == owner
        assert taken == sorted(taken)
        assert (len(taken), len(found.faults)) == (len(owner), bad)
        assert found.again == len(places) - len(owner) - bad


# --- what is beside, and said ---------------------------------------------------------------------


def test_what_lies_beside_the_classes_is_told(folder: Path) -> None:
    (folder / "train/loose.png").write_bytes(b"x")
    (folder / "train/list.csv").write_bytes(b"x")
    for name in ("test", "valid", ".git"):
        (folder / name).mkdir()
    said = remarks(folder)
    assert "not read, beside train/: test, valid" in said
    assert "outside of the class folders: 1" in said
    assert "for their suffix: 1 .csv" in said
    (folder / "val").rename(folder / "more")
    assert "more, test, valid; a folder val/ would be the test" in remarks(folder)


@pytest.mark.parametrize("name", ["train", "val"])
def test_a_class_of_the_name_of_a_part_is_refused_with_the_reason(folder: Path, name: str) -> None:
    (folder / "train/red").rename(folder / "train" / name)
    with pytest.raises(InputError, match="none may be called train or val"):
        remarks(folder / "train")


@pytest.mark.parametrize(
    "name", ["7", "two words", "a\nb", "🐈", os.fsdecode(b"c\xe9t"), "[red]%s{}"]
)
def test_classes_may_have_any_name(folder: Path, name: str) -> None:
    for part in ("train", "val"):
        (folder / part / "red").rename(folder / part / name)
    said = remarks(folder)
    assert "12 pictures apart from the test's, of 3 classes" in said
    assert "\n" not in said


@pytest.mark.parametrize("names", [("Red", "red"), ("caf\u00e9", "cafe\u0301")])
def test_classes_that_look_the_same_are_told(folder: Path, names: tuple[str, str]) -> None:
    for part, name in zip(("train", "val"), names, strict=True):
        (folder / part / "red").rename(folder / part / name)
    words = f"only in train/: {names[0]}; only in val/: {names[1]}; some differ in capitals"
    with pytest.raises(InputError, match=words):
        remarks(folder)


def test_copies_on_both_sides_of_a_split_are_told(folder: Path) -> None:
    (folder / "val").rename(folder.parent / "elsewhere")
    assert "both in" not in remarks(folder)
    for file in list((folder / "train/red").iterdir()):
        (file.parent / f"copy-{file.name}").write_bytes(file.read_bytes())
    for file in list((folder / "train/red").iterdir()):
        file.write_bytes((folder / "train/red/000.png").read_bytes())
    said = remarks(folder, test_fraction=0.3)
    assert "are both in the pictures to train on and in those kept for the test" in said
    assert "both in the validation part and in the training part, such as red/" in said


def test_a_picture_in_two_classes_is_told(folder: Path) -> None:
    assert "second class" not in remarks(folder)
    for number, name in enumerate(("green", "blue")):
        (folder / f"train/{name}").mkdir(exist_ok=True)
        (folder / f"val/{name}").mkdir(exist_ok=True)
        for part, file in (("train", "copy.png"), ("val", "own.png")):
            Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / part / name / file)
        (folder / f"train/{name}/red.png").write_bytes((folder / "train/red/000.png").read_bytes())
    said = remarks(folder)
    assert "2 pictures stand in a second class too, such as " in said
    assert said.count("one of the labels is wrong") == 1


def test_a_folder_of_data_sets_is_no_folder_of_classes(folder: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    for name in ("cats", "dogs"):
        (outer / name).symlink_to(folder)
    with pytest.raises(InputError, match="cats has class folders in its train/; name one of them"):
        remarks(outer)


def test_classes_that_a_part_lacks_are_named(folder: Path) -> None:
    (folder / "val").rename(folder.parent / "elsewhere")
    (folder / "train/one").mkdir()
    Image.new("RGB", (8, 8)).save(folder / "train/one/1.png")
    said = remarks(folder)
    assert "classes without test pictures: " in said
    assert "classes without validation pictures: one" in said
    assert "classes without training pictures" not in said
    assert "classes without training pictures" in remarks(folder, limit_train=2)
    few = describe_data({"limit_train": 9}, Protocol.from_dict({}))
    assert "classes without training pictures: " in "; ".join(few.remarks)


def test_a_share_for_the_test_that_is_too_small_is_named_as_that(folder: Path) -> None:
    (folder / "val").rename(folder.parent / "elsewhere")
    with pytest.raises(InputError) as error:
        remarks(folder, test_fraction=0.001)
    words = "data.test_fraction: 12 images with test_fraction 0.001 leave 0 for test"
    assert str(error.value).startswith(words)


@pytest.mark.parametrize("empty", ["no file", "text only", "hidden only", "link to nothing"])
def test_an_empty_class_is_named(folder: Path, empty: str) -> None:
    for part in ("train", "val"):
        (folder / part / "bird").mkdir()
    bird = folder / "train/bird"
    if empty == "text only":
        (bird / "a.txt").write_text("x")
    elif empty == "hidden only":
        (bird / "._a.png").write_text("x")
    elif empty == "link to nothing":
        (bird / "a.png").symlink_to("nowhere")
    with pytest.raises(InputError, match=r"train/bird holds no (readable )?images"):
        remarks(folder, broken="leave_out")


@pytest.mark.parametrize("layout", ["train and val", "train alone", "flat"])
def test_a_worker_opens_every_layout_as_the_driver_described_it(folder: Path, layout: str) -> None:
    if layout != "train and val":
        (folder / "val").rename(folder.parent / "elsewhere")
    root = folder / "train" if layout == "flat" else folder
    (folder / "train/red/broken.png").write_bytes(b"")
    config = {"name": "image-folder", "folder": str(root), "broken": "leave_out"}
    described = describe_data(config, Protocol.from_dict(PROTOCOL))
    opened = open_data(config, described.protocol, described.inspected).description
    for name in ("content_hash", "split_hash", "train_images", "validation_images", "class_names"):
        assert getattr(opened, name) == getattr(described, name)


def test_a_worker_tells_long_names_and_names_that_are_no_text_apart(folder: Path) -> None:
    deep = folder / "train/red"
    for middle in ("one", "two"):
        inner = deep / ("a" * 120) / middle / ("b" * 120)
        inner.mkdir(parents=True)
        (inner / "x.png").write_bytes((deep / "000.png").read_bytes() + middle.encode())
    (deep / ("a" * 120) / "one" / ("b" * 120) / "x.png").write_bytes(b"broken")
    for name, content in ((b"\xe9.png", b"broken"), (b"\\udce9.png", b"")):
        path = deep / os.fsdecode(name)
        path.write_bytes(content or (deep / "001.png").read_bytes() + b"copy")
    config = {"name": "image-folder", "folder": str(folder), "broken": "leave_out"}
    described = describe_data(config, Protocol.from_dict(PROTOCOL))
    assert described.inspected is not None
    told = Inspected.from_dict(json.loads(json.dumps(described.inspected.to_dict())))
    opened = open_data(config, described.protocol, told)
    assert opened.description.train_images == described.train_images
    assert opened.description.split_hash == described.split_hash


def test_the_class_that_differs_is_named_to_a_worker(folder: Path) -> None:
    for part in ("train", "val"):
        (folder / part / "red").rename(folder / part / "two words é")
    config = {"name": "image-folder", "folder": str(folder)}
    described = describe_data(config, Protocol.from_dict(PROTOCOL))
    (folder / "train/two words é/000.png").unlink()
    with pytest.raises(UnreadableData, match=r"train/two words é does not hold .* 4 pictures then"):
        open_data(config, described.protocol, described.inspected)
