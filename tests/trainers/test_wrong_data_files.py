"""Files of images in memory, and of timm's readers, that lack something or are damaged."""

import bz2
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from space.errors import InputError
from tests.trainers import test_resident_data
from tests.trainers.data_contract import Images
from tests.trainers.test_resident_data import (
    LABELS,
    PIXELS,
    described,
    npz,
    refused,
    write_set,
)
from trainers import Protocol, describe_data
from trainers.data import describe
from trainers.data.data_config import as_meant_then
from trainers.data.idx import write_idx
from trainers.data.image_folder import class_folders
from trainers.data.image_folder.class_folders import list_pictures
from trainers.data.image_folder.layout import find_layout
from trainers.data.image_folder.picture_files import InFolder
from trainers.data.kinds import npz as npz_module
from trainers.data.kinds import timm_dataset
from trainers.data.kinds.timm_dataset import InReader, TimmConfig, TimmDataset
from trainers.timm_support import prepare_timm

TIMM = Protocol.from_dict({"data": "timm"})

# --- idx ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimensions", [1, 2])
def test_images_are_arrays_of_three_or_four_dimensions(tmp_path: Path, dimensions: int) -> None:
    write_set(tmp_path, Images())
    config = {"name": "idx", "folder": str(tmp_path)}
    (tmp_path / "t10k-images-idx4-ubyte.gz").unlink()
    path = tmp_path / f"t10k-images-idx{dimensions}-ubyte.gz"
    write_idx(path, np.zeros((6,) * dimensions, np.uint8))
    said = f"data.folder: {path} must be idx3 or idx4; got idx{dimensions}"
    kind = describe.find_kind(
        describe.parse_data_config(config), Protocol.from_dict({"data": "idx"})
    )
    with pytest.raises(InputError) as error:
        kind.load("test")
    assert str(error.value) == said


# --- CIFAR ----------------------------------------------------------------------------------------


def archived(folder: Path, without: str = "") -> tuple[dict[str, Any], Path]:
    """CIFAR-10 in its archive, perhaps without a file."""
    config = test_resident_data.TestCifar10().write(folder, Images())
    place, inner = folder / "cifar-10-binary.tar.gz", folder / "cifar-10-batches-bin"
    with tarfile.open(place, "w:gz", compresslevel=1) as archive:
        for file in sorted(inner.iterdir()):
            if file.name != without:
                archive.add(file, f"{inner.name}/{file.name}")
            file.unlink()
    return config, place


def test_a_folder_of_cifar_that_is_not_there_is_named(tmp_path: Path) -> None:
    config = {"name": "cifar10", "folder": str(tmp_path / "no")}
    assert refused(config) == f"data.folder: {tmp_path}/no is not a folder"


def test_an_archive_of_cifar_that_lacks_a_file_is_named(tmp_path: Path) -> None:
    config, place = archived(tmp_path, "data_batch_2.bin")
    assert refused(config) == f"data.folder: {place} does not hold data_batch_2.bin"


def test_an_archive_of_cifar_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    config, place = archived(tmp_path)
    place.write_bytes(bz2.compress(b"no tar"))
    said = f"data.folder: {place}/data_batch_1.bin cannot be read (file could not be opened "
    assert refused(config) == f"{said}successfully)"


# --- npz ------------------------------------------------------------------------------------------


def test_of_two_parts_val_is_the_test(tmp_path: Path) -> None:
    config = npz(tmp_path, x_train=PIXELS, y_train=LABELS, x_val=PIXELS[:4], y_val=LABELS[:4])
    found = described(config, validation_fraction=0.5)
    assert (found.train_images, found.validation_images) == (3, 3)
    said = "data.test_fraction: x_val is the test split; only without it"
    assert refused(config | {"test_fraction": 0.5}) == said


def test_one_channel_has_no_axis_and_three_have(tmp_path: Path) -> None:
    protocol = Protocol.from_dict({"data": "npz"})
    for pixels, shape in (
        (PIXELS[..., None], (6, 4, 4)),
        (PIXELS, (6, 4, 4)),
        (np.stack([PIXELS] * 3, -1), (6, 4, 4, 3)),
    ):
        config = npz(tmp_path, x_train=pixels, y_train=LABELS, x_test=pixels, y_test=LABELS)
        kind = describe.find_kind(describe.parse_data_config(config), protocol)
        images: Any = kind.load("train")
        assert images.images.shape == shape


def test_arrays_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = npz(tmp_path, x_train=PIXELS, y_train=LABELS)
    monkeypatch.setattr(npz_module, "MAX_BYTES", 224)
    described(config)
    monkeypatch.setattr(npz_module, "MAX_BYTES", 223)
    said = f"data.file: {config['file']} x_train.npy has 224 bytes; at most 223"
    assert refused(config) == said


# --- timm -----------------------------------------------------------------------------------------


class Reader:
    """What timm's readers have in common."""

    def __init__(self, labels: list[Any], classes: dict[str, int] | None = None) -> None:
        self.samples = [(f"/no/{n}.png", label) for n, label in enumerate(labels)]
        self.class_to_idx = {} if classes is None else classes

    def __len__(self) -> int:
        return len(self.samples)

    def filename(self, number: int) -> str:
        return self.samples[number][0]


def timm(monkeypatch: pytest.MonkeyPatch, **splits: Reader) -> TimmDataset:
    monkeypatch.setattr(timm_dataset, "_made", lambda config, split: splits[split])
    config = TimmConfig(name="timm", dataset="hfds/a/b", test_split="test")
    return TimmDataset(config, TIMM)


def said(kind: TimmDataset, part: Any = "train") -> str:
    with pytest.raises(InputError) as error:
        kind.listed(part)
    return str(error.value)


def test_labels_without_names_are_called_by_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = timm(monkeypatch, train=Reader([2, 0, 2]), test=Reader([1]))
    assert kind.classes() == ("0", "1", "2")
    index = kind.listed("train").index
    assert (index.files, index.labels.tolist()) == (
        ("000000001", "000000000", "000000002"),
        [0, 2, 2],
    )
    assert index.sizes.tolist() == [0, 0, 0]
    assert not index.class_in_name


def test_too_few_classes_and_pictures_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    where = "data.dataset: "
    assert said(timm(monkeypatch, train=Reader([0, 0]))) == (
        f"{where}hfds/a/b has 1 classes; at least 2 are needed"
    )
    assert said(timm(monkeypatch, train=Reader([]))) == f"{where}train holds no pictures"
    kind = timm(monkeypatch, train=Reader([0, 1]), test=Reader([]))
    assert said(kind, "test") == f"{where}test holds no pictures"


def test_a_label_of_the_test_that_no_class_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"b": 1, "a": 0}
    kind = timm(monkeypatch, train=Reader([0, 1], names), test=Reader([1, 2, 3], names))
    assert kind.classes() == ("a", "b")
    assert said(kind, "test") == "data.dataset: test holds label 2, which train has not"


def test_timm_is_asked_as_the_configuration_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    prepare_timm()
    asked: list[Any] = []

    def create(*arguments: Any, **options: Any) -> Any:
        asked.append((arguments, options))
        return SimpleNamespace(reader="a reader")

    monkeypatch.setattr("timm.data.create_dataset", create)
    monkeypatch.setattr(timm_dataset, "find_spec", lambda name: name)
    far = TimmConfig(name="timm", dataset="hfds/a/b", input_key="img", target_key="fine")
    near = TimmConfig(name="timm", dataset="folder", folder=tmp_path)
    assert timm_dataset._made(far, "val") == timm_dataset._made(near, "train") == "a reader"
    keys = {"input_key": "img", "target_key": "fine"}
    assert asked == [
        (("hfds/a/b",), {"root": None, "split": "val", **keys}),
        (("",), {"root": str(tmp_path), "split": "train"}),
    ]


def test_a_folder_of_timm_that_is_none_is_named(tmp_path: Path) -> None:
    for name, also in (
        ("no", ""),
        ("x.tar", "; tars are read by data.name 'tar-shards', from their folder"),
    ):
        config = TimmConfig(name="timm", dataset="folder", folder=tmp_path / name)
        with pytest.raises(InputError) as error:
            timm_dataset._made(config, "train")
        assert str(error.value) == f"data.folder: {tmp_path}/{name} is not a folder{also}"


def test_labels_that_are_no_numbers_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader([0, True, "x", 1.5, -1, 1, None, []])
    lines = said(timm(monkeypatch, train=reader)).splitlines()
    written = ("true", '"x"', "1.5", "-1", "null")
    places = (1, 2, 3, 4, 6)
    assert [line.rpartition(" label ")[0] for line in lines] == [
        f"data.dataset: picture {number} of train has" for number in places
    ]
    assert [line.rpartition(" ")[2].strip("'\"") for line in lines] == [
        each.strip('"') for each in written
    ]


def test_pictures_of_timm_are_called_by_number_and_file(tmp_path: Path) -> None:
    reader = Reader([0, 1])
    config = TimmConfig(name="timm", dataset="hfds/a/b")
    assert InReader(reader, config, "train").path("000000001") == (
        "hfds/a/b, picture 1 of train (/no/1.png)"
    )
    for error in (OSError, LookupError, NotImplementedError):

        def failing(number: int, error: type[Exception] = error) -> str:
            raise error

        reader.filename = failing  # type: ignore[method-assign]
        own = TimmConfig(name="timm", dataset="folder", folder=tmp_path)
        assert InReader(reader, own, "val").path("7") == f"{tmp_path}, picture 7 of val"


# --- folders and configurations -------------------------------------------------------------------


def test_folders_of_pictures_are_equal_by_their_place() -> None:
    here, same, there = InFolder(Path("/a")), InFolder(Path("/a")), InFolder(Path("/b"))
    assert (here == same, hash(here) == hash(same), here == there) == (True, True, False)
    assert here != Path("/a")


def test_a_table_with_three_parts_says_which_is_which(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "file,label,split\n1.png,a,train\n2.png,b,train\n3.png,a,val\n4.png,b,test\n"
    )
    found = find_layout(tmp_path)
    assert {role: len(part.rows or ()) for role, part in found.parts.items()} == {
        "train": 2,
        "validation": 1,
        "test": 1,
    }
    assert found.remarks == (
        f"the classes are those of {tmp_path}/labels.csv",
        "the validation part is that of the table, and protocol.validation_fraction decides "
        "nothing",
    )


def test_pictures_that_cannot_be_listed_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> list[str]:
        raise PermissionError(13, "Permission denied", "/a/b")

    monkeypatch.setattr(class_folders, "_walk", broken)
    with pytest.raises(InputError) as error:
        list_pictures(tmp_path)
    assert str(error.value) == "data.folder: /a/b cannot be read: Permission denied"


def test_stored_data_of_an_unknown_kind_stay_as_they_are() -> None:
    stored = {"name": "no such kind", "workers": 2, "source": "full"}
    meant = as_meant_then(stored)
    assert meant == stored
    assert meant is not stored


def test_where_the_test_is_locked_no_warnings_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = npz(tmp_path, x_train=PIXELS, y_train=LABELS)
    protocol = Protocol.from_dict({"data": "npz"})
    asked: list[Any] = []

    def warnings(self: Any, source: Any, say: Any) -> tuple[str, ...]:
        asked.append(say)
        return ("take care",)

    monkeypatch.setattr(npz_module.Npz, "warnings", warnings)
    open_remarks = describe_data(config, protocol).remarks
    assert (open_remarks[-1], asked) == ("take care", [None])
    monkeypatch.setattr(describe, "is_locked", lambda: True)
    assert describe_data(config, protocol).remarks == open_remarks[:-1]
    assert len(asked) == 1
