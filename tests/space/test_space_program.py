"""The program around the commands: help, start, and what happens to what it prints."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.space.test_space_cli import run


@pytest.mark.thorough
@pytest.mark.parametrize("command", ["mixers", "graph", "zoo", "cost", "show", "count", "sample"])
def test_help_teaches_by_examples_that_run(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert "Examples:" in out
    assert "--json" in out
    examples = re.findall(rf"python -m space {command}(.*)", out.partition("Examples:")[2])
    assert len(examples) >= 2
    for example in examples:
        words = example.partition(">")[0].split()
        if not any(word.startswith("my-") or word == "--out" for word in words):
            words = ["100" if word == "1000" else word for word in words]
            assert run(capsys, command, *words)[0] == 0


def test_the_program_starts_without_torch() -> None:
    code = (
        "import sys; from space.cli.program import run_program; "
        "codes = [run_program([c, '--json']) for c in ('mixers', 'graph', 'zoo')]; "
        "codes.append(run_program(['show', 'swin_tiny', '--json'])); "
        "codes.append(run_program(['cost', 'dwnet_tiny', '--json'])); "
        "heavy = {'torch', 'timm', 'ray', 'optuna', 'pandas'} & sys.modules.keys(); "
        "sys.exit(f'{codes} {heavy}' if any(codes) or heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.thorough
@pytest.mark.parametrize(
    "words",
    [
        "--help",
        "mixers --json",
        "graph --moves",
        "zoo",
        "cost --help",
        "show swin_tiny --json",
    ],
)
@pytest.mark.parametrize("program", ["space", "search space"])
def test_a_reader_may_leave_early(words: str, program: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", *program.split(), *words.split()]
    with os.fdopen(writer, "wb") as stdout:
        ran = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", ["mixers --json", "mixers"])
def test_a_full_disk_is_told(words: str) -> None:
    command = [sys.executable, "-m", "space", *words.split()]
    with Path("/dev/full").open("wb") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ran.returncode == 1
    assert ran.stderr == "error: stdout cannot be written: No space left on device\n"


def test_it_runs_as_a_module() -> None:
    command = [sys.executable, "-m", "space", "cost", "dwnet_tiny", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout)["params"] == 24_172_744
