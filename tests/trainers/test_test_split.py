"""The test split: locked during a search, in children too, and audited."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.trainers.tiny import image_folder, short_protocol, small_data
from trainers import (
    DataConfig,
    Protocol,
    TestReading,
    TestSplitLocked,
    lock_test_split,
    open_test_split,
)
from trainers.data import held_out_test
from trainers.data.held_out_test import VARIABLE
from trainers.data.kinds import fashion_mnist

CHILD = """
from trainers import Protocol, TestSplitLocked, open_test_split
try:
    open_test_split({}, Protocol(), architecture_id="a", record=print)
except TestSplitLocked:
    print("locked")
"""


def open_it(record: list[TestReading]) -> int:
    split = open_test_split({}, short_protocol(), architecture_id="abc", record=record.append)
    return sum(len(labels) for _, labels in split.batches("cpu"))


def test_it_is_locked_while_a_search_runs() -> None:
    readings: list[TestReading] = []
    with lock_test_split():
        with lock_test_split(), pytest.raises(TestSplitLocked):
            open_it(readings)
        with pytest.raises(TestSplitLocked):
            open_it(readings)
    assert readings == []
    assert open_it(readings) == 2_000


def test_clearing_the_environment_does_not_open_it() -> None:
    with lock_test_split():
        del os.environ[VARIABLE]
        with pytest.raises(TestSplitLocked):
            open_it([])
    assert VARIABLE not in os.environ


@pytest.mark.thorough
def test_it_is_locked_in_child_processes() -> None:
    with lock_test_split():
        inside = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, check=True)
    assert inside.stdout.strip() == b"locked"


WORKER = """
import os
from trainers.data.held_out_test import (
    VARIABLE, TestSplitLocked, lock_test_split_for_good, refuse_if_locked
)
refuse_if_locked()
lock_test_split_for_good()
del os.environ[VARIABLE]
try:
    refuse_if_locked()
except TestSplitLocked:
    print("locked")
"""


def test_it_is_locked_for_good_in_a_worker() -> None:
    found = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, check=True)
    assert found.stdout.strip() == b"locked"


def test_it_is_locked_for_good_here_and_in_children(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out_test, "_depth", 0)
    monkeypatch.setenv(VARIABLE, "")
    assert not held_out_test.is_locked()
    for depth in (1, 2):
        held_out_test.lock_test_split_for_good()
        assert (os.environ[VARIABLE], held_out_test._depth) == ("1", depth)
    with lock_test_split():
        assert os.environ[VARIABLE] == "1"
    assert (os.environ[VARIABLE], held_out_test.is_locked()) == ("1", True)
    monkeypatch.setattr(held_out_test, "_depth", 0)
    with pytest.raises(TestSplitLocked) as error:
        held_out_test.refuse_if_locked()
    assert str(error.value) == (
        "the test split cannot be read while a search is running; "
        "read it for a finished architecture, from a process of its own"
    )


def test_every_reading_is_recorded_before_images_are_handed_out() -> None:
    readings: list[TestReading] = []
    open_it(readings)
    (reading,) = readings
    assert (reading.architecture_id, reading.images) == ("abc", 2_000)
    assert reading.protocol_hash == short_protocol().hash
    assert reading.content_hash == fashion_mnist.load_part(DataConfig(), "test").content_hash
    assert reading.accuracy is None
    assert abs((datetime.now(UTC) - reading.read_at).total_seconds()) < 60
    open_it(readings)
    assert len({len(each.id) for each in readings} | {each.id for each in readings}) == 3


def test_what_cannot_be_recorded_is_not_read() -> None:
    def broken(reading: TestReading) -> None:
        raise ConnectionError("the store is away")

    with pytest.raises(ConnectionError):
        open_test_split({}, short_protocol(), architecture_id="abc", record=broken)


@pytest.mark.parametrize(("background", "level"), [("white", 1.0), ("black", 0.0)])
def test_what_shows_through_a_test_image_is_the_background_of_the_protocol(
    tmp_path: Path, background: str, level: float
) -> None:
    folder = image_folder(tmp_path)
    for file in folder.rglob("*.png"):
        Image.new("RGBA", (40, 40), (200, 30, 60, 0)).save(file)
    written = {"image_size": 32, "background": background}
    protocol = Protocol.from_dict({"data": "image-folder", "augmentation": written})
    config = {"name": "image-folder", "folder": str(folder)}
    split = open_test_split(config, protocol, architecture_id="abc", record=lambda reading: None)
    pixels = torch.cat([images for images, _ in split.batches("cpu")])
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    shown = pixels * std[:, None, None] + mean[:, None, None]
    assert torch.allclose(shown, torch.full_like(shown, level), atol=1e-5)


def test_the_data_of_a_search_never_open_the_test_files(monkeypatch: pytest.MonkeyPatch) -> None:
    read = fashion_mnist.read_idx
    names: list[str] = []

    def watched(path: Path, dimensions: int) -> np.ndarray:
        names.append(path.name)
        return read(path, dimensions)

    monkeypatch.setattr(fashion_mnist, "read_idx", watched)
    fashion_mnist._embedded_training_part.cache_clear()
    data = small_data(short_protocol())
    assert list(data.train_batches(1, 0))
    assert list(data.validation_batches())
    assert names
    assert all(name.startswith("train-") for name in names)
