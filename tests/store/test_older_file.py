"""Files of earlier schemas: looked at through a copy, and never changed by that."""

import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from search.store import NoStore, Store, StoreError, open_store, open_to_read
from search.store import open as opening
from search.store.schema import OlderStore
from space.errors import InputError
from tests.store.test_reading import make
from tests.support.old_stores import DUMPS, old_store


@pytest.mark.parametrize("dump", DUMPS, ids=lambda path: path.stem)
def test_looking_never_brings_a_store_up_to_date(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dump: Path
) -> None:
    path, temporary = old_store(tmp_path / "it's old.db", dump), tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))  # of this test, whatever else runs
    before = path.read_bytes()
    with open_to_read(str(path)) as store:
        looked = seen(store)
        with pytest.raises(StoreError, match="readonly"):
            store.studies.set_planned_trials(1, 99)
        assert path.read_bytes() == before
        assert len(list(temporary.glob("*/*.db"))) == 1
        open_store(str(path), create=False).close()
        assert seen(store) == looked
    assert not list(temporary.iterdir())
    with open_to_read(str(path)) as store:
        assert seen(store) == looked


def seen(store: Store) -> tuple[object, ...]:
    """But for the identity that a study of the first versions is given by chance."""
    return store.studies.summaries(), replace(store.studies.get("old"), uid="")


def test_what_an_earlier_version_writes_meanwhile_is_seen(tmp_path: Path) -> None:
    path = old_store(tmp_path / "s.db", "0002")
    old = sqlite3.connect(path)
    with open_to_read(str(path)) as store:
        assert store.studies.get("old").planned_trials != 99
        with old:
            old.execute("UPDATE studies SET planned_trials = 99")
        assert store.studies.get("old").planned_trials == 99
    old.close()


def test_where_no_copy_can_be_made_the_way_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_store(tmp_path / "it's old.db", "0002")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(InputError, match="schema of an earlier mixspace") as caught:
        open_to_read(str(path))
    assert "python -m search upgrade --store '" in str(caught.value)


def test_a_reader_goes_on_with_an_older_file_and_says_so_when_another_takes_the_place(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.db"
    make(path)
    with open_to_read(str(path)) as store:
        old_store(tmp_path / "old.db", "0002").replace(path)
        assert store.studies.exists("old")
        path.unlink()
        path.touch()
        with pytest.raises(NoStore):
            store.studies.summaries()


def test_what_is_older_is_brought_up_to_date_where_no_copy_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_store(tmp_path / "old.db", "0005")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(OlderStore):
        open_to_read(str(path))
    with opening.open_to_look_up(str(path)) as store:
        assert store.studies.summaries()
    open_to_read(str(path)).close()
    with pytest.raises(InputError, match="there is no store"):
        opening.open_to_look_up(str(tmp_path / "none.db"))
