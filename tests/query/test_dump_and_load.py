"""The commands `dump FILE.db` and `load`: whole studies, as people move them."""

from pathlib import Path

import pytest

from search.cli.program import run_program
from search.store import Store, open_store, open_to_read
from tests.store.test_copying import by_nature
from tests.store.test_deletion import tables
from tests.support.old_stores import old_store
from tests.support.samples import add_study, begin_run, complete_trial


@pytest.fixture
def place(tmp_path: Path) -> str:
    file = str(tmp_path / "mine.db")
    with open_store(file, create=True) as store:
        for name in ("first", "second"):
            study = add_study(store, name)
            run = begin_run(store, study.id)
            trial = complete_trial(store, study.id, run.id, 1, 0.5)
            store.tags.add(trial.architecture_id, name)
            store.runs.end(run.id)
    return file


def test_a_study_is_dumped_and_loaded(
    place: str, store: Store, store_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Into both kinds of database."""
    file = tmp_path / "first.db"
    assert run_program(["dump", str(file), "--study", "first", "--store", place]) == 0
    assert capsys.readouterr().err == f"{file}: first (1 trial)\n"
    assert sorted(path.name for path in tmp_path.glob("*first*")) == ["first.db"]
    assert list(tmp_path.glob(".*")) == []
    with open_to_read(place) as source, open_to_read(str(file)) as dumped:
        assert by_nature(tables(dumped)) == by_nature(tables(source), {"first"})
    assert run_program(["load", str(file), "--store", store_url]) == 0
    assert capsys.readouterr().err == "first: 1 trial\n"
    with open_to_read(place) as source:
        assert by_nature(tables(store)) == by_nature(tables(source), {"first"})
    assert run_program(["load", str(file), "--store", store_url]) == 0
    assert capsys.readouterr().err == "first: is there already, with 1 trial\n"
    assert run_program(["load", place, "--study", "second", "--store", store_url]) == 0
    assert capsys.readouterr().err == "second: 1 trial\n"


def test_loading_makes_a_store_and_does_not_touch_the_other(place: str, tmp_path: Path) -> None:
    before = Path(place).read_bytes()
    new = tmp_path / "new.db"
    assert run_program(["load", place, "--store", str(new)]) == 0
    with open_to_read(place) as source, open_to_read(str(new)) as loaded:
        assert by_nature(tables(loaded)) == by_nature(tables(source))
    assert Path(place).read_bytes() == before


def test_a_store_of_an_earlier_version_is_loaded_as_it_is(tmp_path: Path) -> None:
    old = old_store(tmp_path / "old.db", "0007")
    before = old.read_bytes()
    assert run_program(["load", str(old), "--store", str(tmp_path / "new.db")]) == 0
    assert old.read_bytes() == before
    with open_to_read(str(tmp_path / "new.db")) as store:
        (study,) = store.studies.summaries()
        assert [len(store.epochs.of_trial(t.id)) for t in store.trials.of_study(study.id)] == [1, 2]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["dump", "{}/a.db", "--where", "depth = 1"], "--where: is for tables; a .db file has"),
        (["dump", "{}/a.db", "--networks"], "--networks: is for tables; a .db file has"),
        (["dump", "{}/a.db", "--study", "third"], "'third' does not exist"),
        (["dump", "{}/none/a.db"], "there is no folder"),
        (["dump", "{}/mine.db"], "is there; give another name, or remove it"),
        (["dump", "{}/a.txt"], "ends in none of .csv, .parquet; or .db, for whole studies"),
        (["load", "{}/a.parquet"], "is a table of trials, without their epochs"),
        (["load", "{}/a.db"], "there is no store"),
        (["load", "{}/mine.db", "--study", "third"], "'third' does not exist"),
    ],
)
def test_mistakes_are_told_and_nothing_is_written(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], said: str
) -> None:
    before = Path(place).read_bytes()
    filled = [word.format(tmp_path) for word in command]
    assert run_program([*filled, "--store", place]) == 2
    assert said in capsys.readouterr().err
    assert Path(place).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["mine.db"]


def test_a_study_at_work_is_not_dumped(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(place, create=False) as store:
        begin_run(store, store.studies.get("second").id)
    assert run_program(["dump", str(tmp_path / "a.db"), "--store", place]) == 2
    assert "works on 'second'" in capsys.readouterr().err
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".a", "a"))]
