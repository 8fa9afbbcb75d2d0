"""Fashion-MNIST: the embedded subset, where the full set is looked for, and damaged files."""

import shutil
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from space.errors import InputError
from space.torchvision_support import prepare_torchvision
from tests.trainers.tiny import short_protocol
from trainers import DataConfig, Protocol, describe_data
from trainers.data.data_config import parse_data_config
from trainers.data.data_kind import DataShape
from trainers.data.describe import data_shape
from trainers.data.idx import read_idx, write_idx
from trainers.data.kinds import fashion_mnist
from trainers.data.kinds.fashion_mnist import CLASS_NAMES, DEBIAN, EMBEDDED, load_part

FIRST = "train-images-idx3-ubyte.gz"


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No package, no cache, no network."""
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "no-package")
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(fashion_mnist, "download", _refuse)
    return tmp_path


def _refuse(folder: Path) -> Path:
    raise InputError.of("data.source", f"no download to {folder}")


def test_the_embedded_subset_is_stratified_and_small() -> None:
    for part, count in (("train", 10_000), ("test", 2_000)):
        found = load_part(DataConfig(), part)
        assert found.images.shape == (count, 28, 28)
        assert found.class_names == CLASS_NAMES
        assert (np.bincount(found.labels) == count // 10).all()
    assert sum(file.stat().st_size for file in EMBEDDED.iterdir()) < 6_000_000
    assert "MIT" in (EMBEDDED / "LICENSE.txt").read_text()


def test_the_embedded_subset_is_made_of_the_full_set() -> None:
    if not DEBIAN.is_dir():
        pytest.skip("the full set is not here; on Debian: apt-get install dataset-fashion-mnist")
    for part in ("train", "test"):
        full, subset = load_part(DataConfig(source="full"), part), load_part(DataConfig(), part)
        known = {
            image.tobytes(): label for image, label in zip(full.images, full.labels, strict=True)
        }
        assert all(
            known[image.tobytes()] == label
            for image, label in zip(subset.images, subset.labels, strict=True)
        )


def test_a_given_folder_comes_first_and_may_be_torchvisions(nowhere: Path) -> None:
    raw = nowhere / "mine" / "FashionMNIST" / "raw"
    shutil.copytree(EMBEDDED, raw)
    for folder in (raw, nowhere / "mine"):
        config = DataConfig(source="full", folder=folder)
        assert describe_data(config, Protocol()).train_images == 8_000


def test_auto_falls_back_on_the_embedded_subset(nowhere: Path) -> None:
    assert fashion_mnist.locate(DataConfig(source="auto")) == EMBEDDED


def test_an_earlier_download_is_found(nowhere: Path) -> None:
    raw = nowhere / "cache" / "FashionMNIST" / "raw"
    shutil.copytree(EMBEDDED, raw)
    assert fashion_mnist.locate(DataConfig(source="auto")) == raw


def test_only_full_or_a_wish_downloads(nowhere: Path) -> None:
    for config in (DataConfig(source="full"), DataConfig(source="auto", download=True)):
        with pytest.raises(InputError) as error:
            fashion_mnist.locate(config)
        assert str(error.value) == f"data.source: no download to {nowhere / 'cache'}"


def test_without_a_home_nothing_is_looked_for_there(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "cache_folder", lambda: None)
    assert fashion_mnist.locate(DataConfig(source="auto")) == EMBEDDED
    with pytest.raises(InputError, match=r"^data\.source: no download to None$"):
        fashion_mnist.locate(DataConfig(source="full"))


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_torchvision()
    from torchvision import datasets

    def no_network(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(datasets, "FashionMNIST", no_network)
    cache = tmp_path / "below" / "cache"
    with pytest.raises(InputError) as error:
        fashion_mnist.download(cache)
    assert str(error.value) == (
        f"data.source: Fashion-MNIST is not on this machine and could not be downloaded to {cache} "
        "(no route to host); use source 'embedded', or install Debian's dataset-fashion-mnist"
    )
    with pytest.raises(InputError) as error:
        fashion_mnist.download(None)
    assert str(error.value) == (
        "data.source: Fashion-MNIST is not on this machine, and you have no home to download it "
        "to; name a folder by MIXSPACE_CACHE"
    )


def test_a_download_lies_where_torchvision_puts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare_torchvision()
    from torchvision import datasets

    fetch = Mock()
    monkeypatch.setattr(datasets, "FashionMNIST", fetch)
    cache = tmp_path / "below" / "cache"
    for _ in range(2):
        assert fashion_mnist.download(cache) == cache / "FashionMNIST" / "raw"
        assert cache.is_dir()
        fetch.assert_called_with(str(cache), train=True, download=True)


def refusal(folder: Path) -> str:
    with pytest.raises(InputError) as error:
        describe_data(DataConfig(source="full", folder=folder), Protocol())
    return str(error.value)


def test_missing_folders_and_files_are_named(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    assert refusal(absent) == f"data.folder: {absent} is not a folder"
    assert refusal(tmp_path) == (
        f"data.folder: {tmp_path} does not hold all of train-images-idx3-ubyte[.gz], "
        "train-labels-idx1-ubyte[.gz], t10k-images-idx3-ubyte[.gz], t10k-labels-idx1-ubyte[.gz]"
    )
    write_idx(Path(shutil.copytree(EMBEDDED, absent)) / FIRST, np.zeros((2, 28, 27), np.uint8))
    said = "holds images of (28, 27), not of (28, 28)"
    assert refusal(absent) == f"data.folder: {absent / FIRST} {said}"


@pytest.mark.parametrize("keep", [10, 100_000, -1])
def test_a_truncated_file_is_named(keep: int, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EMBEDDED, tmp_path / "copy"))
    path = folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz"):
        describe_data(DataConfig(source="full", folder=folder), Protocol())


def test_images_and_labels_must_match(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EMBEDDED, tmp_path / "copy"))
    shutil.copy(folder / "t10k-labels-idx1-ubyte.gz", folder / "train-labels-idx1-ubyte.gz")
    assert refusal(folder) == (
        f"data.folder: {folder / FIRST} holds 10000 images, "
        f"{folder}/train-labels-idx1-ubyte.gz 2000 labels"
    )


def test_labels_beyond_the_classes_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EMBEDDED, tmp_path / "copy"))
    labels = folder / "train-labels-idx1-ubyte.gz"
    write_idx(labels, read_idx(labels, 1) + np.uint8(1))
    assert refusal(folder) == f"data.folder: {labels} holds label 10; the classes are 0 to 9"


def test_all_problems_of_the_configuration_come_at_once() -> None:
    with pytest.raises(InputError) as error:
        DataConfig.from_dict({"name": "cifar", "limit_train": 0, "workers": -1, "colour": 1}, "x")
    assert {problem.where for problem in error.value.problems} == {
        "x.name",
        "x.limit_train",
        "x.workers",
        "x.colour",
    }


def test_fields_that_do_not_go_together_are_named() -> None:
    place = str(Path("/x"))
    for values, said in (
        ({"folder": place}, f"data.folder: only with source 'auto' or 'full'; got {place!r}"),
        ({"download": True}, "data.download: only with source 'auto' or 'full'"),
        ({"name": "image-folder"}, "data.folder: this field is required"),
    ):
        with pytest.raises(InputError) as error:
            DataConfig.from_dict(values)
        assert str(error.value) == said
    for values in (
        {"source": "auto", "folder": place, "download": True},
        {"name": "image-folder", "folder": place},
    ):
        config = DataConfig.from_dict(values)
        written = {name: config.to_dict()[name] for name in values}
        assert written == values
        assert parse_data_config(config) is config
        assert parse_data_config(config.to_dict()) == config


def test_the_protocol_must_be_for_the_data(tmp_path: Path) -> None:
    other = "protocol.data: is for {!r}, and data.name is {!r}"
    names = "image-folder", "fashion-mnist"
    folder = {"name": "image-folder", "folder": str(tmp_path)}
    for look in (describe_data, data_shape):
        with pytest.raises(InputError) as error:
            look({}, Protocol.paper_imagenet())
        assert str(error.value) == other.format(*names)
        with pytest.raises(InputError) as error:
            look(folder, Protocol())
        assert str(error.value) == other.format(*names[::-1])


def test_what_the_data_are_is_the_same_on_every_machine() -> None:
    shape = DataShape("fashion-mnist", 1, 28, 28, 10, fashion_mnist.CLASS_NAMES)
    assert data_shape({}, Protocol()) == shape
    found = describe_data({"limit_validation": 101}, Protocol())
    assert found.told() == {
        "train_images": 8000,
        "validation_images": 101,
        "chance": 11 / 101,
        "remarks": [],
        "class_names": list(CLASS_NAMES),
        "mean": [0.286],
        "std": [0.353],
    }
    assert (found.content_hash, found.split_hash) == ("f4bcdbf7cf622e0e", "70f9051b1d3ac86c")
    assert (found.channels, found.height, found.width, found.classes) == (1, 28, 28, 10)
    with pytest.raises(InputError, match=r"^data\.folder: /nowhere is not a folder$"):
        data_shape({"source": "full", "folder": "/nowhere"}, Protocol())


def test_limits_change_the_protocol_hash() -> None:
    protocol = short_protocol()
    whole = describe_data({}, protocol).protocol
    part = describe_data({"limit_train": 100}, protocol).protocol
    assert whole.content_hash == part.content_hash
    assert len({protocol.hash, whole.hash, part.hash}) == 3
