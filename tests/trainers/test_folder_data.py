"""ImageNet-style folders: end to end with the paper's augmentation, and all that can be wrong."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from space.errors import InputError
from space.torchvision_support import prepare_torchvision
from tests.support.without_rights import python_without_rights
from tests.trainers.tiny import SEEDS, architecture, image_folder, pictures
from trainers import (
    Cause,
    Protocol,
    TestReading,
    Training,
    UnreadableData,
    classify,
    describe_data,
    final_test,
    open_data,
    open_test_split,
)
from trainers.data.augmentation import train_transform
from trainers.data.folder_data import FolderData, FolderImages
from trainers.data.image_folder import indexing


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image_folder(tmp_path_factory.mktemp("images"))


def paper(**changes: Any) -> Protocol:
    """The paper's recipe, shrunk in size and length only."""
    recipe = Protocol.paper_imagenet().to_dict()
    recipe["augmentation"] |= {"image_size": 32}
    small = {"epochs": 2, "warmup_epochs": 1, "batch_size": 8, "validation_fraction": 0.25}
    return Protocol.from_dict(recipe | small | changes)


def config(folder: Path, **changes: Any) -> dict[str, Any]:
    return {"name": "image-folder", "folder": str(folder)} | changes


def test_the_paper_recipe_trains_resumes_and_is_tested(folder: Path, tmp_path: Path) -> None:
    data = open_data(config(folder), paper())
    assert isinstance(data, FolderData)
    found = data.description
    assert (found.channels, found.height, found.width, found.classes) == (3, 32, 32, 3)
    chosen = architecture(channels=3, size=32, classes=3)
    for _ in range(2):
        found = Training(chosen, paper(), data, seeds=SEEDS, checkpoint_path=tmp_path / "c")
        found.run_epoch()
    assert found.done
    readings: list[TestReading] = []
    accuracy = final_test(chosen, tmp_path / "c", paper(), config(folder), readings.append)
    assert readings[-1].accuracy == accuracy
    assert readings[-1].images == 12


def test_colours_are_learned(folder: Path) -> None:
    plain = {"image_size": 32, "crop_scale": [0.5, 1.0], "colour_jitter": 0.1}
    protocol = paper(
        epochs=6, learning_rate=5e-3, label_smoothing=0, drop_path=0, augmentation=plain
    )
    data = open_data(config(folder), protocol)
    chosen = architecture(channels=3, size=32, classes=3)
    found = Training(chosen, protocol, data, seeds=SEEDS)
    while not found.done:
        result = found.run_epoch()
    assert result.validation_accuracy == 1.0


def test_batches_do_not_depend_on_the_number_of_workers(folder: Path) -> None:
    def batches(workers: int) -> list[torch.Tensor]:
        data = open_data(config(folder, workers=workers), paper())
        return [tensor for batch in data.train_batches(1, 5) for tensor in batch]

    for one, other in zip(batches(0), batches(2), strict=True):
        assert torch.equal(one, other)


CORNERS = [-1.484, -1.707, -1.724, 1.684, -1.844, -1.793, 1.530, 1.530]


def test_batches_are_those_of_every_release(folder: Path) -> None:
    """A trial that is taken up again must go on with the batches that it would have seen."""
    data = open_data(config(folder), paper(augmentation={"image_size": 32}))
    images, labels = next(data.train_batches(2, 7))
    assert labels.tolist() == [1, 1, 0, 2, 0, 0, 2, 2]
    assert images[:, 0, 5, 5].tolist() == pytest.approx(CORNERS, abs=0.05)


def test_samples_per_epoch_are_those_of_a_pass_over_the_folder(folder: Path) -> None:
    def labels(number: int, samples: int, workers: int = 0) -> torch.Tensor:
        small = paper(
            samples_per_epoch=samples, batch_size=3, augmentation={"image_size": 32}, epochs=9
        )
        data = open_data(config(folder, workers=workers), small)
        return torch.cat([part for _, part in data.train_batches(number, 5)])

    whole = open_data(config(folder), paper(batch_size=2, augmentation={"image_size": 32}))
    images = whole.description.train_images
    assert images % 3 == 0
    parts = [labels(number, 3) for number in range(1, images // 3 + 1)]
    once = torch.cat([part for _, part in whole.train_batches(1, 5)])
    assert [len(part) for part in parts] == [3] * (images // 3)
    seen, there = torch.cat(parts).bincount(minlength=3), once.bincount(minlength=3)
    assert (seen - there).abs().sum() == images - len(once)
    assert len(labels(1, 6 * images)) == 6 * images
    assert torch.equal(labels(2, 12), labels(2, 12, workers=2))


def test_every_augmentation_is_switched_on() -> None:
    said = repr(train_transform(paper().augmentation))
    for name in ("RandomResizedCrop", "RandomHorizontalFlip", "RandAugment"):
        assert name in said
    jitter = paper(augmentation={"image_size": 32, "colour_jitter": 0.4}).augmentation
    assert "ColorJitter" in repr(train_transform(jitter))


def test_the_index_is_that_of_torchvision(folder: Path) -> None:
    prepare_torchvision()
    from torchvision.datasets import ImageFolder

    index = pictures(config(folder))
    expected = ImageFolder(str(folder / "train"))
    assert list(index.classes) == expected.classes
    assert [
        (str(index.folder / f), int(n)) for f, n in zip(index.files, index.labels, strict=True)
    ] == expected.samples


def test_a_worker_looks_a_single_time_where_the_classes_lie(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look at each of a thousand folders takes its time on a network."""
    described, looks = describe_data(config(folder), paper()), Mock(wraps=indexing.find_layout)
    monkeypatch.setattr(indexing, "find_layout", looks)
    opened = open_data(config(folder), paper(), described.inspected)
    assert opened.description == replace(described, remarks=())
    assert looks.call_count == 1


def test_val_is_the_test_split_and_stays_unread(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    for file in (copy / "val").rglob("*.png"):
        file.write_bytes(b"not an image")
    data = open_data(config(copy), paper())
    assert sum(len(labels) for _, labels in data.validation_batches()) == 9
    readings: list[TestReading] = []
    with pytest.raises(InputError, match="is not a readable image"):
        open_test_split(config(copy), paper(), architecture_id="a", record=readings.append)
    assert readings == []


def test_hashes_follow_the_files(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    first = describe_data(config(copy), paper())
    assert first.content_hash == describe_data(config(folder), paper()).content_hash
    next((copy / "train" / "red").glob("*.png")).unlink()
    assert first.content_hash != describe_data(config(copy), paper()).content_hash


def test_a_broken_image_is_named(tmp_path: Path) -> None:
    root = image_folder(tmp_path / "images", train=2, val=1)
    index = pictures(config(root))
    broken = root / "train" / "red" / "001.png"
    broken.write_bytes(broken.read_bytes()[:60])
    images = FolderImages(index, np.arange(6), paper().augmentation, seed=0)
    with pytest.raises(UnreadableData, match=r"red/001\.png is not a readable image"):
        images[5]


@pytest.mark.parametrize("workers", [0, 1])
def test_the_reason_of_a_trial_names_the_broken_image(tmp_path: Path, workers: int) -> None:
    root = image_folder(tmp_path / "images", train=4, val=1)
    data = open_data(config(root, workers=workers), paper(batch_size=2))
    for broken in (root / "train" / "red").glob("*.png"):
        broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(UnreadableData, match="is not a readable image") as error:
        list(data.train_batches(1, 5))
    found = classify(error.value)
    assert (found.cause, found.state) == (Cause.DATA, "preempted")
    assert found.reason.startswith(f"{root}/train/red/00")
    assert ".png is not a readable image (" in found.reason
    assert "\n" not in found.reason
    assert "mend the file" in found.advice


def problems(folder: Path) -> str:
    with pytest.raises(InputError) as error:
        describe_data(config(folder), paper())
    return str(error.value)


def test_wrong_folders_are_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "absent") == f"data.folder: {tmp_path / 'absent'} is not a folder"
    assert "holds no class folders; it is empty; put class folders into" in problems(tmp_path)
    (tmp_path / "train").mkdir()
    (tmp_path / "val").mkdir()
    assert "train holds no class folders; it is empty" in problems(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / "train" / name).mkdir()
    (tmp_path / "val" / "cat").mkdir()
    assert "classes only in train/: dog" in problems(tmp_path)
    (tmp_path / "val" / "dog").mkdir()
    assert "cat holds no images; files count that end in .apng" in problems(tmp_path)
    shutil.rmtree(tmp_path / "train" / "dog")
    shutil.rmtree(tmp_path / "val" / "dog")
    assert "holds one class, 'cat'" in problems(tmp_path)


LISTING = """
import sys
from pathlib import Path
from space.errors import InputError
from trainers import DataConfig, Protocol
from trainers.data.data_kind import find_kind
try:
    config = DataConfig(name="image-folder", folder=Path(sys.argv[1]))
    find_kind(config, Protocol(data="image-folder")).load("train")
    print("taken", flush=True)
except InputError as error:
    print(error.problems[0], flush=True)
"""


@pytest.mark.thorough
@pytest.mark.parametrize("part", ["train", "val", "train/red", "train/red/deeper"])
def test_a_part_that_cannot_be_read_is_named_and_never_left_out(part: str, tmp_path: Path) -> None:
    for class_folder in ("train/red/deeper", "train/blue", "val/red", "val/blue"):
        (tmp_path / class_folder).mkdir(parents=True)
        (tmp_path / class_folder / "1.png").write_bytes(b"x")
    (tmp_path / "train/red/1.png").write_bytes(b"x")
    unreadable = tmp_path / part
    unreadable.chmod(0o300)
    process = python_without_rights(LISTING, str(tmp_path))
    said, _ = process.communicate(timeout=60)
    assert said == f"data.folder: {unreadable} cannot be read: Permission denied\n"
