"""Tags and notes on the pages: who may write them, and that nothing else can be written."""

import ast
import inspect
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import streamlit as st
from psycopg import sql
from streamlit import config
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import login, remarks
from dashboard.source import open_scope
from search.store import Store, StoreError, open_store
from search.store.remarks import Remarks
from space.errors import InputError
from tests.dashboard.conftest import Open
from tests.dashboard.test_pages import texts
from tests.support import samples
from tests.support.old_stores import DUMPS, old_store
from tests.support.postgres import PASSWORD, PostgresServer

CLOSED = "cannot be written here"


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The dashboard listens on this machine alone, as its configuration says."""
    monkeypatch.setattr(type(st.context), "headers", {"Host": "localhost:8501"})
    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", before)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "s.db"
    with open_store(str(path), create=True) as store:
        study = samples.add_study(store)
        run = samples.begin_run(store, study.id)
        for number in range(3):
            samples.complete_trial(store, study.id, run.id, number, 0.5 + number / 10)
    return path


BEST = samples.architecture(2).id
SECOND = samples.architecture(1).id


def said(path: Path, id_: str = BEST) -> tuple[list[str], list[str]]:
    with open_store(str(path), create=False) as store:
        notes = [note.text for note in store.tags.notes_of(id_)]
        return store.tags.of([id_]).get(id_, []), notes


def submit(test: AppTest, label: str) -> AppTest:
    return next(each for each in test.button if each.label == label).click().run()


def labels(test: AppTest) -> set[str]:
    return {each.label for each in test.button}


# --- the page of an architecture ---------------------------------------------------------------


@pytest.mark.usefixtures("here")
def test_tags_and_notes_are_written_and_taken_away(opened: Open, path: Path) -> None:
    test = opened("architecture", path, architecture=BEST)
    test.text_input(key="new-tag").set_value(" to ship ")
    test = submit(test, "Tag it")
    assert not test.exception
    assert said(path) == (["to ship"], [])
    assert "Tags: to ship" in texts(test)
    test.text_area(key="new-note").set_value("see <b>the</b> log")
    test = submit(test, "Write it down")
    assert said(path) == (["to ship"], ["see <b>the</b> log"])
    assert "log" in texts(test)
    test = test.button(key="remove-note-1").click().run()
    assert said(path) == (["to ship"], [])
    test = test.button(key="remove-tag-to ship").click().run()
    assert not test.exception
    assert said(path) == ([], [])
    assert "Tags:" not in texts(test)
    assert said(path, SECOND) == ([], [])


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("tag", ['a "quoted" one', "two\tlines"])
def test_what_cannot_be_a_tag_is_refused_in_words(opened: Open, path: Path, tag: str) -> None:
    test = opened("architecture", path, architecture=BEST)
    test.text_input(key="new-tag").set_value(tag)
    test = submit(test, "Tag it")
    assert not test.exception
    assert [error.value for error in test.error] == ["The tag was not given"]
    assert "quotation marks" in test.code[0].value
    assert said(path) == ([], [])


# --- the leaderboard ----------------------------------------------------------------------------


@pytest.mark.usefixtures("here")
def test_marked_rows_get_a_tag_together(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dashboard import navigation

    # The harness cannot mark rows.
    monkeypatch.setattr(navigation, "architectures_table", lambda table, ids, *_: ids[:2])
    test = opened("leaderboard", path)
    test.text_input(key="new-tag").set_value("candidate")
    test = submit(test, "Tag all that are marked")
    assert not test.exception
    assert said(path)[0] == said(path, SECOND)[0] == ["candidate"]
    assert said(path, samples.architecture(0).id) == ([], [])
    assert f"{BEST}: candidate" in texts(test)
    monkeypatch.setenv(remarks.VARIABLE, "off")
    closed = opened("leaderboard", path)
    assert f"{BEST}: candidate" in texts(closed)
    assert "Tag all that are marked" not in labels(closed)
    assert CLOSED in texts(closed)


# --- who may ------------------------------------------------------------------------------------


def why(monkeypatch: pytest.MonkeyPatch, path: Path, address: str | None, host: str | None) -> str:
    headers = {} if host is None else {"Host": host}
    monkeypatch.setattr(remarks.st, "context", SimpleNamespace(headers=headers))
    config.set_option("server.address", address)
    st.cache_data.clear()
    return remarks.why_closed(open_scope(str(path))) or "open"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("address", "host", "is_open"),
    [
        ("127.0.0.1", "localhost:8501", True),
        ("127.0.0.1", "127.0.0.1:8501", True),
        ("localhost", None, False),
        ("::1", "[::1]:8501", True),
        ("127.0.0.1", "mixspace.example.org", False),  # by way of a proxy
        ("127.0.0.1", "10.0.0.7:8501", False),
        ("0.0.0.0", "localhost:8501", False),
        (None, "localhost:8501", False),
        ("10.0.0.7", "10.0.0.7:8501", False),
    ],
)
def test_by_default_only_this_machine_may_and_those_who_logged_in(
    monkeypatch: pytest.MonkeyPatch, path: Path, address: str, host: str, is_open: bool
) -> None:
    monkeypatch.setattr(login, "is_asked_for", lambda: False)
    found = why(monkeypatch, path, address, host)
    assert (found == "open") is is_open
    assert is_open or "nobody has to log in" in found
    monkeypatch.setattr(login, "is_asked_for", lambda: True)
    assert why(monkeypatch, path, address, host) == "open"
    monkeypatch.setenv(remarks.VARIABLE, "off")
    assert "closes this for all" in why(monkeypatch, path, address, host)
    monkeypatch.setattr(login, "is_asked_for", lambda: False)
    monkeypatch.setenv(remarks.VARIABLE, "On")
    assert why(monkeypatch, path, address, host) == "open"


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Forwarded-Host", "Forwarded", "Via"])
def test_what_a_proxy_adds_closes_it(
    monkeypatch: pytest.MonkeyPatch, path: Path, header: str
) -> None:
    """Also of one that asks by the name of this machine, as is usual."""
    monkeypatch.setattr(login, "is_asked_for", lambda: False)
    config.set_option("server.address", "127.0.0.1")
    headers = {"Host": "127.0.0.1:8501", header: "203.0.113.9"}
    monkeypatch.setattr(remarks.st, "context", SimpleNamespace(headers=headers))
    st.cache_data.clear()
    assert "nobody has to log in" in (remarks.why_closed(open_scope(str(path))) or "")


def test_another_setting_is_refused_with_what_may_be(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(remarks.VARIABLE, "yes")
    test = opened("architecture", path, architecture=BEST)
    assert not test.exception
    assert "MIXSPACE_REMARKS: 'yes' is not allowed; one of on, off" in test.code[0].value
    assert "Tag it" not in labels(test)


def test_where_nobody_may_write_they_are_shown_all_the_same(opened: Open, path: Path) -> None:
    with open_store(str(path), create=False) as store:
        store.tags.add(BEST, "good")
        store.tags.add_note(BEST, "as it is")
    test = opened("architecture", path, architecture=BEST)  # the harness listens nowhere
    assert "Tags: good" in texts(test)
    assert "as it is" in texts(test)
    assert CLOSED in texts(test)
    assert "Tag it" not in labels(test)
    assert not [box for box in test.text_input if box.label != "Where"]


# --- what the store lets ------------------------------------------------------------------------


@pytest.mark.usefixtures("here")
def test_a_file_that_can_only_be_read_says_so(
    opened: Open, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(str(path), create=False) as store:
        store.tags.add(BEST, "good")
    path.chmod(stat.S_IRUSR)
    if os.access(path, os.W_OK):  # root may write whatever it is
        monkeypatch.setattr("search.store.remarks.may_write", lambda _: False)
    test = opened("architecture", path, architecture=BEST)
    assert not test.exception
    assert "Tags: good" in texts(test)
    assert f"{CLOSED}: this server may only read its file" in texts(test)
    assert "Tag it" not in labels(test)


def test_a_remark_changes_no_schema_and_makes_no_file(tmp_path: Path) -> None:
    old = old_store(tmp_path / "old.db", DUMPS[-1])
    before = old.read_bytes()
    why_not = Remarks(str(old)).why_not()
    if why_not is not None:  # the newest of the old ones may be of this schema
        assert "python -m search upgrade" in why_not
        with pytest.raises(InputError, match="earlier mixspace"):
            Remarks(str(old)).add_tag([BEST], "good")
        assert old.read_bytes() == before
    missing = tmp_path / "missing.db"
    with pytest.raises(InputError, match="there is no file"):
        Remarks(str(missing)).add_note(BEST, "text")
    assert not missing.exists()


def test_an_architecture_that_is_not_there_gets_none(path: Path) -> None:
    with pytest.raises(InputError, match="no architecture has the id"):
        Remarks(str(path)).add_tag(["f" * 16], "good")


GRANTS = (
    "GRANT INSERT, DELETE ON architecture_tags, architecture_notes TO {0}",
    "GRANT USAGE ON SEQUENCE architecture_notes_id_seq TO {0}",
    "GRANT UPDATE ON architectures TO {0}",
)
"""What docs/cluster.md names."""


@pytest.mark.postgres
@pytest.mark.thorough
def test_a_role_that_may_read_alone_is_told_so_and_what_the_docs_name_is_enough(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.create_database()
    with open_store(url, create=True) as store:
        study = samples.add_study(store)
        samples.complete_trial(store, study.id, samples.begin_run(store, study.id).id, 2, 0.5)
    name = url.rsplit("/", 1)[1].split("?")[0]
    role = f"reader_{name}"
    theirs = postgres_server.url(name, role)
    with psycopg.connect(url, autocommit=True) as admin:
        login_ = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
        admin.execute(login_.format(sql.Identifier(role), PASSWORD))
        admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")  # type: ignore[call-overload]
        assert "read alone" in (Remarks(theirs).why_not() or "")
        with pytest.raises(StoreError, match="permission denied"):
            Remarks(theirs).add_tag([BEST], "good")
        for grant in GRANTS:
            assert Remarks(theirs).why_not() is not None
            admin.execute(grant.format(role))  # type: ignore[call-overload]
    remarks_of = Remarks(theirs)
    assert remarks_of.why_not() is None
    assert remarks_of.add_tag([BEST], "good") == 1
    remarks_of.add_note(BEST, "text")
    assert remarks_of.remove_tag([BEST], "good") == 1
    assert remarks_of.remove_note(BEST, 1)


@pytest.mark.postgres
@pytest.mark.thorough
def test_a_server_lets_who_may_write(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.create_database()
    with open_store(url, create=True) as store:
        study = samples.add_study(store)
        run = samples.begin_run(store, study.id)
        samples.complete_trial(store, study.id, run.id, 2, 0.5)
        assert Remarks(url).why_not() is None
        assert Remarks(url).add_tag([BEST], "good") == 1
        assert Remarks(url).add_tag([BEST], "good") == 0
        assert store.tags.of([BEST]) == {BEST: ["good"]}
    monkeypatch.setenv("PGOPTIONS", "-c default_transaction_read_only=on")
    assert "read alone" in (Remarks(url).why_not() or "")
    with pytest.raises(StoreError, match="read-only"):
        Remarks(url).add_tag([BEST], "bad")


# --- nothing else ---------------------------------------------------------------------------------

PAGES = sorted(Path(dashboard.__file__).parent.rglob("*.py"))


def test_what_writes_is_reached_by_one_module_alone() -> None:
    """`open_store` is not imported at all; `Remarks` where it writes, or is asked if it may."""
    imported: dict[str, set[str]] = {}
    for page in PAGES:
        for node in ast.walk(ast.parse(page.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("search.store"):
                for name in node.names:
                    imported.setdefault(f"{node.module}.{name.name}", set()).add(page.name)
    assert imported.pop("search.store.remarks.Remarks") == {"queries.py", "remarks.py"}
    assert {name.rsplit(".", 1)[1] for name in imported} == {
        *("ArchitectureRecord", "EpochRecord", "MixerRecord", "NoStore", "NoteRecord", "Store"),
        *("StoreError", "StudyRecord", "StudySummary", "TrialRecord", "TrialState", "open_to_read"),
        *("Identity", "identity", "display", "is_sqlite", "parse_url", "sqlite_path"),
    }


def test_what_it_reaches_writes_tags_and_notes_and_nothing_else() -> None:
    public = {name for name, _ in inspect.getmembers(Remarks) if not name.startswith("_")}
    assert public == {"add_note", "add_tag", "remove_note", "remove_tag", "why_not"}


def test_the_store_of_the_pages_writes_nothing(path: Path) -> None:
    """Every method that writes, of every part of the store, is refused by the database itself."""
    store: Store = open_scope(str(path)).store
    before = path.read_bytes()
    trial = store.trials.of_architecture(BEST)[0]
    attempts = [
        lambda: store.tags.add(BEST, "good"),
        lambda: store.tags.add_note(BEST, "text"),
        lambda: store.studies.delete(store.studies.get("study").id),
        lambda: store.trials.finish(trial.id, "failed", "why"),
        lambda: store.epochs.record(trial.id, samples.epoch(9, 0.5)),
        lambda: store.runs.end(1),
        lambda: samples.add_study(store, "new"),
    ]
    for attempt in attempts:
        with pytest.raises((StoreError, ValueError)):
            attempt()
    assert path.read_bytes() == before
