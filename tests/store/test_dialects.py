"""What is compiled for one store serves all of its kind."""

from pathlib import Path

import pytest
from sqlalchemy import make_url

from search.store import open_store
from search.store.dialects import _COMPILED, engine_of
from search.store.server_dialect import SharingPostgresql
from tests.support.postgres import PostgresServer


def looked_at(url: str) -> None:
    with open_store(url, create=True) as store:
        assert not store.studies.exists("a")


def test_a_second_store_compiles_nothing(store_url: str, tmp_path: Path) -> None:
    for _ in ("made", "found"):
        looked_at(store_url)
    before = len(_COMPILED)
    assert before > 0
    if "://" not in store_url:
        looked_at(str(tmp_path / "other.db"))
    looked_at(store_url)
    assert len(_COMPILED) == before


@pytest.mark.postgres
def test_servers_that_would_be_written_to_otherwise_share_nothing(
    postgres_server: PostgresServer,
) -> None:
    urls = [postgres_server.url("postgres"), postgres_server.url("postgres")]
    engines = [engine_of(make_url(url)) for url in urls]
    for engine in engines:
        with engine.connect() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
        engine.dispose()
    one, other = (engine.dialect for engine in engines)
    assert isinstance(one, SharingPostgresql)
    assert one == other
    other.server_version_info = (9, 6)
    assert one != other
    other.server_version_info = one.server_version_info
    other._backslash_escapes = not one._backslash_escapes  # type: ignore[attr-defined]
    assert one != other
    assert hash(one) == hash(other)
    assert one != engine_of(make_url("sqlite:///a.db")).dialect
