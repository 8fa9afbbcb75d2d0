"""A weight source is added by its folder and its definition alone, and then is like the others.

The packages are copied with `tests/space/toy`, and programs are run there.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from space import weight_sources
from space.axes import Dynamics
from space.source_registry import found_sources
from tests.space.packages_with_toy import packages_with_toy
from tests.space.toy_checks import CHECKS


def test_the_sources_stand_in_the_order_of_their_numbers() -> None:
    """The order of ids, codes and draws of all that is stored."""
    assert [str(word) for word in Dynamics] == [
        "static",
        "homogeneous",
        "inhomogeneous",
        "attention",
    ]
    assert [dynamics.source.number for dynamics in Dynamics] == [1, 2, 3, 4]
    assert all(dynamics.source.word == dynamics for dynamics in Dynamics)


@pytest.mark.parametrize(
    ("folder", "declared", "message"),
    [
        ("other", {"word": "toy"}, "the folder other of .* declares the source 'toy'"),
        ("fifth", {"word": "fifth", "number": 4}, "two have one number"),
    ],
)
def test_folders_that_contradict_each_other_are_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: str,
    declared: dict[str, Any],
    message: str,
) -> None:
    (tmp_path / folder).mkdir()
    text = "from dataclasses import replace\nfrom tests.space.toy import SOURCE as TOY\n\n"
    (tmp_path / folder / "__init__.py").write_text(f"{text}SOURCE = replace(TOY, **{declared!r})")
    paths = [*weight_sources.__path__, str(tmp_path)]
    monkeypatch.setattr(weight_sources, "__path__", paths)
    with pytest.raises(ValueError, match=message):
        found_sources()
    del sys.modules[f"space.weight_sources.{folder}"]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return packages_with_toy(tmp_path_factory.mktemp("packages"))


def printed(packages: Path, *words: str, cwd: Path) -> str:
    """What a program prints in the packages that have one source more."""
    environment = os.environ | {"PYTHONPATH": str(packages), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *words],
        env=environment,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checked(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The checks that passed."""
    folder = tmp_path_factory.mktemp("checks")
    where, *passed = printed(packages, "-m", "tests.space.toy_checks", cwd=folder).splitlines()
    assert where == str(packages / "space/__init__.py")
    return passed


@pytest.mark.thorough
@pytest.mark.parametrize("name", [check.__name__ for check in CHECKS])
def test_what_holds_of_every_source_holds_of_a_new_one(checked: list[str], name: str) -> None:
    assert name in checked
