"""A weight source is added by its folder and its definition alone, and then is like the others.

The packages are copied with `tests/space/toy`, and `tests.space.toy_checks` is run there.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.space.packages_with_toy import packages_with_toy
from tests.space.toy_checks import CHECKS


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages_with_toy(tmp_path_factory.mktemp("packages"))


def python(packages: Path, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """A program in the packages that have one source more."""
    environment = os.environ | {"PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *words],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def checked(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines of the program."""
    folder = tmp_path_factory.mktemp("checks")
    done = python(packages, "-m", "tests.space.toy_checks", cwd=folder)
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    assert lines[0] == str(packages / "space/__init__.py")
    return [*lines[1:], done.stderr]


@pytest.mark.parametrize("name", [check.__name__ for check in CHECKS])
def test_what_holds_of_every_source_holds_of_a_new_one(checked: list[str], name: str) -> None:
    assert name in checked, checked[-1]
