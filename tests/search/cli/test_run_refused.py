"""`run`: what is refused before Ray starts."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.search.cli.program import run


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["trials=0", "protocol.epochs=-1"], "2 problems"),
        (["space.input.size=32"], "is 32, and fashion-mnist has 28"),
        (["space.limits={params: 10}"], "no architecture of this space is feasible"),
        (["data.source=full", "data.folder=/absent"], "/absent"),
        (["data={name: image-folder, folder: /absent}", "protocol={}"], "/absent"),
        (["store=mysql://x"], "unknown scheme 'mysql'"),
        (["store=/absent/x.db"], "the folder /absent does not exist"),
        (["space.mixers=[{operator: convolotion}]"], "no operator is named 'convolotion'"),
    ],
)
def test_bad_input_is_exit_code_2_and_writes_nothing(
    configuration: str,
    changes: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [part for change in changes for part in ("--set", change)]
    code, out, err = run(capsys, "run", configuration, *options)
    assert (code, out) == (2, ""), err
    assert message in err
    assert "Starting Ray" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_operators_that_there_are_not_are_refused_before_any_trial(
    configuration: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("space.operator_choice._chosen", None)
    monkeypatch.setenv("MIXSPACE_OPERATORS", "fast")
    code, out, err = run(capsys, "run", configuration, "--set", "trials=2")
    assert (code, out) == (2, "")
    assert "MIXSPACE_OPERATORS: 'fast' is not allowed; must be one of auto, plain, fused" in err
    assert "Starting Ray" not in err


def test_a_password_is_never_shown(configuration: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = "postgresql://user:s3cret@127.0.0.1:1/none"
    code, out, err = run(capsys, "run", configuration, "--store", store)
    assert code == 2
    assert "127.0.0.1" in err
    assert "s3cret" not in out + err


def test_a_study_that_is_there_is_refused(
    store: str, configuration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "run", configuration, "--store", store)
    assert code == 2
    assert "go on with it by --resume, or begin another by --study NAME" in err


def test_resuming_with_another_protocol_is_refused(
    store: str, configuration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--store", store, "--resume", "--set", "protocol.epochs=9"]
    code, _, err = run(capsys, "run", configuration, *arguments)
    assert code == 2
    assert "protocol.epochs: the study was made with 2; got 9" in err


def test_a_ray_that_does_not_answer(
    configuration: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a process of its own: Ray keeps what it is told of an address."""
    command = [sys.executable, "-m", "search", "run", configuration]
    environment = {"RAY_ADDRESS": "127.0.0.1:1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    found = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, timeout=120
    )
    assert found.returncode == 2, found.stderr
    assert "RAY_ADDRESS: no Ray answers at 127.0.0.1:1" in found.stderr
    assert "Traceback" not in found.stderr
