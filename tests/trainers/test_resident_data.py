"""Kinds of data whose images are all in memory: idx files, CIFAR, .npz."""

import gzip
import io
import pickle
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from space.errors import InputError
from tests.trainers.data_contract import CLASSES, EDGE, DataContract, Images
from trainers import Protocol, describe_data, open_data, open_test_split
from trainers.data.idx import write_idx
from trainers.data.labelled_images import LabelledImages


def refused(config: dict[str, Any]) -> str:
    """The same, whether it is asked for the shape or for the data."""
    with pytest.raises(InputError) as error:
        describe_data(config, Protocol.from_dict({"data": config["name"]}))
    return str(error.value)


def described(config: dict[str, Any], **changes: Any) -> Any:
    return describe_data(config, Protocol.from_dict({"data": config["name"]} | changes))


# --- idx ------------------------------------------------------------------------------------------


def write_set(folder: Path, images: Images, *, grey: bool = False, name: str = "") -> None:
    for part, pixels, labels in images.parts():
        stem = name + {"train": "train", "test": "t10k"}[part]
        shown = pixels[..., 0] if grey else pixels
        write_idx(folder / f"{stem}-images-idx{shown.ndim}-ubyte.gz", shown)
        write_idx(folder / f"{stem}-labels-idx1-ubyte.gz", labels.astype(np.uint8))


class TestIdx(DataContract):
    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        write_set(folder, images)
        return {"name": "idx", "folder": str(folder)}


class TestGreyIdx(DataContract):
    grey = True

    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        (folder / "KMNIST/raw").mkdir(parents=True)  # where torchvision puts them
        write_set(folder / "KMNIST/raw", images, grey=True)
        return {"name": "idx", "folder": str(folder)}


def test_emnist_has_letters_and_several_sets(tmp_path: Path) -> None:
    for name in ("emnist-letters-", "emnist-digits-"):
        write_set(tmp_path, Images(), grey=True, name=name)
    (tmp_path / "emnist-letters-mapping.txt").write_text("0 65 97\n1 66 98\n2 67\n\n")
    config = {"name": "idx", "folder": str(tmp_path)}
    sets = "'emnist-digits', 'emnist-letters'"
    assert refused(config) == f"data.subset: must be one of those in {tmp_path}: {sets}"
    assert refused(config | {"subset": "x"}).endswith(f"{sets}; got 'x'")
    assert described(config | {"subset": "emnist-letters"}).class_names == ("A", "B", "C")
    assert described(config | {"subset": "emnist-digits"}).class_names == ("0", "1", "2")
    (tmp_path / "emnist-letters-mapping.txt").write_text("0 65\n1 66\n")
    assert "does not say the letters of all labels (2)" in refused(
        config | {"subset": "emnist-letters"}
    )


def test_labels_of_qmnist_are_the_first_of_their_columns(tmp_path: Path) -> None:
    images = Images()
    for part, pixels, labels in images.parts():
        write_idx(tmp_path / f"qmnist-{part}-images-idx3-ubyte.gz", pixels[..., 0])
        columns = np.stack([5 + labels, labels * 0 + 9], 1).astype(">i4")
        header = struct.pack(">III", 0x0C02, *columns.shape)
        packed = gzip.compress(header + columns.tobytes())
        (tmp_path / f"qmnist-{part}-labels-idx2-int.gz").write_bytes(packed)
    found = described({"name": "idx", "folder": str(tmp_path)})
    assert (found.classes, found.class_names) == (CLASSES, ("5", "6", "7"))


def test_a_set_without_a_test_part_keeps_a_share(tmp_path: Path) -> None:
    write_set(tmp_path, Images())
    config = {"name": "idx", "folder": str(tmp_path)}
    said = "data.test_fraction: t10k-images-idx4-ubyte.gz is the test split; only without it"
    assert refused(config | {"test_fraction": 0.5}) == said
    for file in tmp_path.glob("t10k*"):
        file.unlink()
    found = described(config | {"test_fraction": 0.25})
    assert found.train_images + found.validation_images == 18
    assert found.remarks[0] == "6 images are kept for the test (data.test_fraction)"
    protocol = Protocol.from_dict({"data": "idx"})
    chosen = {"architecture_id": "a", "record": lambda reading: None}
    test = open_test_split(config | {"test_fraction": 0.25}, protocol, **chosen)
    assert test.reading.images == 6


def test_wrong_idx_files_are_named(tmp_path: Path) -> None:
    config = {"name": "idx", "folder": str(tmp_path / "absent")}
    assert refused(config) == f"data.folder: {tmp_path / 'absent'} is not a folder"
    config["folder"] = str(tmp_path)
    assert "does not hold train-images-idx3-ubyte[.gz] and train-labels" in refused(config)
    write_set(tmp_path, Images())
    labels, images = (tmp_path / f"train-{n}-ubyte.gz" for n in ("labels-idx1", "images-idx4"))
    write_idx(labels, np.zeros(24, np.uint8))
    assert refused(config) == f"data.folder: {labels} holds one class, 0; at least 2 are needed"
    write_idx(labels, np.arange(23, dtype=np.uint8) % 3)
    assert refused(config) == f"data.folder: {images} holds 24 images, {labels} 23 labels"
    write_idx(images, np.zeros((24, 4, 4, 2), np.uint8))
    assert "holds images of 2 channels; allowed: 1 or 3" in refused(config)
    write_set(tmp_path, Images())
    images.write_bytes(images.read_bytes()[:400])
    assert f"{images} is corrupt or truncated" in refused(config)
    write_set(tmp_path, Images())
    write_idx(tmp_path / "t10k-labels-idx1-ubyte.gz", np.full(6, 7, np.uint8))
    described(config)  # a search reads none of it
    with pytest.raises(InputError, match="holds label 7, which no training image has"):
        open_test_split(
            config, Protocol.from_dict({"data": "idx"}), architecture_id="a", record=print
        )


# --- CIFAR ----------------------------------------------------------------------------------------


def records(pixels: np.ndarray, *labels: np.ndarray) -> bytes:
    """CIFAR's binary: labels, then the colours of 32×32 pixels one after the other."""
    large = pixels.repeat(2, 1).repeat(2, 2).transpose(0, 3, 1, 2).reshape(len(pixels), -1)
    return np.concatenate([np.stack(labels, 1).astype(np.uint8), large], 1).tobytes()


class _Cifar(DataContract):
    abstract = True
    edge = 32

    def __init_subclass__(cls) -> None:
        cls.abstract = False
        super().__init_subclass__()

    def test_the_pixels_are_those_that_were_written(self, config: dict[str, Any]) -> None:
        found = described(config)
        first = next(open_data(config, found.protocol).validation_batches())[0][0]
        levels = first * torch.tensor(found.std)[:, None, None]
        levels = ((levels + torch.tensor(found.mean)[:, None, None]) * 255).round()
        written = Images().train.transpose(0, 3, 1, 2)
        assert any(np.array_equal(levels.numpy()[:, ::2, ::2], each) for each in written)


class TestCifar10(_Cifar):
    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        inner = folder / "cifar-10-batches-bin"
        inner.mkdir()
        pixels, labels = (
            np.split(each, [5, 10, 15, 20]) for each in (images.train, images.train_labels)
        )
        parts = zip(pixels, labels, strict=True)
        for number, (pixels, labels) in enumerate(parts, 1):
            (inner / f"data_batch_{number}.bin").write_bytes(records(pixels, labels))
        (inner / "test_batch.bin").write_bytes(records(images.test, images.test_labels))
        names = [
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ]
        (inner / "batches.meta.txt").write_text("\n".join(names) + "\n\n")
        return {"name": "cifar10", "folder": str(folder)}


class TestCifar100(_Cifar):
    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        for part, pixels, labels in images.parts():
            content = records(pixels, labels % 2, labels)
            (folder / f"{part}.bin").write_bytes(content)
        return {"name": "cifar100", "folder": str(folder)}

    def test_coarse_classes_are_the_other_label(self, config: dict[str, Any]) -> None:
        fine, coarse = described(config), described(config | {"classes": "coarse"})
        assert (fine.classes, coarse.classes) == (100, 20)
        assert coarse.class_names[:2] == ("0", "1")
        assert fine.content_hash != coarse.content_hash


class TestCifar10Archive(_Cifar):
    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        config = TestCifar10().write(folder, images)
        with tarfile.open(folder / "cifar-10-binary.tar.gz", "w:gz", compresslevel=1) as archive:
            archive.add(folder / "cifar-10-batches-bin", "cifar-10-batches-bin")
        for file in (folder / "cifar-10-batches-bin").iterdir():
            file.unlink()
        return config


class Trap:
    """Raises when it is unpickled."""

    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('unpickled')",)


def test_pickles_of_cifar_are_never_read(tmp_path: Path) -> None:
    inner = tmp_path / "cifar-10-batches-py"
    inner.mkdir()
    for name in ("data_batch_1", "test_batch", "batches.meta"):
        (inner / name).write_bytes(pickle.dumps(Trap()))
    said = refused({"name": "cifar10", "folder": str(tmp_path)})
    assert said.endswith("is made of pickles, which may run code: take the binary one")
    assert f"{tmp_path} holds neither data_batch_1.bin, data_batch_2.bin" in said


def test_damaged_files_of_cifar_are_all_named(tmp_path: Path) -> None:
    config = TestCifar10().write(tmp_path, Images())
    inner = tmp_path / "cifar-10-batches-bin"
    for number in (1, 2):
        file = inner / f"data_batch_{number}.bin"
        file.write_bytes(file.read_bytes()[:-1])
    third = bytearray((inner / "data_batch_3.bin").read_bytes())
    third[0] = 10
    (inner / "data_batch_3.bin").write_bytes(third)
    assert refused(config).splitlines() == [
        *(
            f"data.folder: {inner}/data_batch_{n}.bin has 15,364 bytes, "
            "which is no multiple of 3,073"
            for n in (1, 2)
        ),
        f"data.folder: {inner}/data_batch_3.bin holds label 10; the classes are 0 to 9",
    ]
    (tmp_path / "again").mkdir()
    config = TestCifar10().write(tmp_path / "again", Images())
    names = tmp_path / "again/cifar-10-batches-bin/batches.meta.txt"
    names.write_text("cat dog")
    assert refused(config) == f"data.folder: {names} holds 2 names; 10 needed"


# --- npz ------------------------------------------------------------------------------------------


class TestNpz(DataContract):
    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        arrays = {}
        for part, pixels, labels in images.parts():
            arrays |= {f"x_{part}": pixels, f"y_{part}": labels}
        np.savez_compressed(folder / "images.npz", **arrays)
        return {"name": "npz", "file": str(folder / "images.npz")}


class TestMedMnist(DataContract):
    """Grey, labels in a column, and a validation part of its own."""

    grey = True

    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        arrays = {}
        for part, pixels, labels in images.parts():
            cut = 18 if part == "train" else len(pixels)
            names = {part: slice(0, cut)} | ({"val": slice(18, 24)} if part == "train" else {})
            for name, chosen in names.items():
                arrays |= {
                    f"{name}_images": pixels[chosen, ..., :1],
                    f"{name}_labels": labels[chosen, None],
                }
        np.savez(folder / "med.npz", **arrays)
        return {"name": "npz", "file": str(folder / "med.npz")}

    def test_the_validation_part_is_that_of_the_file(self, config: dict[str, Any]) -> None:
        found = described(config, validation_fraction=0.5)
        assert (found.train_images, found.validation_images) == (18, 6)
        assert "protocol.validation_fraction decides nothing" in found.remarks[0]
        other = described(config, split_seed=1)
        assert other.split_hash != found.split_hash
        limited = open_data(
            config | {"limit_validation": 3},
            found.protocol.model_copy(update={"content_hash": None, "split_hash": None}),
        )
        labels = torch.cat([labels for _, labels in limited.validation_batches()])
        assert sorted(labels.tolist()) == [0, 1, 2]


def npz(folder: Path, **arrays: np.ndarray) -> dict[str, Any]:
    np.savez(folder / "x.npz", **arrays)
    return {"name": "npz", "file": str(folder / "x.npz")}


PIXELS, LABELS = np.zeros((6, 4, 4), np.uint8), np.arange(6) % 2


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": PIXELS}, "holds x; x_train and y_train, or train_images and train_labels, needed"),
        ({"x_train": PIXELS / 2, "y_train": LABELS}, "has x_train of float64; must be uint8"),
        ({"x_train": PIXELS[0], "y_train": LABELS}, "has x_train (4, 4); must be (count, height,"),
        ({"x_train": PIXELS, "y_train": LABELS[:5]}, "has y_train (5,); must be one label an"),
        ({"x_train": PIXELS, "y_train": LABELS / 2}, "has y_train of float64; must be whole num"),
        ({"x_train": PIXELS, "y_train": LABELS * 0}, "holds one class, 0; at least 2 are needed"),
        ({"x_train": PIXELS[:0], "y_train": LABELS[:0]}, "has x_train (0, 4, 4): it is empty"),
        (
            {"x_train": PIXELS, "y_train": np.array(["a", Trap()] * 3, object)},
            "has y_train of object; must be whole numbers",
        ),
        (
            {"x_train": PIXELS, "y_train": LABELS, "x_test": PIXELS[:, 1:], "y_test": LABELS},
            "has images of several sizes: (3, 4, 1), (4, 4, 1)",
        ),
    ],
)
def test_wrong_arrays_are_named(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    config = npz(tmp_path, **arrays)
    assert f"data.file: {config['file']} {said}" in refused(config)


def test_all_that_is_wrong_with_arrays_comes_at_once(tmp_path: Path) -> None:
    config = npz(tmp_path, x_train=PIXELS / 2, y_train=LABELS / 2, x_test=PIXELS[0], y_test=LABELS)
    assert len(refused(config).splitlines()) == 4


def test_files_that_are_no_archive_are_refused(tmp_path: Path) -> None:
    config = npz(tmp_path, x_train=PIXELS, y_train=LABELS)
    path = Path(config["file"])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert f"data.file: {path} cannot be read as an .npz file (" in refused(config)
    path.write_bytes(pickle.dumps(Trap()))
    assert "cannot be read as an .npz file" in refused(config)
    path.unlink()
    assert refused(config) == f"data.file: {path} is no file"


def test_a_label_that_no_training_image_has_is_refused(tmp_path: Path) -> None:
    config = npz(
        tmp_path,
        x_train=PIXELS,
        y_train=LABELS,
        x_val=PIXELS,
        y_val=LABELS + 5,
        x_test=PIXELS,
        y_test=LABELS,
    )
    assert refused(config).endswith("y_val holds 5, which y of train has not")


def test_a_stated_size_that_is_not_held_is_refused(tmp_path: Path) -> None:
    config = npz(tmp_path, x_train=PIXELS, y_train=LABELS)
    path, buffer = Path(config["file"]), io.BytesIO()
    np.save(buffer, PIXELS)
    lies = buffer.getvalue().replace(b"(6, 4, 4)", b"(6, 4, 9)")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", lies)
        np.save(second := io.BytesIO(), LABELS)
        archive.writestr("y_train.npy", second.getvalue())
    assert "x_train.npy states 344 bytes and holds 224" in refused(config)


# --- normalisation --------------------------------------------------------------------------------


def test_images_are_normalised_by_those_that_are_trained_on() -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (40, EDGE, EDGE, 3), np.uint8)
    chosen = np.arange(0, 40, 3)
    found = LabelledImages(images, np.zeros(40, np.uint8)).normalised_by(chosen)
    shares = images[chosen] / 255
    assert found.mean == pytest.approx(shares.mean((0, 1, 2)))
    assert found.std == pytest.approx(shares.std((0, 1, 2)))
    flat = LabelledImages(images * 0 + np.uint8(51), np.zeros(40, np.uint8)).normalised_by(chosen)
    assert (flat.mean, flat.std) == (pytest.approx((0.2,) * 3), (1.0,) * 3)
