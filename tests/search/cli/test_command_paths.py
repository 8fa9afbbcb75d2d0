"""Every path and every argument of every command: at home, or refused in one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from search.cli.program import run_program
from space.cli.program import run_program as run_space
from tests.search.cli.program import run
from tests.search.small import SPACE, values

LONG, DEEP, FOREIGN = "x" * 300, "x/" * 3000, "caf\udce9"
COMMANDS = [
    ["run", "{}.yaml"],
    ["continue", "{}"],
    ["repeat", "{}"],
    ["show", "{}"],
    ["best", "--where", "study = '{}'"],
    ["best", "--study", "{}"],
    ["space", "show", "swin_tiny", "--out", "{}.svg"],
    ["space", "show", "{}.json"],
    ["space", "count", "{}.yaml"],
    ["space", "sample", "{}.yaml"],
    ["space", "cost", "{}.yaml"],
]
FILES = [each for each in COMMANDS if each[-1].endswith((".yaml", ".json", ".svg"))]


def check_refused(code: int, out: str, err: str) -> None:
    assert (code, out) == (2, "")
    assert err.startswith(("error: ", "Usage: "))
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 3
    assert len(err) < 1500


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_arguments_that_are_no_text_are_refused(
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *(part.format(FOREIGN) for part in command))
    check_refused(code, out, err)
    assert "UTF-8" in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [COMMANDS[0], COMMANDS[5], COMMANDS[6]], ids=" ".join)
def test_bytes_that_are_no_text_are_refused_by_the_real_program(
    command: list[str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "search", *(part.format(FOREIGN) for part in command)],
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        check=False,
    )
    check_refused(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert b"UTF-8" in done.stderr


@pytest.mark.parametrize("command", FILES, ids=" ".join)
@pytest.mark.parametrize("path", [LONG, DEEP, "~none-such/x"], ids=["long", "deep", "homeless"])
def test_paths_that_cannot_be_are_refused(
    command: list[str], path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_refused(*run(capsys, *(part.format(path) for part in command)))


@pytest.mark.parametrize("field", ["checkpoints", "data.folder", "space"])
@pytest.mark.parametrize("path", [LONG, DEEP, r'"a\0"', r'"\udcff"', '""', "~none-such/x"])
def test_paths_of_a_configuration_are_refused_before_work(
    field: str, path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.yaml"
    content = values(store=str(tmp_path / "new.db"), checkpoints=str(tmp_path / "checkpoints"))
    file.write_text(yaml.safe_dump(content))
    given = [f"{field}={path}", *(["data.source=full"] if field == "data.folder" else [])]
    options = [part for text in given for part in ("--set", text)]
    code, out, err = run(capsys, "run", str(file), *options)
    check_refused(code, out, err)
    assert field in err
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_that_nobody_may_look_into_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    file = tmp_path / "study.yaml"
    below = str(tmp_path / "file" / "below")  # a folder in a file: ENOTDIR
    file.write_text(yaml.safe_dump(values(store=str(tmp_path / "new.db"), checkpoints=below)))
    code, _, err = run(capsys, "run", str(file))
    assert (code, "Traceback" in err) == (2, False)
    assert "checkpoints" in err


def test_a_tilde_is_the_home_on_every_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(work)
    (home / "space.yaml").write_text(yaml.safe_dump(SPACE))
    assert run_program(["space", "show", "~/space.yaml"]) == 0
    assert run_space(["count", "~/space.yaml"]) == 0
    assert run_space(["show", "swin_tiny", "--out=~/picture.svg"]) == 0
    assert (home / "picture.svg").is_file()
    assert run_space(["sample", "~/space.yaml", "--number", "1"]) == 0
    code, _, err = run(capsys, "run", "~/missing.yaml")
    assert (code, "there is no file" in err) == (2, True)
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("share", ["0.1_5", "nan", "1:30", "on", "'0.1'", "a: b", "٠.٣"])
def test_a_share_on_the_command_line_is_a_number_as_in_a_file(
    share: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(yaml.safe_dump(values(store=str(tmp_path / "new.db"))))
    code, out, err = run(capsys, "run", str(file), "--with-random-baseline", share)
    check_refused(code, out, err)
    assert "random_baseline" in err
