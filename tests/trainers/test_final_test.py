"""The final test: one audited reading of the test split for a finished architecture."""

import shutil
from pathlib import Path

import pytest
import torch

from space.errors import InputError
from tests.trainers.tiny import DATA, architecture, short_protocol, training
from trainers import TestReading, TestSplitLocked, final_test, lock_test_split, open_test_split
from trainers.evaluation import score


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("final") / "c"
    found = training(path, epochs=2)
    while not found.done:
        found.run_epoch()
    return path


def run(path: Path, record: list[TestReading], **changes: object) -> float:
    protocol = short_protocol(**{"epochs": 2} | changes)
    return final_test(architecture(), path, protocol, DATA, record.append)


def test_accuracy_is_measured_and_recorded(trained: Path) -> None:
    readings: list[TestReading] = []
    accuracy = run(trained, readings)
    before, after = readings
    assert 0.05 < accuracy <= 1
    assert (before.accuracy, after.accuracy) == (None, accuracy)
    assert before.id == after.id
    assert after.architecture_id == architecture().id
    assert after.protocol_hash == training(epochs=2).protocol.hash
    assert run(trained, []) == accuracy


def test_what_is_evaluated_is_tested(tmp_path: Path) -> None:
    """The average of the weights where the protocol wants it, not the weights that go on."""
    found = training(tmp_path / "c", epochs=2, ema_decay=0.9)
    while not found.done:
        found.run_epoch()
    split = open_test_split({}, found.protocol, architecture_id="a", record=lambda reading: None)
    batches, cpu = list(split.batches("cpu")), torch.device("cpu")
    evaluated, trained = (
        score(model, batches, found.protocol, cpu)[1] for model in (found.evaluated, found.model)
    )
    assert evaluated != trained  # so the test can fail
    assert run(tmp_path / "c", [], ema_decay=0.9) == evaluated


def test_nothing_is_read_during_a_search(trained: Path) -> None:
    readings: list[TestReading] = []
    with lock_test_split(), pytest.raises(TestSplitLocked):
        run(trained, readings)
    assert readings == []


def test_wrong_checkpoints_are_refused_before_anything_is_read(
    trained: Path, tmp_path: Path
) -> None:
    readings: list[TestReading] = []
    damaged = Path(shutil.copy(trained, tmp_path / "damaged"))
    content = bytearray(damaged.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    unfinished = tmp_path / "unfinished"
    training(unfinished, epochs=2).run_epoch()
    for path, changes in (
        (damaged, {}),
        (tmp_path / "absent", {}),
        (unfinished, {}),
        (trained, {"learning_rate": 1e-3}),
    ):
        with pytest.raises(InputError, match="checkpoint"):
            run(path, readings, **changes)
    assert readings == []
