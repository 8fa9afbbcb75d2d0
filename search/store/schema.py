"""The schema's version, and bringing a database up to it, once, by one process.

A new store is made as the models say; an older one goes through the revisions since. Alembic is
imported for the latter only: whoever begins, or looks, need not wait for it. The two differ in the
names of checks on a server, so a revision that changes a check asks the database for its name.
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
    text,
)

from search.store.database import writing
from search.store.models import Base
from search.store.url import WHERE
from space.errors import InputError
from space.passwords import MASK
from space.surface import surface

if TYPE_CHECKING:
    from alembic.config import Config

VERSION_TABLE = "mixspace_version"
_VERSIONS = Table(
    VERSION_TABLE,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)
"""As Alembic makes it."""
NEWEST = "0011"
"""The newest revision of those in `migrations`."""
_LOCK = 0x6D6978737061  # "mixspa": the advisory lock's number
_LOCK_WAIT = "10s"


def upgrade(engine: Engine, *, create: bool, shown: str) -> None:
    """Brings the database to the newest schema; writes nothing when it is there already.

    Args:
        engine: of the database.
        create: whether a database without a store gets one.
        shown: the URL as messages show it.

    Raises:
        InputError: no store there and not `create`, a newer schema, or another program's tables.
    """
    with engine.connect() as connection:
        if _is_current(connection, create, shown):
            return
    with writing(engine).connect() as connection, _free_to_rebuild(connection), connection.begin():
        _lock(connection)
        # Another process may have done it while this one waited.
        if _is_current(connection, create, shown):
            return
        if _revision(connection) is None:
            Base.metadata.create_all(connection, checkfirst=False)  # a view may have such a name
            _VERSIONS.create(connection)
            connection.execute(insert(_VERSIONS).values(version_num=NEWEST))
        else:
            migrate(connection, NEWEST)
            _check_references(connection)


def migrate(connection: Connection, revision: str) -> None:
    """Goes through the revisions up to this one; a database without tables begins at the first."""
    from alembic import command

    command.upgrade(_migration_config(connection), revision)


def check_current(connection: Connection, shown: str) -> None:
    """Refuses a database whose schema is not the newest; changes nothing.

    Args:
        connection: to the database.
        shown: the URL as messages show it.

    Raises:
        InputError: no store there, an older schema (`OlderStore`) or a newer one, or another
            program's tables.
    """
    if not _is_current(connection, create=False, shown=shown):
        # A URL whose password is not shown comes from the environment, where the command finds it.
        place = "" if MASK in shown else f" --store {shlex.quote(shown)}"
        raise OlderStore.of(
            WHERE,
            f"{shown} has the schema of an earlier mixspace, and looking changes nothing; "
            f"`python -m search upgrade{place}` brings it up to date, as the next `run` does",
        )


@cache
def revisions() -> tuple[str, ...]:
    """Every revision, oldest first."""
    from alembic.script import ScriptDirectory

    walk = ScriptDirectory.from_config(_migration_config()).walk_revisions()
    return tuple(script.revision for script in walk)[::-1]


def _migration_config(connection: Connection | None = None) -> "Config":
    """What Alembic's commands take: where the revisions are, and the connection to change."""
    from alembic.config import Config

    config = Config()
    config.attributes["connection"] = connection
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _is_current(connection: Connection, create: bool, shown: str) -> bool:
    revision = _revision(connection)
    if revision is None:
        _check_vacant(connection, create, shown)
        return False
    if revision != NEWEST and revision not in revisions():
        raise InputError.of(
            WHERE,
            f"{shown} has schema {revision}, which is newer than this mixspace knows "
            f"(up to {NEWEST}); update mixspace",
        )
    return revision == NEWEST


def _revision(connection: Connection) -> str | None:
    """The revision that the database has; None where no store was made."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalars(select(_VERSIONS.c.version_num)).one_or_none()


def _check_vacant(connection: Connection, create: bool, shown: str) -> None:
    tables = set(inspect(connection).get_table_names())
    ours = set(Base.metadata.tables)
    # A server's database may be shared with other programs; a file is not.
    others = sorted(tables if connection.dialect.name == "sqlite" else tables & ours)
    if others:
        raise InputError.of(
            WHERE, f"{shown} belongs to another program (it has a table {others[0]!r})"
        )
    if not create:
        raise NoStore.of(
            WHERE, f"there is no mixspace store in {shown}; {surface().search} makes one"
        )


@contextmanager
def _free_to_rebuild(connection: Connection) -> Iterator[None]:
    """On SQLite, foreign keys are off meanwhile, so that a table that others refer to can be
    written anew; this cannot be changed within a transaction.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def _check_references(connection: Connection) -> None:
    """Nothing may refer to a row that is not there, as foreign keys were off."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not broken, f"the migration broke references: {broken[:3]}"


def _lock(connection: Connection) -> None:
    # On SQLite the transaction began with BEGIN IMMEDIATE, which is a lock already.
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_WAIT}'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))


class NoStore(InputError):
    """Nothing is wrong with the place, but no store has been made there."""


class OlderStore(InputError):
    """A store that looking alone cannot read, as that changes nothing: its schema is older."""
