"""What the tests of the pages share: a folder in which a first search is done."""

import shutil
from pathlib import Path

import pytest

from tests.docs.workshop import finished, forget_surroundings, without_ray


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study, which no page works in itself."""
    return finished(tmp_path_factory.mktemp("workshop"))


@pytest.fixture
def folder(workshop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working folder."""
    copy = Path(shutil.copytree(workshop, tmp_path / "copy"))
    monkeypatch.chdir(copy)
    forget_surroundings(monkeypatch, tmp_path)
    without_ray(monkeypatch, copy)
    return copy
