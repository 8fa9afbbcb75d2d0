"""Checkpoints belong to a study: found from everywhere, never another study's."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from search.config import Config
from search.driver.assignment import Report
from search.driver.checkpoints import Checkpoints
from search.driver.study_setup import create_study
from search.store import Store, StudyRecord, TrialRecord, open_store
from tests.search.driving import HASHES, begin, end, epoch
from tests.search.small import config
from tests.support.samples import add_study, add_trial, begin_run


def weights(path: Path, epochs: int) -> None:
    """A file with the header of a checkpoint of ours."""
    header = json.dumps({"__metadata__": {"state": json.dumps({"epoch": epochs})}}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def interrupted(store: Store, settings: Config, epochs: int = 3) -> TrialRecord:
    """A study whose only trial was interrupted behind some epochs."""
    session = begin(store, settings)
    given = session.next_assignment()
    assert given is not None
    session.started(0)
    for number in range(1, epochs + 1):
        session.reported(0, Report((epoch(number),)))
    weights(given.checkpoint, epochs)
    end(store, session)
    return store.trials.of_study(session.record.id)[0]


def resumed(store: Store, settings: Config) -> tuple[Path, list[str]]:
    """The checkpoint that a resumed run hands out, and what was said."""
    said: list[str] = []
    given = begin(store, settings, say=said.append).next_assignment()
    assert given is not None
    return given.checkpoint, said


LONG = {"epochs": 9, "batch_size": 50, "warmup_epochs": 0.5}


def test_two_stores_in_one_folder_do_not_meet(tmp_path: Path) -> None:
    """Of one name, made in one second, as a job array does."""
    places = set()
    for name in ("a.db", "b.db"):
        settings = config(tmp_path, store=str(tmp_path / name))
        with open_store(settings.store, create=True) as store:
            study = create_study(store, settings, settings.protocol.bound_to(*HASHES))
            places.add(Checkpoints.of(study, store.url, settings.checkpoints).folder)
    assert len(places) == 2
    assert {place.parent for place in places} == {tmp_path / "checkpoints"}


def test_a_run_from_another_folder_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    settings = config(tmp_path, trials=1, protocol=LONG, checkpoints="checkpoints")
    with open_store(settings.store, create=True) as store:
        monkeypatch.chdir(tmp_path / "a")
        interrupted(store, settings)
        monkeypatch.chdir(tmp_path / "b")
        found, said = resumed(store, settings)
    assert found.is_relative_to(tmp_path / "a" / "checkpoints")
    assert found.exists()
    assert said == []
    assert list((tmp_path / "b").iterdir()) == []


@pytest.mark.parametrize(
    "written", ["checkpoints", "{project}/checkpoints", "{project}/../weights"]
)
@pytest.mark.parametrize("back_in", ["project", "elsewhere"])
def test_a_project_folder_that_was_moved_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str, back_in: str
) -> None:
    before, after = tmp_path / "before" / "project", tmp_path / "after" / "project"
    (tmp_path / "elsewhere").mkdir()
    before.mkdir(parents=True)
    monkeypatch.chdir(before)
    settings = config(before, trials=1, protocol=LONG, checkpoints=written.format(project=before))
    with open_store(settings.store, create=True) as store:
        interrupted(store, settings)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "before").rename(tmp_path / "after")
    monkeypatch.chdir(after if back_in == "project" else tmp_path / "elsewhere")
    moved = config(after, trials=1, protocol=LONG, checkpoints=str(settings.checkpoints))
    with open_store(moved.store, create=False) as store:
        found, said = resumed(store, moved)
    assert found.is_relative_to(tmp_path / "after")
    assert said == []


def test_another_root_takes_along_what_is_needed(tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        interrupted(store, settings)
        other = config(tmp_path, trials=1, protocol=LONG, checkpoints=str(tmp_path / "other"))
        found, said = resumed(store, other)
        assert found.is_relative_to(tmp_path / "other")
        assert found.exists()
        assert said == []
        study = store.studies.get("tiny")
        assert Checkpoints.of(study, store.url).find(store.trials.of_study(study.id)[0]) is not None


def test_a_run_that_wrote_elsewhere_is_gone_on_with_from_there(tmp_path: Path) -> None:
    """Also where the next one does not name the place: the last run's is the newest."""
    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        first = interrupted(store, settings)
        other = config(tmp_path, trials=1, protocol=LONG, checkpoints=str(tmp_path / "other"))
        session = begin(store, other)
        given = session.next_assignment()
        assert given is not None
        session.started(0)
        session.reported(0, Report(tuple(epoch(n) for n in range(1, 7))))
        weights(given.checkpoint, 6)
        end(store, session)
        found, said = resumed(store, settings)
        assert (found, said) == (given.checkpoint, [])
        end(store, session)
        third = config(tmp_path, trials=1, protocol=LONG, checkpoints=str(tmp_path / "third"))
        with open_store(settings.store, create=False):
            begin(store, third)
        checkpoints = Checkpoints.of(store.studies.get("tiny"), store.url, tmp_path / "third")
        assert checkpoints.epochs_of(first) == 6


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root")
def test_folders_of_others_are_as_good_as_gone(tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        trial = interrupted(store, settings)
        study = store.studies.get("tiny")
        (tmp_path / "checkpoints").chmod(0o700)
        os.seteuid(65534)
        try:
            checkpoints = Checkpoints.of(study, store.url)
            assert checkpoints.find(trial) is None
            assert checkpoints.find_log(trial) is None
        finally:
            os.seteuid(0)


def test_a_copy_that_breaks_off_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:20])
        raise OSError(28, "No space left on device")

    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        trial = interrupted(store, settings)
        other = Checkpoints.of(store.studies.get("tiny"), store.url, tmp_path / "other")
        monkeypatch.setattr(os, "link", full)
        monkeypatch.setattr(shutil, "copyfile", full)
        with pytest.raises(OSError, match="No space left"):
            other.fetch(trial)
        assert other.epochs_of(trial) == 3
        assert list((tmp_path / "other").rglob("*.*")) == []


def test_epochs_that_a_damaged_file_cost_are_said(tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        interrupted(store, settings)
        said: list[str] = []
        session = begin(store, settings, say=said.append)
        session.next_assignment()
        session.started(0)
        session.reported(0, Report((epoch(1),)))  # the worker has set the file aside
    assert said == ["Trial 0: its checkpoint was damaged or lost; epochs 1 to 3 are trained again"]


def removed(folder: Path) -> None:
    shutil.rmtree(folder)


def older(folder: Path) -> None:
    weights(next(folder.rglob("*.safetensors")), 1)


@pytest.mark.parametrize(
    ("lose", "words"),
    [
        (removed, "is gone; epochs 1 to 3 are trained again"),
        (older, "holds 1 of 3 epochs; epochs 2 to 3 are trained again"),
    ],
)
def test_what_is_truly_gone_is_said_before_it_is_trained_again(
    tmp_path: Path, lose: Callable[[Path], None], words: str
) -> None:
    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        interrupted(store, settings)
        lose(tmp_path / "checkpoints")
        _, said = resumed(store, settings)
    assert len(said) == 1
    assert said[0].startswith("Trial 0: its checkpoint ")
    assert said[0].endswith(words)


def test_a_file_that_cannot_be_read_is_the_workers_to_judge(tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        interrupted(store, settings)
        next((tmp_path / "checkpoints").rglob("*.safetensors")).write_bytes(os.urandom(100))
        _, said = resumed(store, settings)
    assert said == []


def test_the_folder_of_an_older_version_is_still_found(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        study = add_study(store, config={"checkpoints": str(tmp_path / "old")})
        run = begin_run(store, study.id)
        trial = add_trial(store, study.id, run.id, 0)
        folder = tmp_path / "old" / f"{study.name}-{study.created:%Y%m%d-%H%M%S}"
        file = folder / f"00000-{trial.architecture_id}.safetensors"
        weights(file, 2)
        checkpoints = Checkpoints.of(study, store.url)
        assert checkpoints.find(trial) == file
        assert checkpoints.epochs_of(trial) == 2
        brought = checkpoints.fetch(trial)
        assert brought != file
        assert brought.read_bytes() == file.read_bytes()


def test_only_a_few_places_are_remembered(tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        interrupted(store, settings)
        for number in range(20):
            place = str(tmp_path / f"root{number}")
            end(store, begin(store, config(tmp_path, trials=1, protocol=LONG, checkpoints=place)))
        study: StudyRecord = store.studies.get("tiny")
        assert len(study.checkpoints or ()) <= 8


def test_where_the_file_system_has_no_links_the_whole_file_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(source: Path, target: Path) -> None:
        raise OSError(95, "Operation not supported")

    settings, synced = config(tmp_path, trials=1, protocol=LONG), list[tuple[int, int]]()
    with open_store(settings.store, create=True) as store:
        trial = interrupted(store, settings)
        study = store.studies.get("tiny")
        before = Checkpoints.of(study, store.url, settings.checkpoints).file(trial)
        monkeypatch.setattr(os, "link", no_links)
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(_inode(os.fstat(file))))
        other = Checkpoints.of(study, store.url, tmp_path / "other")
        copied = other.fetch(trial)
    assert copied.read_bytes() == before.read_bytes()
    assert _inode(copied.stat()) != _inode(before.stat())
    assert synced == [_inode(copied.stat())]  # it is on the disk before it has its name
    assert list(copied.parent.glob("*.partial")) == []


def _inode(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def test_what_is_no_file_is_not_taken_over(tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1, protocol=LONG)
    with open_store(settings.store, create=True) as store:
        trial = interrupted(store, settings)
        other = Checkpoints.of(store.studies.get("tiny"), store.url, tmp_path / "other")
        assert not other.adopt(trial, None)
        assert not other.adopt(trial, tmp_path)
        assert not other.adopt(trial, tmp_path / "gone")
        assert not (tmp_path / "other").exists()


def test_a_study_of_before_they_had_a_place_of_their_own_has_the_usual_one(tmp_path: Path) -> None:
    settings = config(tmp_path, trials=1)
    with open_store(settings.store, create=True) as store:
        study = create_study(store, settings, settings.protocol.bound_to(*HASHES))
        written = {name: each for name, each in study.config.items() if name != "checkpoints"}
        found = Checkpoints.of(replace(study, config=written), store.url)
        assert found.folder.parent == Path("checkpoints").absolute()
