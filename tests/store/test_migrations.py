import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from search.store import Store, TrialState, open_store
from search.store.engine import make_engine, writing
from search.store.models import Base
from search.store.schema import VERSION_TABLE, migration_config, revisions
from search.store.url import parse_url
from space.errors import InputError

OLD = Path(__file__).parent / "old"


def test_the_revisions_make_what_the_models_say(store: Store) -> None:
    def differences(session: object) -> object:
        connection = session.connection()  # type: ignore[attr-defined]
        options = {"version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, Base.metadata)

    assert store.read(differences) == []


@pytest.mark.parametrize("dump", sorted(OLD.glob("*.sql")), ids=lambda path: path.stem)
def test_an_old_file_is_brought_up_to_date(tmp_path: Path, dump: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript(dump.read_text())
    old.close()
    with open_store(str(path), create=False) as store:
        study = store.study("old")
        complete, running = store.trials(study.id)
        assert (complete.state, complete.best_accuracy) == (TrialState.COMPLETE, 0.75)
        assert running.state is TrialState.RUNNING
        assert len(store.epochs(complete.id)) == 1
        store.record_test_reading(complete.architecture_id, protocol_hash="x", accuracy=0.5)
        assert len(store.test_readings()) == 1


def test_every_revision_in_turn_leads_to_the_newest(store_url: str) -> None:
    url = parse_url(store_url)
    engine = make_engine(url, 10)
    for revision in revisions():
        with writing(engine).begin() as connection:
            config = migration_config(connection)
            command.upgrade(config, revision)
    engine.dispose()
    with open_store(store_url, create=False) as store:
        assert store.studies() == []


def test_there_is_an_old_file_of_every_revision_but_the_newest() -> None:
    kept = {path.stem.removeprefix("revision_") for path in OLD.glob("*.sql")}
    assert kept == set(revisions()[:-1])


def test_a_newer_schema_is_refused_and_left_alone(store: Store, store_url: str) -> None:
    newer = text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    store.write(lambda session: session.execute(newer))
    for create in (True, False):
        with pytest.raises(InputError, match="schema 9999, which is newer"):
            open_store(store_url, create=create)
    version = text(f"SELECT version_num FROM {VERSION_TABLE}")
    assert store.read(lambda session: session.scalar(version)) == "9999"
