"""Ids on a server whose texts are in an order of their own."""

import psycopg
import pytest
from sqlalchemy import insert

from search.store import open_store
from search.store.models import ArchitectureRow
from tests.support.postgres import PostgresServer

IDS = ("3aa7000000000000", "3ab0000000000000", "3ff0000000000000", "4000000000000000")


@pytest.mark.parametrize("collation", ["da", "cy"])
def test_ids_are_found_where_two_letters_are_one(
    postgres_server: PostgresServer, collation: str
) -> None:
    """In Danish "aa" stands behind "z", in Welsh "ff" is a letter."""
    name = f"texts_in_{collation}"
    try:
        with postgres_server.admin() as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 {ICU.format(collation)}")
    except (psycopg.errors.FeatureNotSupported, psycopg.errors.SyntaxError) as error:
        pytest.skip(f"this PostgreSQL has no collations of ICU: {error}")
    with open_store(postgres_server.url(name), create=True) as store:
        store.write(lambda connection: connection.execute(insert(ArchitectureRow), rows()))
        for prefix in ("3aa", "3ab", "3ff", "3f", "4", *IDS):
            (whole,) = [id_ for id_ in IDS if id_.startswith(prefix)]
            assert store.architectures.get(prefix).id == whole


ICU = "LOCALE_PROVIDER icu ICU_LOCALE '{}'"


def rows() -> list[dict[str, object]]:
    costs = {"params": 1, "macs": 1, "depth": 1, "trials": 0}
    words = {"json": "{}", "block_type": "conv", "operators": "ViT"}
    return [{"id": id_, **costs, **words} for id_ in IDS]
