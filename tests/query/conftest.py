from pathlib import Path

import pytest

from tests.support.stores import new_place, new_sqlite_store, postgres_server, store

__all__ = ["new_sqlite_store", "postgres_server", "store", "store_url"]

SERVER = pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.thorough])


@pytest.fixture(params=["sqlite", SERVER])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a place for a store; that the queries run on a server too is held thoroughly."""
    return new_place(request, tmp_path)
