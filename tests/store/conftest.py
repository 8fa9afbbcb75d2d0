from tests.support.stores import new_sqlite_store, postgres_server, store, store_url

__all__ = ["new_sqlite_store", "postgres_server", "store", "store_url"]
