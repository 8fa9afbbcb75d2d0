"""Checkpoints: round trips, damage, foreign files, and a writer killed in the middle."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from space.errors import InputError
from trainers import checkpoint as checkpoint_module
from trainers.checkpoint import (
    FORMAT,
    Checkpoint,
    _partial_file,
    _started,
    check_tensors,
    load_checkpoint,
    load_weights,
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


def refusal(path: Path, expected: dict[str, object] | None = None) -> str:
    with pytest.raises(InputError) as error:
        load_checkpoint(path, expected)
    return str(error.value)


def test_foreign_and_missing_files_are_refused(path: Path, tmp_path: Path) -> None:
    foreign, later, pickled = tmp_path / "foreign", tmp_path / "later", tmp_path / "pickled.pth"
    save_file(TENSORS, foreign)
    save_file(TENSORS, later, {"format": "mixspace checkpoint 2"})
    torch.save(TENSORS, pickled)
    said = f"is not a checkpoint of this program (format {{}}, not {FORMAT!r})"
    assert refusal(foreign) == f"checkpoint: {foreign} {said.format('none')}"
    assert refusal(later) == f"checkpoint: {later} {said.format('mixspace checkpoint 2')}"
    assert refusal(tmp_path / "absent") == f"checkpoint: {tmp_path / 'absent'} does not exist"
    assert refusal(pickled).startswith(f"checkpoint: {pickled} is corrupt (a pickle, which may run")
    assert refusal(tmp_path).startswith(f"checkpoint: {tmp_path} is corrupt (")
    rewritten(path, TENSORS, {})
    assert refusal(path) == f"checkpoint: {path} is corrupt (its hash does not match)"


def test_what_the_system_refuses_says_nothing_of_the_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is raised as it is, to be tried again; a message without a number is of the file."""
    for error, found in (
        (SafetensorError("I/O error: Input/output error (os error 5)"), SafetensorError),
        (PermissionError(13, "Permission denied"), PermissionError),
        (OSError(19, "No such device"), InputError),
        (ValueError("[Errno 5] of something else"), InputError),
        (SafetensorError("odd"), InputError),
    ):
        monkeypatch.setattr("trainers.checkpoint.safe_open", Mock(side_effect=error))
        with pytest.raises(found):
            load_checkpoint(path)


def test_another_architecture_is_refused(path: Path) -> None:
    expected: dict[str, object] = {"epoch": 2, "architecture": "xyz"}
    assert refusal(path, expected) == (
        f"checkpoint: {path} was written for architecture abc, not xyz"
    )
    assert refusal(path, {"seed": 1}) == f"checkpoint: {path} was written for seed None, not 1"


def test_keys_shapes_and_types_are_checked(path: Path) -> None:
    def refused(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> str:
        with pytest.raises(InputError) as error:
            check_tensors(path, found, wanted, "network")
        return str(error.value)

    one, two, three = (torch.zeros(size) for size in (1, 2, 3))
    start = f"checkpoint: {path} does not fit the network: "
    wanted = {"a": two, "b": three, "c": one, "same": one}
    found = {"a": three, "c": one.double(), "d": one, "same": one}
    said = (
        "b is missing, d is not known, a is float32[3], not float32[2], "
        "c is float64[1], not float32[1]"
    )
    assert refused(found, wanted) == start + said
    missing = ", ".join(f"{number} is missing" for number in range(5))
    assert refused({}, {str(number): one for number in range(5)}) == start + missing
    assert refused({}, {str(number): one for number in range(6)}) == f"{start}{missing}, and 1 more"
    check_tensors(path, wanted, dict(reversed(wanted.items())), "network")


def test_weights_are_given_to_the_network_that_they_fit(tmp_path: Path) -> None:
    path, network = tmp_path / "weights", torch.nn.Linear(4, 3)
    weights = {f"model.{name}": torch.ones_like(t) for name, t in network.state_dict().items()}
    save_checkpoint(path, Checkpoint(weights | {"other.x": torch.zeros(1)}, STATE))
    load_weights(network, path, {"epoch": 2})
    assert all((each == 1).all() for each in network.state_dict().values())
    with pytest.raises(InputError, match="was written for epoch 2, not 3"):
        load_weights(network, path, {"epoch": 3})
    with pytest.raises(InputError) as error:
        load_weights(torch.nn.Linear(4, 3, bias=False), path, {})
    assert str(error.value) == (f"checkpoint: {path} does not fit the network: bias is not known")


@pytest.mark.parametrize("written", [b"half", None])
def test_a_failed_write_leaves_the_old_one(
    written: bytes | None, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(tensors: object, partial: Path, metadata: object) -> None:
        if written is not None:
            partial.write_bytes(written)
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


@pytest.mark.thorough
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


@pytest.mark.thorough
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


def test_what_a_writer_left_here_goes_once_it_is_gone(path: Path) -> None:
    """Whatever its age; and where its start was not known, by its age."""
    own = _partial_file(path)
    start, pid, began = own.name.removesuffix(".partial").rsplit("-", 2)
    assert (int(pid), int(began) > 0) == (os.getpid(), True)
    names = {
        own.name: True,
        f"{start}-{pid}-{int(began) + 1}.partial": False,
        f"{start}-{2**30}-{began}.partial": False,
        f"{start}-{2**30}-0.partial": True,
    }
    for name in names:
        path.with_name(name).touch()
    os.utime(own, times=(0, 0))
    remove_abandoned(path)
    assert {name: path.with_name(name).exists() for name in names} == names


def test_a_writer_has_begun_until_it_ends_whatever_it_is_called(tmp_path: Path) -> None:
    """Also one that has ended and for which nobody has waited yet."""
    program = tmp_path / "a) Z (b 1"
    shutil.copy(shutil.which("sleep") or "", program)
    with subprocess.Popen([program, "60"]) as process:
        began = _started(process.pid) / os.sysconf("SC_CLK_TCK")
        assert 0 <= time.clock_gettime(time.CLOCK_BOOTTIME) - began < 60
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert _started(process.pid) == 0
    assert _started(process.pid) == 0


def test_a_folder_is_made_and_what_json_lacks_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a/b/trial"
    save_checkpoint(path, Checkpoint({}, {}))
    assert load_checkpoint(path) == Checkpoint({}, {})
    with pytest.raises(ValueError, match="not JSON compliant"):
        save_checkpoint(path, Checkpoint({}, {"loss": float("nan")}))


@pytest.mark.thorough
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


def test_what_has_replaced_its_file_meanwhile_is_not_abandoned(path: Path) -> None:
    assert not checkpoint_module._is_abandoned(path.with_name("trial.safetensors.gone.partial"))


def test_a_machine_is_its_name_and_what_it_sees(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = checkpoint_module._machine.__wrapped__
    here = machine()
    monkeypatch.setattr(checkpoint_module.socket, "gethostname", lambda: "another")
    assert machine() != here

    def missing(self: Path) -> Path:
        raise OSError("no /proc")

    monkeypatch.setattr(Path, "readlink", missing)
    assert machine() == hashlib.sha256(b"another ").hexdigest()[:8]
