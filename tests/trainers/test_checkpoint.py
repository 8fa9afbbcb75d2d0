"""Checkpoints: round trips, damage, foreign files, and a writer killed in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file

from space.errors import InputError
from trainers.checkpoint import (
    Checkpoint,
    check_tensors,
    load_checkpoint,
    remove_abandoned,
    save_checkpoint,
)

TENSORS = {
    "model.weight": torch.arange(12, dtype=torch.float32).reshape(3, 4),
    "model.count": torch.tensor(5),
    "model.half": torch.ones(3, dtype=torch.bfloat16),
    "optimiser.step.weight": torch.tensor(2.0),
}
STATE = {"architecture": "abc", "epoch": 2, "history": [0.1, 0.2]}

WRITER = """
import sys, torch
from pathlib import Path
from trainers.checkpoint import Checkpoint, save_checkpoint
for number in range(1, 10_000):
    tensors = {"model.weight": torch.full((400_000,), float(number))}
    save_checkpoint(Path(sys.argv[1]), Checkpoint(tensors, {"number": number}))
    print(number, flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "trial.safetensors"
    save_checkpoint(found, Checkpoint(TENSORS, STATE))
    return found


def test_what_is_saved_is_loaded(path: Path) -> None:
    found = load_checkpoint(path, {"architecture": "abc"})
    assert found.state == STATE
    assert found.tensors.keys() == TENSORS.keys()
    assert all(torch.equal(found.tensors[name], TENSORS[name]) for name in TENSORS)
    assert set(found.part("model")) == {"weight", "count", "half"}
    assert list(path.parent.iterdir()) == [path]


def test_every_flipped_byte_is_found(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    damaged_path = tmp_path / "damaged"
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        damaged_path.write_bytes(damaged)
        with pytest.raises(InputError, match="damaged"):
            load_checkpoint(damaged_path)


def rewritten(path: Path, tensors: dict[str, torch.Tensor], state: object) -> None:
    """The file with other contents, and the seal that it had."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file(tensors, path, metadata | {"state": json.dumps(state, sort_keys=True)})


CHANGED_STATES = [
    STATE | {"epoch": 3},
    STATE | {"history": [0.1, 0.3]},
    STATE | {"architecture": "abd"},
    STATE | {"more": None},
    {name: value for name, value in STATE.items() if name != "history"},
]


@pytest.mark.parametrize("state", CHANGED_STATES, ids=str)
def test_the_seal_holds_the_state(path: Path, state: dict[str, object]) -> None:
    """A sound file of JSON that says something else than what was saved."""
    rewritten(path, TENSORS, STATE)
    assert load_checkpoint(path).state == STATE
    rewritten(path, TENSORS, state)
    with pytest.raises(InputError, match="its hash does not match"):
        load_checkpoint(path)


CHANGED_TENSORS = {
    "a value": TENSORS | {"model.count": torch.tensor(6)},
    "a shape": TENSORS | {"model.weight": TENSORS["model.weight"].reshape(4, 3)},
    "a type": TENSORS | {"model.half": torch.ones(3, dtype=torch.float16)},
    "one more": TENSORS | {"model.more": torch.zeros(1)},
    "one less": {name: t for name, t in TENSORS.items() if name != "optimiser.step.weight"},
    "another name": {name.replace("half", "whole"): t for name, t in TENSORS.items()},
    "another name in its place": {name.replace("half", "hale"): t for name, t in TENSORS.items()},
    "swapped": TENSORS
    | {
        "model.count": TENSORS["optimiser.step.weight"],
        "optimiser.step.weight": TENSORS["model.count"],
    },
}


@pytest.mark.parametrize("what", CHANGED_TENSORS)
def test_the_seal_holds_every_tensor(path: Path, what: str) -> None:
    rewritten(path, CHANGED_TENSORS[what], STATE)
    with pytest.raises(InputError, match="its hash does not match"):
        load_checkpoint(path)


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_truncation_and_flipped_bits_are_found(data: st.DataObject, path: Path) -> None:
    whole = path.read_bytes()
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    if damaged:
        damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    copy = path.with_name("copy")
    copy.write_bytes(damaged)
    with pytest.raises(InputError, match="copy"):
        load_checkpoint(copy)


def test_foreign_and_missing_files_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(TENSORS, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="not a checkpoint of this program"):
        load_checkpoint(tmp_path / "foreign.safetensors")
    torch.save(TENSORS, tmp_path / "pickled.pth")
    for name in ("pickled.pth", "absent"):
        with pytest.raises(InputError, match=name):
            load_checkpoint(tmp_path / name)
    with pytest.raises(InputError, match="checkpoint"):
        load_checkpoint(tmp_path)


def test_another_architecture_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match="written for architecture abc, not xyz"):
        load_checkpoint(path, {"architecture": "xyz"})


def test_keys_shapes_and_types_are_checked(path: Path) -> None:
    wanted = {"a": torch.zeros(2), "b": torch.zeros(3), "c": torch.zeros(1)}
    found = {"a": torch.zeros(3), "c": torch.zeros(1, dtype=torch.float64), "d": torch.zeros(1)}
    with pytest.raises(InputError) as error:
        check_tensors(path, found, wanted, "network")
    for said in (
        "b is missing",
        "d is not known",
        "a is float32[3], not float32[2]",
        "c is float64",
    ):
        assert said in str(error.value)


def test_a_failed_write_leaves_the_old_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(tensors: object, partial: Path, metadata: object) -> None:
        partial.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("trainers.checkpoint.save_file", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(path, Checkpoint(TENSORS, {"epoch": 3}))
    assert load_checkpoint(path).state == STATE
    assert list(path.parent.iterdir()) == [path]


HALTING = """
import sys, torch
from pathlib import Path
from trainers import checkpoint
def halting(tensors, partial, metadata):
    save_file(tensors, partial, metadata)
    print("written", flush=True)
    sys.stdin.readline()
save_file, checkpoint.save_file = checkpoint.save_file, halting
contents = checkpoint.Checkpoint({"a": torch.ones(2)}, {"epoch": 7})
checkpoint.save_checkpoint(Path(sys.argv[1]), contents)
"""


@contextmanager
def in_the_middle_of_a_save(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has written a checkpoint beside its place, and waits for a line."""
    command = [sys.executable, "-c", HALTING, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_two_writers_do_not_meet(path: Path) -> None:
    """A worker that goes on for a while after its trial was taken over elsewhere."""
    with in_the_middle_of_a_save(path) as writer:
        remove_abandoned(path)
        save_checkpoint(path, Checkpoint(TENSORS, {"epoch": 3}))
        assert load_checkpoint(path).state == {"epoch": 3}
        writer.communicate("go on\n")
        assert writer.returncode == 0
    assert load_checkpoint(path).state == {"epoch": 7}
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_writer_left_is_removed(path: Path) -> None:
    beside = path.with_name("trial.safetensors2.partial")
    beside.touch()
    with in_the_middle_of_a_save(path) as writer:
        writer.kill()
        writer.communicate()
        assert len(list(path.parent.iterdir())) == 3
        remove_abandoned(path)
    assert set(path.parent.iterdir()) == {path, beside}


@pytest.mark.parametrize(("hours", "stays"), [(1, True), (48, False)])
def test_what_was_left_elsewhere_is_removed_when_it_is_old(
    hours: int, stays: bool, path: Path
) -> None:
    for name in ("trial.safetensors.partial", "trial.safetensors.0123abcd-1-2.partial"):
        left = path.with_name(name)
        left.touch()
        os.utime(left, times=(time.time() - hours * 3600,) * 2)
        remove_abandoned(path)
        assert left.exists() == stays


@pytest.mark.parametrize("wait", [0.003, 0.011, 0.017])
def test_a_killed_writer_leaves_a_whole_one(wait: float, tmp_path: Path) -> None:
    path = tmp_path / "trial.safetensors"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(3):
            writer.stdout.readline()
        time.sleep(wait)
        writer.send_signal(signal.SIGKILL)
        written = [3, *(int(line) for line in writer.stdout)][-1]
    found = load_checkpoint(path)
    assert found.state["number"] in (written, written + 1)
    assert (found.tensors["model.weight"] == found.state["number"]).all()
