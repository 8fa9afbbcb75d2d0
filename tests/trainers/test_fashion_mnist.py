"""Fashion-MNIST: the embedded subset, where the full set is looked for, and damaged files."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from space.errors import InputError
from space.torchvision_support import prepare_torchvision
from tests.trainers.tiny import short_protocol
from trainers import DataConfig, Protocol, describe_data
from trainers.data import fashion_mnist
from trainers.data.fashion_mnist import DEBIAN, EMBEDDED, load_part
from trainers.data.idx import read_idx, write_idx


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
        with pytest.raises(InputError, match="no download to"):
            fashion_mnist.locate(config)


def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare_torchvision()
    from torchvision import datasets

    def no_network(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(datasets, "FashionMNIST", no_network)
    with pytest.raises(InputError, match=r"no route to host.*use source 'embedded'"):
        fashion_mnist.download(tmp_path / "cache")


def test_missing_folders_and_files_are_named(tmp_path: Path) -> None:
    config = DataConfig(source="full", folder=tmp_path / "absent")
    with pytest.raises(InputError, match=r"data\.folder: .*absent is not a folder"):
        describe_data(config, Protocol())
    with pytest.raises(InputError, match="does not hold all of train-images"):
        describe_data(DataConfig(source="full", folder=tmp_path), Protocol())


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
    with pytest.raises(InputError, match=r"10000 images, .* 2000 labels"):
        describe_data(DataConfig(source="full", folder=folder), Protocol())


def test_labels_beyond_the_classes_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(EMBEDDED, tmp_path / "copy"))
    labels = folder / "train-labels-idx1-ubyte.gz"
    write_idx(labels, read_idx(labels, 1) + np.uint8(1))
    with pytest.raises(InputError, match=r"^data\.folder: .* holds label 10; .* 0 to 9"):
        describe_data(DataConfig(source="full", folder=folder), Protocol())


def test_all_problems_of_the_configuration_come_at_once() -> None:
    with pytest.raises(InputError) as error:
        DataConfig.from_dict({"name": "cifar", "limit_train": 0, "workers": -1, "colour": 1})
    assert len(error.value.problems) == 4
    for values in ({"folder": "x"}, {"download": True}, {"name": "image-folder"}):
        with pytest.raises(InputError, match=r"data\.(folder|download)"):
            DataConfig.from_dict(values)


def test_the_protocol_must_be_for_the_data() -> None:
    with pytest.raises(InputError, match=r"protocol\.data: is for 'image-folder'"):
        describe_data({}, Protocol.paper_imagenet())


def test_limits_change_the_protocol_hash() -> None:
    protocol = short_protocol()
    whole = describe_data({}, protocol).protocol
    part = describe_data({"limit_train": 100}, protocol).protocol
    assert whole.content_hash == part.content_hash
    assert len({protocol.hash, whole.hash, part.hash}) == 3
