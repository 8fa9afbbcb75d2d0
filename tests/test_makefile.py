"""The Makefile, with a Python that only writes down what it is asked for."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.checkout import ROOT, constraints, run

RECORDER = """#!/bin/sh
case "$1 $2" in
  "-c import"*) exit {too_old} ;;
  "--version "*) echo "Python 3.{minor}.0"; exit 0 ;;
esac
echo "$@" >> "{log}"
if [ "$1 $2" = "-m venv" ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; fi
"""


class Newcomer:
    """A folder with the Makefile, the pins, and a recording Python."""

    def __init__(self, folder: Path, *, minor: int = 11) -> None:
        self.folder = folder
        self.log = folder / "log"
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder / name)
        self.python = folder / "recorder"
        script = RECORDER.format(log=self.log, minor=minor, too_old=int(minor < 11))
        self.python.write_text(script)
        self.python.chmod(self.python.stat().st_mode | stat.S_IXUSR)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        command = ("make", "--no-print-directory", *arguments, f"PYTHON={self.python}")
        return run(*command, cwd=self.folder, env=clean)

    def calls(self) -> list[str]:
        """What Python was asked for since the last look."""
        seen = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.write_text("")
        return seen


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    if shutil.which("make") is None:
        pytest.skip("no make")
    return Newcomer(tmp_path)


def test_search_installs_torch_first_and_no_test_tools(newcomer: Newcomer) -> None:
    assert newcomer.make("search").returncode == 0
    calls = newcomer.calls()
    installs = [call for call in calls if "pip" in call]
    assert installs[0].endswith(next(pin for pin in constraints() if pin.startswith("torch==")))
    assert installs[-1].endswith("-c constraints.txt -e .")
    assert len(installs) == 2
    assert calls[-1] == "-m search run configs/quickstart.yaml --resume"


def test_second_run_skips_what_is_done(newcomer: Newcomer) -> None:
    newcomer.make("search")
    newcomer.calls()
    newcomer.make("search", "CONFIG=configs/mine.yaml", "ARGS=--study mine")
    assert newcomer.calls() == ["-m search run configs/mine.yaml --study mine"]


def test_test_adds_its_own_tools(newcomer: Newcomer) -> None:
    newcomer.make("search")
    newcomer.calls()
    assert newcomer.make("test").returncode == 0
    install, tests = newcomer.calls()
    assert install.endswith("-e .[test]")
    assert tests.startswith("-m pytest tests")


def test_docs_adds_what_builds_the_pages(newcomer: Newcomer) -> None:
    newcomer.make("search")
    newcomer.calls()
    assert newcomer.make("docs").returncode == 0
    install, build = newcomer.calls()
    assert install.endswith("-e .[docs]")
    assert build.startswith("-m sphinx -W")


def test_faults_does_not_take_the_arguments_of_a_search(newcomer: Newcomer) -> None:
    newcomer.make("faults")
    assert newcomer.calls()[-1] == "-m tests.campaign"
    newcomer.make("faults", "ARGS=--kills 20")
    assert newcomer.calls() == ["-m tests.campaign --kills 20"]


def test_changed_pins_are_installed(newcomer: Newcomer) -> None:
    newcomer.make("search")
    newcomer.calls()
    later = (newcomer.folder / ".venv" / ".runtime").stat().st_mtime + 10
    os.utime(newcomer.folder / "pyproject.toml", (later, later))
    newcomer.make("search")
    assert any(call.endswith("-e .") for call in newcomer.calls())


def test_old_python_is_refused_with_a_way_out(tmp_path: Path) -> None:
    refused = Newcomer(tmp_path, minor=10).make("search")
    assert refused.returncode != 0
    assert "Python 3.11 or newer" in refused.stderr
    assert "PYTHON=" in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_help_is_the_default_and_lists_the_targets(newcomer: Newcomer) -> None:
    shown = newcomer.make().stdout
    tests = ("test", "test-thorough", "test-slow", "faults")
    for target in ("search", *tests, "lint", "docs", "dashboard", "clean"):
        assert f"make {target} " in shown
