"""Data by timm's names: its folders, data sets of Hugging Face, and what is refused."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from space.errors import InputError
from tests.trainers.data_contract import Images, PictureContract
from trainers import DataConfig, Protocol, describe_data

NAMES = ("class 2", "class 10", "zebra")
"""In timm's order, which knows numbers."""


def write_folders(folder: Path, images: Images) -> None:
    for part, pixels, labels in images.parts():
        for number, (each, label) in enumerate(zip(pixels, labels, strict=True)):
            path = folder / part / NAMES[label] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(each).save(path)


def refused(values: dict[str, Any]) -> str:
    with pytest.raises(InputError) as error:
        describe_data({"name": "timm"} | values, Protocol.from_dict({"data": "timm"}))
    return str(error.value)


class TestFolder(PictureContract):
    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        write_folders(folder, images)
        place = {"dataset": "folder", "folder": str(folder)}
        return {"name": "timm", "split": "train", "test_split": "test", **place}

    def test_the_classes_are_in_timms_order(self, config: dict[str, Any]) -> None:
        found = describe_data(config, self.protocol(config))
        assert found.class_names == NAMES


def test_broken_pictures_are_named(tmp_path: Path) -> None:
    write_folders(tmp_path, Images())
    (tmp_path / "train/zebra/x.png").write_bytes(b"no picture")
    said = refused({"dataset": "folder", "folder": str(tmp_path)})
    assert "of train (zebra/x.png) is not a readable image (no kind of picture" in said


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dataset": "wds/x"}, "must be 'folder' or 'hfds/NAME'; got 'wds/x': shards are read in"),
        ({"dataset": "torch/cifar10"}, "read it by data.name 'cifar10' or 'cifar100'"),
        ({"dataset": "torch/mnist"}, "got 'torch/mnist': read it by data.name 'idx'"),
        ({"dataset": "tfds/x"}, "a stream has no fixed order"),
        ({"dataset": "hfids/x"}, "'hfds/NAME' reads the same data set"),
        ({"dataset": "x"}, "must be 'folder' or 'hfds/NAME'; got 'x'"),
        ({"dataset": "folder"}, "data.folder: this field is required where dataset is 'folder'"),
        ({"dataset": "folder", "folder": "/no"}, "data.folder: /no is not a folder"),
        ({"dataset": "folder", "folder": "/x.tar"}, "tars are read by data.name 'tar-shards'"),
        (
            {"dataset": "folder", "folder": "/", "test_split": "train"},
            "data.test_split: must be another than split; got 'train'",
        ),
    ],
)
def test_what_cannot_be_read_by_number_is_refused(values: dict[str, Any], said: str) -> None:
    assert said in refused(values)


def test_a_split_that_is_not_there_is_not_the_whole_folder(tmp_path: Path) -> None:
    write_folders(tmp_path, Images())
    config = {"dataset": "folder", "folder": str(tmp_path / "train"), "test_split": "val"}
    assert refused(config) == f"data.test_split: {tmp_path}/train has no folder for 'val'"
    (tmp_path / "empty").mkdir()
    found = refused(config | {"folder": str(tmp_path / "empty")})
    assert "'folder', split 'train', cannot be opened: Found 0 images" in found


def test_without_its_package_a_data_set_of_hugging_face_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trainers.data.kinds.timm_dataset.find_spec", lambda name: None)
    said = "data.dataset: 'hfds/x/y' needs the package datasets: pip install datasets"
    assert refused({"dataset": "hfds/x/y"}) == said


# --- Hugging Face, by a stand-in for its package that keeps to what timm's reader asks of it ------


class Column:
    names = NAMES


class StandIn:
    """A `datasets.Dataset` with rows of a picture and a label."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.info = ModuleType("info")
        self.info.features, self.info.splits = {"label": Column}, None

    def cast_column(self, name: str, kind: Any) -> "StandIn":
        assert name == "image"
        return self

    def remove_columns(self, name: str) -> list[dict[str, Any]]:
        return [{"label": row["label"]} for row in self.rows]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self.rows[number]


class TestHuggingFace(PictureContract):
    @pytest.fixture(autouse=True)
    def stand_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        package = ModuleType("datasets")
        package.Image = lambda decode: None  # type: ignore[attr-defined]

        def load(name: str, split: str, cache_dir: str | None) -> StandIn:
            rows = []
            for path in sorted((Path(cache_dir or "") / split).glob("*/*.png")):
                image = {"bytes": path.read_bytes(), "path": path.name}
                rows.append({"image": image, "label": NAMES.index(path.parent.name)})
            if not rows:
                raise ValueError(f"Unknown split {split}")
            return StandIn(rows)

        package.load_dataset = load  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "datasets", package)
        monkeypatch.setattr("trainers.data.kinds.timm_dataset.find_spec", lambda name: package)
        monkeypatch.delitem(sys.modules, "timm.data.readers.reader_hfds", raising=False)

    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        write_folders(folder, images)
        place = {"dataset": "hfds/some/set", "folder": str(folder)}
        return {"name": "timm", "test_split": "test", **place}

    def test_a_split_that_is_not_there_is_named(self, config: dict[str, Any]) -> None:
        said = "data.dataset: 'hfds/some/set', split 'no', cannot be opened: Unknown split no"
        assert refused(config | {"split": "no"}) == said

    def test_labels_that_are_none_are_named(
        self, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(StandIn, "remove_columns", lambda self, name: [{"label": -1}] * 9)
        lines = refused(config).splitlines()
        assert lines[0] == "data.dataset: picture 0 of train has label -1"
        assert len(lines) == 5


def test_a_configuration_reads_back() -> None:
    values = {"name": "timm", "dataset": "hfds/a/b", "input_key": "img", "workers": 2}
    read = DataConfig.from_dict(values)
    assert {name: read.to_dict()[name] for name in values} == values
