import contextlib
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.engine.interfaces import ReflectedIndex

from search.store import Store, TrialState, open_store, schema
from search.store.database import make_engine, writing
from search.store.models import ArchitectureRow, Base
from search.store.schema import NEWEST, VERSION_TABLE, migrate, revisions
from search.store.url import parse_url
from space.errors import InputError
from tests.support.old_stores import DUMPS, old_store


def test_the_revisions_make_what_a_new_store_has(
    store_url: str, store: Store, tmp_path_factory: pytest.TempPathFactory, request: Any
) -> None:
    """Whether it went through all revisions or was made as the models say."""
    is_file = "://" not in store_url
    server = None if is_file else request.getfixturevalue("postgres_server")
    empty = server.empty_database() if server else tmp_path_factory.mktemp("old") / "old.db"
    engine = make_engine(parse_url(str(empty)), 10)
    with writing(engine).begin() as connection:
        migrate(connection, NEWEST)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, Base.metadata) == []
        migrated = tables(connection)
    engine.dispose()
    made = store.read(lambda connection: tables(connection))
    assert made.keys() == migrated.keys()
    for name, table in made.items():
        assert table == migrated[name], name
    assert made[VERSION_TABLE]["rows"] == [(NEWEST,)]


def tables(connection: Connection) -> dict[str, dict[str, Any]]:
    """What each table of a database is, but for the order and the defaults of its columns.

    And but for the names of checks: on a server the revisions made `ck_trials_ck_trials_state`.
    """
    found = inspect(connection)
    versions = connection.execute(text(f"SELECT * FROM {VERSION_TABLE}")).all()
    return {
        name: {
            "columns": {
                c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(name)
            },
            "key": found.get_pk_constraint(name),
            "foreign keys": sorted(map(str, found.get_foreign_keys(name))),
            "unique": sorted(map(str, found.get_unique_constraints(name))),
            "checks": sorted(check["sqltext"] for check in found.get_check_constraints(name)),
            "indexes": sorted(map(as_text, found.get_indexes(name)), key=str),
            "rows": versions if name == VERSION_TABLE else [],
        }
        for name in found.get_table_names()
    }


def as_text(index: ReflectedIndex) -> dict[str, str]:
    """An index, its condition as the database has it, but for brackets around the whole."""
    options = {key: str(value).strip("()") for key, value in index["dialect_options"].items()}
    return {key: str(value) for key, value in (index | {"dialect_options": options}).items()}


def test_to_make_a_store_and_to_look_at_it_imports_no_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from search.store import open_store; "
        "open_store(sys.argv[1], create=True).close(); print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "store.db")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_an_old_file_is_brought_up_to_date(tmp_path: Path, dump: Path) -> None:
    path = old_store(tmp_path / "old.db", dump)
    with open_store(str(path), create=False) as store:
        study = store.studies.get("old")
        complete, running = store.trials.of_study(study.id)
        assert (complete.state, complete.best_accuracy) == (TrialState.COMPLETE, 0.75)
        assert running.state is TrialState.RUNNING
        assert len(store.epochs.of_trial(complete.id)) == 1
        assert re.fullmatch("[0-9a-f]{32}", study.uid)
        assert study.checkpoints is None
        (run,) = store.runs.of_study(study.id)
        assert (run.boot_id, run.pid_namespace, run.start_ticks) == (None, None, None)
        assert run.process_started == 1700000000.5
        store.test_audit.record(complete.architecture_id, protocol_hash="x", accuracy=0.5)
        assert len(store.test_audit.readings()) == 1


def test_every_revision_in_turn_leads_to_the_newest(store_url: str) -> None:
    url = parse_url(store_url)
    engine = make_engine(url, 10)
    for revision in revisions():
        with writing(engine).begin() as connection:
            migrate(connection, revision)
            if revision == revisions()[0]:
                connection.execute(_OLD_STUDY)
    engine.dispose()
    with open_store(store_url, create=False) as store:
        assert [study.name for study in store.studies.summaries()] == ["old"]
        assert len(store.studies.get("old").uid) == 32


_OLD_STUDY = text(
    "INSERT INTO studies (name, created, config, space, protocol, protocol_hash, objective, "
    "planned_trials, searcher, scheduler, seeds, code_version) VALUES ('old', "
    "'2026-01-01 10:00:00', '{}', '{}', '{}', 'x', '{}', 3, 'random', 'none', '{}', '0.1.0')"
)


@pytest.mark.parametrize("revision", revisions()[:-1])
def test_the_trials_of_an_architecture_are_counted_in_an_old_file(
    tmp_path: Path, revision: str
) -> None:
    path = old_store(tmp_path / "old.db", revision)
    with contextlib.closing(sqlite3.connect(path)) as old:
        query = "SELECT architecture_id, count(*) FROM trials GROUP BY architecture_id"
        wanted = dict(old.execute(query).fetchall())
    with open_store(str(path), create=False) as store:
        rows = select(ArchitectureRow.id, ArchitectureRow.trials)
        found = store.read(lambda connection: [tuple(row) for row in connection.execute(rows)])
    assert wanted
    assert dict(found) == wanted


def test_there_is_an_old_file_of_every_revision_but_the_newest() -> None:
    kept = {path.stem.removeprefix("revision_") for path in DUMPS}
    assert kept == set(revisions()[:-1])
    assert revisions()[-1] == NEWEST


def test_a_newer_schema_is_refused_and_left_alone(store_url: str) -> None:
    newer = text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    version = text(f"SELECT version_num FROM {VERSION_TABLE}")
    with open_store(store_url, create=True) as store:
        store.write(lambda connection: connection.execute(newer))
        for create in (True, False):
            with pytest.raises(InputError, match="schema 9999, which is newer"):
                open_store(store_url, create=create)
        assert store.read(lambda connection: connection.scalar(version)) == "9999"


@pytest.mark.parametrize("revision", ["0001", "0002"])  # later ones have logs of their own
def test_an_old_file_gets_a_plausible_log(tmp_path: Path, revision: str) -> None:
    path = old_store(tmp_path / "old.db", revision)
    with sqlite3.connect(path) as old:
        # The second trial was created while the first one trained, and ended before it.
        old.execute("UPDATE trials SET created = '2026-01-01 10:00:00'")
        old.execute("UPDATE trials SET started = created")
        old.execute("UPDATE trials SET ended = '2026-01-01 10:00:30' WHERE number = 0")
        old.execute("UPDATE trials SET created = '2026-01-01 10:00:05' WHERE number = 1")
        old.execute("UPDATE trials SET started = '2026-01-01 10:00:10' WHERE number = 1")
        old.execute("UPDATE trials SET ended = '2026-01-01 10:00:20' WHERE number = 1")
        old.execute("UPDATE trials SET state = 'failed', reason = 'why' WHERE number = 1")
        old.execute("DELETE FROM metrics WHERE trial_id = 2")
    old.close()
    with open_store(str(path), create=False) as store:
        study = store.studies.get("old")
        first, second = store.trials.of_study(study.id)
        told = [
            (event.trial_id, str(event.kind), event.epoch)
            for event in store.events.of_study(study.id)
        ]
        assert told == [
            (first.id, "created", None),
            (first.id, "epoch", 1),
            (second.id, "created", None),
            (second.id, "failed", None),
            (first.id, "complete", None),
        ]
        assert (first.repeat, first.continued, first.source_trial_id) == (0, 0, None)
        assert store.trials.reopen(first.id, 1) is False


def test_every_old_study_gets_a_uid_of_its_own(tmp_path: Path) -> None:
    path = old_store(tmp_path / "old.db", "0003")
    with sqlite3.connect(path) as old:
        columns = [row[1] for row in old.execute("PRAGMA table_info(studies)")]
        same = ", ".join(name for name in columns if name not in ("id", "name"))
        for name in ("second", "third"):
            old.execute(
                f"INSERT INTO studies (name, {same}) SELECT ?, {same} FROM studies LIMIT 1", (name,)
            )
    old.close()
    with open_store(str(path), create=False) as store:
        studies = [store.studies.get(name) for name in ("old", "second", "third")]
        assert len({study.uid for study in studies}) == 3
        assert [study.config for study in studies] == [{"trials": 3}] * 3


def test_a_migration_does_not_leave_foreign_keys_off(tmp_path: Path) -> None:
    path = old_store(tmp_path / "old.db", "0002")
    with open_store(str(path), create=False) as store:
        assert store.write(lambda connection: connection.scalar(text("PRAGMA foreign_keys"))) == 1
        assert store.read(lambda connection: connection.scalar(text("PRAGMA foreign_keys"))) == 1


@pytest.mark.parametrize("reason", ["the run ended", "interrupted by Ctrl-C"])
def test_an_old_study_that_ran_out_of_points_is_exhausted(tmp_path: Path, reason: str) -> None:
    path = old_store(tmp_path / "old.db", "0002")
    with sqlite3.connect(path) as old:
        old.execute("UPDATE trials SET state = 'complete'")
        old.execute("UPDATE runs SET ended = heartbeat, end_reason = ?", (reason,))
    old.close()
    with open_store(str(path), create=False) as store:
        assert (store.studies.get("old").exhausted is not None) == (reason == "the run ended")


def test_revisions_are_found_in_a_folder_with_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "__file__", "/50%/of %(here)s/schema.py")
    config = schema._migration_config()
    assert config.get_main_option("script_location") == "/50%/of %(here)s/migrations"
