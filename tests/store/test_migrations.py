import re
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from search.store import TrialState, open_store
from search.store.database import make_engine, writing
from search.store.models import Base
from search.store.schema import NEWEST, VERSION_TABLE, migration_config, revisions
from search.store.url import parse_url
from space.errors import InputError

OLD = Path(__file__).parent / "old"


def test_the_revisions_make_what_the_models_say(store_url: str) -> None:
    def differences(session: object) -> object:
        connection = session.connection()  # type: ignore[attr-defined]
        options = {"version_table": VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, Base.metadata)

    with open_store(store_url, create=True) as store:
        assert store.read(differences) == []


@pytest.mark.parametrize("dump", sorted(OLD.glob("*.sql")), ids=lambda path: path.stem)
def test_an_old_file_is_brought_up_to_date(tmp_path: Path, dump: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript(dump.read_text())
    old.close()
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
            config = migration_config(connection)
            command.upgrade(config, revision)
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


def test_there_is_an_old_file_of_every_revision_but_the_newest() -> None:
    kept = {path.stem.removeprefix("revision_") for path in OLD.glob("*.sql")}
    assert kept == set(revisions()[:-1])
    assert revisions()[-1] == NEWEST


def test_a_newer_schema_is_refused_and_left_alone(store_url: str) -> None:
    newer = text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    version = text(f"SELECT version_num FROM {VERSION_TABLE}")
    with open_store(store_url, create=True) as store:
        store.write(lambda session: session.execute(newer))
        for create in (True, False):
            with pytest.raises(InputError, match="schema 9999, which is newer"):
                open_store(store_url, create=create)
        assert store.read(lambda session: session.scalar(version)) == "9999"


@pytest.mark.parametrize("revision", ["0001", "0002"])  # later ones have logs of their own
def test_an_old_file_gets_a_plausible_log(tmp_path: Path, revision: str) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript((OLD / f"revision_{revision}.sql").read_text())
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
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript((OLD / "revision_0003.sql").read_text())
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
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript((OLD / "revision_0002.sql").read_text())
    old.close()
    with open_store(str(path), create=False) as store:
        assert store.write(lambda session: session.scalar(text("PRAGMA foreign_keys"))) == 1
        assert store.read(lambda session: session.scalar(text("PRAGMA foreign_keys"))) == 1


@pytest.mark.parametrize("reason", ["the run ended", "interrupted by Ctrl-C"])
def test_an_old_study_that_ran_out_of_points_is_exhausted(tmp_path: Path, reason: str) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.executescript((OLD / "revision_0002.sql").read_text())
        old.execute("UPDATE trials SET state = 'complete'")
        old.execute("UPDATE runs SET ended = heartbeat, end_reason = ?", (reason,))
    old.close()
    with open_store(str(path), create=False) as store:
        assert (store.studies.get("old").exhausted is not None) == (reason == "the run ended")
