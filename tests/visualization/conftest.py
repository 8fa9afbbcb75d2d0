"""Small stores: a study that is done, studies of several objectives, and one of nasty names."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.store import Store, open_store
from tests.dashboard import stores

BUILDERS = {
    "finished": lambda path: stores.finished(path, 40),
    "objectives": stores.several_objectives,
    "nasty": lambda path: stores.nasty(path, 40),
}


@pytest.fixture(scope="session")
def drawn_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files, by what they hold."""
    folder = tmp_path_factory.mktemp("drawn")
    for name, build in BUILDERS.items():
        build(folder / f"{name}.db")
    return {name: folder / f"{name}.db" for name in BUILDERS}


def opened(path: Path) -> Iterator[Store]:
    with open_store(str(path), create=False) as store:
        yield store


@pytest.fixture
def finished(drawn_files: dict[str, Path]) -> Iterator[Store]:
    """A study "quickstart" of 40 trials."""
    yield from opened(drawn_files["finished"])


@pytest.fixture
def objectives(drawn_files: dict[str, Path]) -> Iterator[Store]:
    """Studies "two" and "three", of as many objectives."""
    yield from opened(drawn_files["objectives"])


@pytest.fixture
def nasty(drawn_files: dict[str, Path]) -> Iterator[Store]:
    """A study whose names hold what Plotly, HTML or a browser could take for more than text."""
    yield from opened(drawn_files["nasty"])
