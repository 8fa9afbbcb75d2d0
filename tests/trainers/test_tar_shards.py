"""Pictures in tar files: WebDataset's shards, tars of class folders, a tar for each class."""

import io
import json
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from space.errors import InputError
from tests.trainers.data_contract import Images, PictureContract
from tests.trainers.tiny import pictures
from trainers import Protocol, UnreadableData, describe_data, open_data
from trainers.data.kinds import tar_shards
from trainers.data.tar_shards.headers import NotATar, regular_files
from trainers.data.tar_shards.tar_files import members

NAMES = ("cat", "dog", "owl")
Files = list[tuple[str, bytes]]


def packed(files: Files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def pack(path: Path, files: Files) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(files))


def png(pixels: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def dot(number: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (number, 1, 1)).save(buffer, "PNG")
    return buffer.getvalue()


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"name": "tar-shards", "folder": str(folder)} | changes


def described(folder: Path, **changes: Any) -> Any:
    return describe_data(config(folder, **changes), Protocol.from_dict({"data": "tar-shards"}))


def refused(folder: Path, **changes: Any) -> list[str]:
    with pytest.raises(InputError) as error:
        described(folder, **changes)
    return [str(problem) for problem in error.value.problems]


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path_factory.mktemp("cache")))


class TestWebDataset(PictureContract):
    """Two shards of training, of samples with .cls and with .json, and one of validation."""

    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        for part, pixels, labels in images.parts():
            files: list[Files] = [[], []]
            for number, (each, label) in enumerate(zip(pixels, labels, strict=True)):
                here = files[number % 2]
                here.append((f"{number:04}.png", png(each)))
                said = json.dumps({"label": int(label), "text": "x"}).encode()
                as_text = (f"{number:04}.cls", str(label).encode())
                here.append(as_text if number % 2 else (f"{number:04}.json", said))
            if part == "train":
                pack(folder / "set-train-0000.tar", files[0])
                pack(folder / "set-train-0001.tar", files[1])
            else:
                pack(folder / "set-validation-00.tar", files[0] + files[1])
        (folder / "classnames.txt").write_text("\n".join(NAMES) + "\n")
        return config(folder)

    def test_the_classes_are_called_as_the_file_says(self, config: dict[str, Any]) -> None:
        assert described(Path(config["folder"])).class_names == NAMES


class TestFoldersInTars(PictureContract):
    """A tar for each part, with class folders in it."""

    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        for part, pixels, labels in images.parts():
            files = [
                (f"./{part}/{NAMES[label]}/{number}.png", png(each))
                for number, (each, label) in enumerate(zip(pixels, labels, strict=True))
            ]
            pack(folder / f"{part}.tar", files)
        return config(folder)


class TestTarForEachClass(PictureContract):
    """As ImageNet comes: tars of classes, those of the training part in a tar of their own."""

    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        for part, pixels, labels in images.parts():
            tars = []
            for label, name in enumerate(NAMES):
                chosen = [
                    (f"{name}_{number}.PNG", png(each))
                    for number, each in enumerate(pixels)
                    if labels[number] == label
                ]
                tars.append((f"{name}.tar", packed(chosen)))
            if part == "train":
                pack(folder / "img_train.tar", tars)
            else:
                (folder / "test").mkdir()
                for name, content in tars:
                    (folder / "test" / name).write_bytes(content)
        return config(folder)


def fill(folder: Path, name: str = "train.tar", first: int = 0, count: int = 9) -> None:
    files = [(f"{NAMES[n % 3]}/{n}.png", dot(n)) for n in range(first, first + count)]
    pack(folder / name, files)


PARTS = st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1)
PATHS = st.lists(PARTS.filter(lambda part: part not in (".", "..")), min_size=1, max_size=6)


@settings(max_examples=60)
@given(
    names=st.lists(PATHS.map("/".join), max_size=6, unique=True),
    long=st.integers(0, 300),
    kind=st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_headers_are_read_as_tarfile_does(names: list[str], long: int, kind: int) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=kind) as archive:
        for number, name in enumerate([*names, "x" * long + "y"]):
            info = tarfile.TarInfo(name)
            info.type = tarfile.DIRTYPE if number == 1 else tarfile.REGTYPE
            info.size = 300 * number if info.isreg() else 0
            with suppress(ValueError):  # ustar has no room for it
                archive.addfile(info, io.BytesIO(b"z" * info.size))
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as archive:
        expected = [(m.name, m.offset_data, m.size) for m in archive if m.isreg()]
    found = [*regular_files(buffer, 0, len(buffer.getvalue()))]
    assert [(m.name.rstrip("/"), *m[1:]) for m in found] == [
        (name.removeprefix("./"), *rest) for name, *rest in expected
    ]


@given(st.integers(0, 5119), st.integers(0, 255))
@settings(max_examples=100)
def test_a_damaged_or_cut_tar_is_refused_or_read_and_nothing_else(place: int, value: int) -> None:
    whole = bytearray(packed([("a.png", b"x" * 700), ("b.cls", b"7"), ("c" * 120, b"")]))
    cut = whole[: place or None]
    whole[place] = value
    for content in (whole, cut):
        with suppress(NotATar):
            for member in regular_files(io.BytesIO(content), 0, len(content)):
                assert 0 <= member.offset <= member.offset + member.size <= len(content)


def test_the_offsets_are_those_of_the_members(tmp_path: Path) -> None:
    long = "a/" * 60 + "b.png"
    inner = packed([("x.png", b"inner"), (long, b"deep")])
    pack(tmp_path / "a.tar", [("1.txt", b"one"), (long, b"two" * 400), ("c.tar", inner)])
    content = (tmp_path / "a.tar").read_bytes()
    found = {m.name: content[m.offset : m.offset + m.size] for m in members(tmp_path / "a.tar")}
    expected = {"1.txt": b"one", long: b"two" * 400, "c.tar/x.png": b"inner"}
    assert found == expected | {f"c.tar/{long}": b"deep"}


def test_tars_that_say_no_part_are_all_trained_on(tmp_path: Path) -> None:
    for number, name in enumerate(NAMES):
        pack(tmp_path / f"{name}.tar", [(f"{n}.png", dot(9 * number + n)) for n in range(9)])
    found = described(tmp_path)
    assert found.class_names == NAMES
    assert "they lie in 3 tar files" in found.remarks
    assert "3 pictures are kept for the test (data.test_fraction)" in found.remarks


def test_a_validation_part_of_its_own_is_not_drawn(tmp_path: Path) -> None:
    for number, name in enumerate(("train-0.tar", "valid/a.tar", "test-0.tar")):
        fill(tmp_path, name, 9 * number, 9 if not number else 3)
    found = described(tmp_path)
    assert (found.train_images, found.validation_images) == (9, 3)
    assert "protocol.validation_fraction decides nothing" in found.remarks[2]
    assert len(pictures(config(tmp_path), "test").files) == 3


def test_what_does_not_count_is_told(tmp_path: Path) -> None:
    files = [
        (f"{n}.{kind}", content)
        for n in range(9)
        for kind, content in (
            ("png", dot(n)),
            ("cls", b"%d" % (n % 3)),
            ("mask.png", dot(1)),
            ("txt", b"x"),
        )
    ]
    pack(tmp_path / "train.tar", [*files, (".hidden.png", b"x")])
    assert "left out for their suffix: 9 .mask.png, 9 .txt" in described(tmp_path).remarks


def test_all_that_is_wrong_with_shards_comes_at_once(tmp_path: Path) -> None:
    good = [("0.png", dot(0)), ("0.cls", b"0"), ("1.png", dot(1)), ("1.cls", b"1")]
    pack(tmp_path / "train-0.tar", [*good, ("2.png", dot(2)), ("3.png", dot(3)), ("3.json", b"[")])
    pack(tmp_path / "train-1.tar", [*good, ("0.cls", b"1"), ("1.jpg", dot(1))])
    (tmp_path / "train-2.tar").write_bytes(b"no tar" * 200)
    cut = packed(good * 3)
    (tmp_path / "train-3.tar").write_bytes(cut[:1100])
    found = refused(tmp_path)
    place = f"data.folder: {tmp_path}/train"
    assert found[:3] == [
        f"{place}-0.tar has no label of 2.png and 1 more: a .cls, or a .json with a label at "
        "'label' (data.label_key) is needed",
        f"{place}-1.tar holds 0.cls more than once",
        f"{place}-1.tar has several pictures of one sample: 1",
    ]
    assert found[3].startswith(f"{place}-2.tar is no whole tar file (")
    assert found[4].startswith(f"{place}-3.tar is no whole tar file (")
    assert len(found) == 5


def test_labels_that_are_no_class_are_named(tmp_path: Path) -> None:
    pack(
        tmp_path / "train.tar",
        [
            (f"{n:02}.{kind}", content)
            for n in range(24)
            for kind, content in (("png", dot(n)), ("cls", b"%d" % (n % 6)))
        ],
    )
    (tmp_path / "classes.txt").write_text("cat\ndog\ndog\n\nowl\n")
    said = f"data.folder: {tmp_path}/train.tar has label '5' (4 pictures), which is no class"
    assert refused(tmp_path) == [f"{said}; the 5 classes are cat, dog (1), dog (2), (3), owl"]
    (tmp_path / "classes.txt").unlink()
    fill(tmp_path, "val.tar")
    said = f"{tmp_path}/val.tar has label 'cat' (3 pictures, and 2 other labels), which is no class"
    assert said in refused(tmp_path)[0]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "holds no .tar files, nor do folders in it"),
        (["a.tar.gz"], "holds no .tar files, nor do folders in it; it holds a.tar.gz: decompress"),
        (["train.tar", "more.tar"], "holds more.tar: where names of tars say a part, all must"),
        (["val.tar"], "holds no training shards: where names of tars say a part, all must have"),
    ],
)
def test_folders_without_shards_to_train_on_are_refused(
    tmp_path: Path, names: list[str], said: str
) -> None:
    for name in names:
        fill(tmp_path, name)
    assert f"data.folder: {tmp_path} {said}" in refused(tmp_path)[0]
    assert refused(tmp_path / "no") == [f"data.folder: {tmp_path}/no is not a folder"]


def test_compressed_tars_and_too_few_classes_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "train.tar", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    said = "is compressed (gzip): pictures are read from plain tars; decompress it"
    assert refused(tmp_path) == [f"data.folder: {tmp_path}/train.tar {said}"]
    pack(tmp_path / "train.tar", [("cat/1.png", dot(1))])
    assert refused(tmp_path)[0].endswith(
        "holds one class, 'cat' to train on; at least 2 classes are needed"
    )
    pack(tmp_path / "train.tar", [("cat/1.txt", b"")])
    assert "holds no labelled pictures to train on" in refused(tmp_path)[0]


def test_broken_pictures_in_tars_are_named_or_left_out(tmp_path: Path) -> None:
    files = [(f"{NAMES[n % 3]}/{n:02}.png", dot(n)) for n in range(20)]
    pack(tmp_path / "train.tar", [*files, ("owl/x.png", b"no picture")])
    said = f"data.folder: {tmp_path}/train.tar/owl/x.png is not a readable image (no kind of"
    assert refused(tmp_path)[0].startswith(said)
    chosen = config(tmp_path, broken="leave_out")
    found = described(tmp_path, broken="leave_out")
    assert "left out as broken: 1, such as train.tar/owl/x.png" in "; ".join(found.remarks)
    opened = open_data(chosen, found.protocol, found.inspected)
    assert opened.description.train_images == found.train_images
    content = (tmp_path / "train.tar").read_bytes()
    for number in range(3, 20):
        content = content.replace(dot(number), b"#" * len(dot(number)))
    (tmp_path / "train.tar").write_bytes(content)
    with pytest.raises(UnreadableData, match=r"train\.tar/\w+/\d\d\.png is not a readable image"):
        [*opened.train_batches(1, 0), *opened.validation_batches()]


def test_a_shard_that_changes_during_a_run_is_told(tmp_path: Path) -> None:
    fill(tmp_path, count=12)
    found = described(tmp_path)
    fill(tmp_path, count=11)
    with pytest.raises(UnreadableData, match=r"class \w+ of .* does not hold the files"):
        open_data(config(tmp_path), found.protocol, found.inspected)


def test_names_of_classes_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "classnames.txt").write_bytes(b"\xff\xfe")
    (said,) = refused(tmp_path)
    place = f"data.folder: {tmp_path}/classnames.txt cannot be read ("
    assert said.startswith(place + "'utf-8' codec can't decode byte 0xff")


def test_of_many_faults_of_shards_some_are_shown(tmp_path: Path) -> None:
    for number in range(23):
        (tmp_path / f"train-{number:02}.tar").write_bytes(b"no tar")
    *shown, last = refused(tmp_path)
    assert last == f"data.folder: {23 - len(shown)} more like these"
    assert shown[0] == (
        f"data.folder: {tmp_path}/train-00.tar is no whole tar file (it is cut off at byte 0)"
    )
    assert len(shown) == tar_shards._SHOWN
