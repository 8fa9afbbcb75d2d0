"""What is checked before a study begins, and how its end is judged; nothing here starts Ray."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from search.config import Config, merged_for_resume
from search.driver.assignment import Report
from search.driver.session import StudySession
from search.exit_code import ExitCode
from search.ray_executor.watchdog import OnWatch
from search.runner import prepare, run_study
from search.runner import run as run_module
from search.runner.preflight import make_checkpoints
from search.runner.run_outcome import progress_and_failure
from search.store import TrialState, open_store
from space import InputError
from tests.search.driving import epoch
from tests.search.small import Silent, config
from tests.search.test_session import begin
from tests.trainers.tiny import image_folder
from trainers import Cause, Failure
from trainers.data.held_out_test import TestSplitLocked, refuse_if_locked
from trainers.data.image_folder import indexing

needs_proc = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no /proc here")


def problems(settings: Config) -> dict[str, str]:
    with pytest.raises(InputError) as error:
        prepare(settings, resume=False)
    return {problem.where: problem.message for problem in error.value.problems}


def test_the_store_keeps_no_password(tmp_path: Path) -> None:
    """A study's configuration may name the store by a URL with a password."""
    path = tmp_path / "real.db"
    settings = config(tmp_path, store="postgresql://user:s3cret@host/database")
    with open_store(str(path), create=True) as store:
        begin(store, settings)
        stored = store.studies.get("tiny").config
    with sqlite3.connect(path) as connection:
        written = "\n".join(connection.iterdump())
    connection.close()
    assert 'INSERT INTO "studies"' in written
    assert "s3cret" not in written
    merged, remarks = merged_for_resume(stored, settings)
    assert merged.to_dict() == settings.to_dict()
    assert remarks == []


def test_what_is_wrong_with_store_checkpoints_and_data_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    settings = config(
        tmp_path,
        store="/absent/x.db",
        checkpoints=str(file / "below"),
        data={"name": "fashion-mnist", "source": "full", "folder": "/nowhere"},
    )
    found = problems(settings)
    assert set(found) == {"store", "checkpoints", "data.folder"}
    assert "/absent" in found["store"]
    assert found["checkpoints"] == f"{file} is not a folder"
    assert "/nowhere" in found["data.folder"]
    assert list(tmp_path.iterdir()) == [file]


def test_a_taken_name_and_missing_data_are_told_at_once(tmp_path: Path) -> None:
    settings = config(tmp_path, space=config(tmp_path).space.to_dict() | {"classes": 7})
    with open_store(settings.store, create=True) as store:
        begin(store, settings)
    assert set(problems(settings)) == {"study", "space.classes"}


def test_what_is_quick_to_see_is_told_before_any_picture_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = image_folder(tmp_path / "images", train=2, val=1)
    monkeypatch.setattr(indexing, "inspect_files", lambda *_: pytest.fail("reads the pictures"))
    settings = config(
        tmp_path,
        store="/absent/x.db",
        data={"name": "image-folder", "folder": str(folder)},
        protocol={"data": "image-folder", "augmentation": {"image_size": 40}},
        warm_start=["nosuch"],
    )
    found = problems(settings)
    size = {"space.input.channels", "space.input.height", "space.input.width"}
    assert set(found) == {"store", "space.classes", "warm_start", *size}
    assert "has 3: blue, green, red" in found["space.classes"]
    assert "has 40; pictures are brought to" in found["space.input.height"]


@needs_proc
def test_folders_that_cannot_be_written(tmp_path: Path) -> None:
    found = problems(config(tmp_path, store="/proc/x.db", checkpoints="/proc/foo/bar"))
    assert found["store"].startswith("the folder /proc cannot be written: ")
    assert found["checkpoints"].startswith("the folder /proc cannot be written: ")
    with pytest.raises(InputError, match=r"^checkpoints: the folder /proc/foo cannot be made: "):
        make_checkpoints(Path("/proc/foo"))


def test_looking_leaves_nothing_behind_and_making_does(tmp_path: Path) -> None:
    settings = config(tmp_path)
    prepare(settings, resume=False)
    assert list(tmp_path.iterdir()) == []
    make_checkpoints(settings.checkpoints)
    make_checkpoints(settings.checkpoints)
    assert list(settings.checkpoints.iterdir()) == []


def play_end(session: StudySession, number: int, state: TrialState) -> None:
    if state == TrialState.COMPLETE:
        session.reported(number, Report((epoch(1),)))
        session.ended(number, Report(complete=True))
    else:
        memory = state == TrialState.INFEASIBLE
        session.crashed(number, Failure(Cause.CODE, f"reason {number}", infeasible=memory))


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((TrialState.FAILED, TrialState.FAILED), "every trial failed: reason 0"),
        ((TrialState.FAILED, TrialState.INFEASIBLE), "every trial failed: reason 0"),
        ((TrialState.FAILED, TrialState.COMPLETE), None),
        ((), None),
    ],
)
def test_a_study_of_failures_is_told_from_others(
    tmp_path: Path, ends: tuple[TrialState, ...], words: str | None
) -> None:
    settings = config(tmp_path, trials=2, retries=0)
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings)
        for number, state in enumerate(ends):
            session.next_assignment()
            session.started(number)
            play_end(session, number, state)
        assert progress_and_failure(store, session.record)[1] == words


def test_a_study_of_failures_is_no_success(tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1, retries=0)
    with open_store(settings.store, create=True) as store:
        protocol = prepare(settings, resume=False).protocol
        session = begin(store, settings, protocol)
        session.next_assignment()
        session.started(0)
        session.crashed(0, Failure(Cause.CODE, "no luck"))
        store.runs.end(store.runs.of_study(session.record.id)[0].id, "the run ended")
    outcome = run_study(settings, resume=True, watcher=Silent())
    assert outcome.exit_code == ExitCode.FAILED
    assert outcome.reason == "every trial failed: no luck"


def test_the_driver_cannot_read_the_test_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused() -> Iterator[None]:
        raise InputError.of("RAY_ADDRESS", "reached")

    @contextmanager
    def no_ray(address: str | None, on_watch: OnWatch) -> Iterator[None]:
        with pytest.raises(TestSplitLocked):
            refuse_if_locked()
        yield from refused()

    monkeypatch.setattr(run_module, "connected_to_ray", no_ray)
    with pytest.raises(InputError, match="reached"):
        run_study(config(tmp_path), resume=False, watcher=Silent())
    refuse_if_locked()
