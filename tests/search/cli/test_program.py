"""What holds for every command: help, readers that leave, tables that fit; nothing starts Ray."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from search.store import open_store
from tests.search.cli.program import run
from tests.support.samples import add_study, begin_run, complete_trial


@pytest.mark.parametrize("rule", ["last", "best"])
@pytest.mark.parametrize("command", [["best"], ["studies"], ["best", "--study", "s", "--pareto"]])
def test_what_is_to_be_known_of_accuracies_is_said_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], rule: str
) -> None:
    """Those of the best epoch are optimistic; what guessing scores is known of the data."""
    path = str(tmp_path / "s.db")
    told = {"chance": 0.564, "validation_images": 10, "train_images": 40, "remarks": []}
    objectives = {
        "objectives": {"validation_accuracy": "maximise", "macs": "minimise"},
        "data": told,
    }
    with open_store(path, create=True) as store:
        study = add_study(store, "s", protocol={"judged_by": rule}, objective=objectives)
        complete_trial(store, study.id, begin_run(store, study.id).id, 0, 0.564)
    code, _, err = run(capsys, *command, "--store", path)
    assert code == 0
    assert ("they are optimistic (protocol.judged_by: best)" in err) is (rule == "best")
    chance = "Guessing the commonest class scores 56.40% of the 10 validation images."
    assert (chance in err) is (command != ["studies"])
    (row,) = json.loads(run(capsys, *command, "--store", path, "--json")[1])
    assert row["judged_by"] == rule


@pytest.mark.parametrize("command", [["best"], ["show", "ab"], ["studies"]])
def test_a_store_that_is_not_there(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *command, "--store", str(tmp_path / "absent.db"))
    assert (code, out) == (2, "")
    assert err.startswith("error: store: there is no store")
    assert list(tmp_path.iterdir()) == []


def test_the_store_may_come_from_the_environment(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXSPACE_STORE", store)
    assert run(capsys, "studies")[0] == 0


@pytest.mark.parametrize("command", [[], ["run"], ["methods"], ["best"], ["show"], ["studies"]])
def test_help_teaches_by_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert "python -m search" in out


def test_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "fly")[0] == 2
    assert run(capsys, "best", "--top", "many")[0] == 2
    assert run(capsys, "run")[0] == 2


def test_looking_imports_neither_torch_nor_ray(store: str) -> None:
    program = (
        "import sys; from search.cli.program import run_program; "
        f"code = run_program(['best', '--store', {store!r}]); "
        "assert not {'torch', 'ray', 'optuna'} & set(sys.modules), 'heavy'; sys.exit(code)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_reader_that_has_enough_is_no_error(store: str) -> None:
    command = f"{sys.executable} -m search best --store {store} --json | head -1"
    found = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


READING = [["best"], ["best", "--json"], ["show", "ID"], ["show", "ID", "--json"]]
READING += [["studies"], ["studies", "--json"]]


@pytest.mark.thorough
@pytest.mark.parametrize("command", [*READING, ["--help"], ["--version"], ["best", "--help"]])
def test_a_reader_that_has_left_is_no_error(
    command: list[str], store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    words = [row["architecture_id"] if word == "ID" else word for word in command]
    reader, writer = os.pipe()
    os.close(reader)
    found = subprocess.run(
        [sys.executable, "-m", "search", *words],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=os.environ | {"MIXSPACE_STORE": store},
        text=True,
        check=False,
        timeout=120,
    )
    os.close(writer)
    assert (found.returncode, found.stderr) == (0, "")


def test_the_version_needs_no_installed_package(tmp_path: Path) -> None:
    """A source tree, and the working directory of a Ray job, have no package metadata."""
    program = (
        "import importlib.metadata as m\n"
        "def absent(name): raise m.PackageNotFoundError(name)\n"
        "m.version = absent\n"
        "from search.cli.program import run_program\n"
        "raise SystemExit(run_program(['--version']))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "mixspace, version 0\n", "")


@pytest.mark.parametrize("width", [50, 80, 120, 200])
@pytest.mark.parametrize("command", [["best"], ["show", "ID"], ["studies"]])
def test_tables_fit_the_terminal(
    command: list[str],
    width: int,
    store: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    words = [row["architecture_id"] if word == "ID" else word for word in command]
    monkeypatch.setattr("space.cli.output._PLAIN_WIDTH", width)
    code, out, _ = run(capsys, *words, "--store", store)
    telling = {
        "best": ["#", "architecture", "accuracy", "token mixers", row["operators"]],
        "show": ["stage", "width", "depth", "epoch", "validation loss", "50.00%"],
        "studies": ["study", "state", "done", "best", "tiny", "complete", "5/5"],
    }
    assert code == 0
    assert "…" not in out
    assert all(len(line) <= width for line in out.splitlines())
    assert all(word in out for word in telling[command[0]]), out
