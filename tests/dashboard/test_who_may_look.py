"""The dashboard shows the stores it was started with, to those it is meant for, no traceback."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import source
from dashboard.navigation import PAGES
from search.store import open_store
from space.errors import InputError
from tests.dashboard.conftest import SCRIPT, Open
from tests.dashboard.server import dashboard, listening_addresses
from tests.dashboard.test_pages import texts
from tests.support.old_stores import DUMPS, old_store
from tests.support.thorough import thorough_but

SECRET = "hunter2"


def studies(test: AppTest) -> list[str]:
    box = next(box for box in test.selectbox if box.label == "Study")
    return [option for option in box.options if option != "All studies"]


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """Two stores, each with a study of its own."""
    from tests.support.samples import add_study

    paths = [tmp_path / "a" / "first.db", tmp_path / "b b" / "second.db"]
    for path in paths:
        path.parent.mkdir()
        with open_store(str(path), create=True) as store:
            add_study(store, path.stem)
    return paths


@pytest.fixture
def given_two(two: list[Path], monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    words = "\n".join(f"'{path}'" for path in two)
    monkeypatch.setenv("MIXSPACE_STORES", words)
    return two


def test_a_visitor_chooses_among_the_given_stores(opened: Open, given_two: list[Path]) -> None:
    test = opened("progress", "elsewhere.db")
    box = test.selectbox(key="store")
    assert box.options == ["first.db", "second.db"]
    assert studies(test) == ["first"]
    box.set_value("second.db").run()
    assert studies(test) == ["second"]
    assert not test.exception


@pytest.mark.parametrize("asked", ["{}", "../c.db", "/etc/passwd", "postgresql://h/d", ""])
def test_a_link_opens_no_other(
    opened: Open, given_two: list[Path], tmp_path: Path, asked: str
) -> None:
    other = tmp_path / "c.db"
    open_store(str(other), create=True).close()
    test = opened("progress", "elsewhere.db", store=asked.format(other))
    assert not test.exception
    assert studies(test) == ["first"]
    assert str(other) not in texts(test)


def test_a_link_opens_a_given_one(opened: Open, given_two: list[Path]) -> None:
    assert studies(opened("progress", "elsewhere.db", store="second.db")) == ["second"]


def test_there_is_no_box_to_write_a_store_into(opened: Open, two: list[Path]) -> None:
    test = opened("leaderboard", two[0])
    assert {box.label for box in test.text_input} == {"Where"}
    assert not [box for box in test.selectbox if box.label == "Store"]
    assert [button.label for button in test.button] == ["Refresh"]
    assert "second" not in texts(test)


def given_by(monkeypatch: pytest.MonkeyPatch, *arguments: str, **variables: str) -> dict[str, str]:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), *arguments])
    for name in ("MIXSPACE_STORE", "MIXSPACE_STORES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return source.given_stores()


def test_where_the_stores_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(given_by(monkeypatch).values()) == ["mixspace.db"]
    one = {"MIXSPACE_STORE": "one.db"}
    assert list(given_by(monkeypatch, **one).values()) == ["one.db"]
    several = one | {"MIXSPACE_STORES": "a.db 'my runs/b.db'\npostgresql://u@h1,h2/d"}
    assert list(given_by(monkeypatch, **several).values()) == [
        "a.db",
        "my runs/b.db",
        "postgresql://u@h1,h2/d",
    ]
    line = ("--store", "x.db", "--store=y.db", "--store", "x.db")
    assert list(given_by(monkeypatch, *line, **several).values()) == ["x.db", "y.db"]


def test_stores_of_one_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ["/a/s.db", "/b/s.db", "c.db", "postgresql://u:hunter2@h/d", "postgresql://u:other@h/d"]
    named = given_by(monkeypatch, *(word for url in urls for word in ("--store", url)))
    assert list(named.values()) == urls
    assert list(named)[:3] == ["/a/s.db", "/b/s.db", "c.db"]
    assert len(set(named)) == 5
    assert SECRET not in "".join(named)


@pytest.mark.parametrize("arguments", [["postgresql://u:hunter2@h/d"], ["--stores", SECRET]])
def test_a_command_line_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    with pytest.raises(InputError, match="-- --store URL") as caught:
        given_by(monkeypatch, *arguments)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql:u:hunter2@h/d", "u:hunter2@h", "mysql://u:hunter2@h"])
def test_no_password_of_a_badly_written_store(opened: Open, url: str) -> None:
    test = opened("progress", url)
    assert not test.exception
    assert test.error[0].value == "The store cannot be opened"
    assert SECRET not in str(test.main) + str(test.sidebar)


@pytest.mark.parametrize(
    "dump",
    thorough_but(DUMPS, lambda dump: dump in (DUMPS[0], DUMPS[-1])),
    ids=lambda path: path.stem,
)
def test_an_older_store_is_left_as_it_is(opened: Open, tmp_path: Path, dump: Path) -> None:
    path = old_store(tmp_path / "old.db", dump)
    before = path.read_bytes()
    for page in ("progress", "leaderboard", "relation_graph"):
        test = opened(page, path)
        assert not test.exception
        assert not test.error
    assert path.read_bytes() == before


@pytest.mark.parametrize("file", ["progress", "leaderboard", "architecture"])
def test_an_unforeseen_error_is_a_line_here_and_a_traceback_in_the_log(
    opened: Open,
    store_files: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    file: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"at {SECRET}")

    monkeypatch.setattr("dashboard.queries._cached", fail)
    with caplog.at_level(logging.ERROR, "dashboard"):
        test = opened(file, store_files["finished"])
    assert not test.exception
    assert test.error
    shown = str(test.main) + str(test.sidebar)
    assert SECRET not in shown
    assert "Traceback" not in shown
    assert "log" in test.code[0].value
    assert any(record.exc_info and SECRET in record.exc_text for record in caplog.records)


# The login

AUTH = {
    "redirect_uri": "http://localhost:8501/oauth2callback",
    "cookie_secret": "a long one of many letters and digits",
    "client_id": "mixspace",
    "client_secret": SECRET,
    "server_metadata_url": "https://login.example.org/.well-known/openid-configuration",
}


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, store_files: dict[str, Path]) -> AppTest:
    st.cache_data.clear()
    monkeypatch.setenv("MIXSPACE_STORE", str(store_files["finished"]))
    return AppTest.from_file(str(SCRIPT), default_timeout=60)


def is_closed(test: AppTest) -> bool:
    shown = str(test.main) + str(test.sidebar)
    assert SECRET not in shown
    return not test.exception and "quickstart" not in shown and not test.selectbox


@pytest.mark.parametrize("file", ["", *(entry.name for entry in PAGES)])
def test_nothing_is_shown_before_the_login(ask: AppTest, file: str) -> None:
    ask.secrets["auth"] = AUTH
    ask.run()
    if file:
        ask.switch_page(f"views/{file}_view.py").run()
    assert is_closed(ask)
    assert [button.label for button in ask.button] == ["Log in"]


def test_each_provider_has_its_button(ask: AppTest) -> None:
    named = dict.fromkeys(("okta", "keycloak"), AUTH)
    ask.secrets["auth"] = {"redirect_uri": "x", "cookie_secret": "y"} | named
    assert is_closed(ask.run())
    assert [button.label for button in ask.button] == ["Log in with okta", "Log in with keycloak"]


def test_a_section_without_anything_lets_nobody_in(ask: AppTest) -> None:
    ask.secrets["auth"] = {}
    assert is_closed(ask.run())


def test_a_login_that_is_not_possible_is_said_without_details(ask: AppTest) -> None:
    ask.secrets["auth"] = {"client_secret": SECRET}
    ask.run().button[0].click()
    assert is_closed(ask.run())
    assert ask.error[0].value == "Nobody can be let in"


def test_who_is_logged_in_sees_it_all(ask: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    ask.secrets["auth"] = AUTH
    monkeypatch.setattr("streamlit.user_info._get_user_info", lambda: {"is_logged_in": True})
    ask.run()
    assert not is_closed(ask)
    assert "Log out" in [button.label for button in ask.button]


def test_other_secrets_ask_for_no_login(ask: AppTest) -> None:
    ask.secrets["something"] = "else"
    assert not is_closed(ask.run())


@pytest.mark.parametrize("content", [b"[auth\n", b"\xff\xfe"])
def test_secrets_that_cannot_be_read_let_nobody_in(
    ask: AppTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    folder = tmp_path / ".streamlit"
    folder.mkdir()
    (folder / "secrets.toml").write_bytes(content)
    option = st.get_option("secrets.files")
    try:
        st._config.set_option("secrets.files", [str(folder / "secrets.toml")])
        assert is_closed(ask.run())
    finally:
        st._config.set_option("secrets.files", option)
    assert ask.error[0].value == "Nobody can be let in"


# The address


def test_it_listens_on_this_machine_alone_from_whatever_folder(
    tmp_path: Path, store_files: dict[str, Path]
) -> None:
    with dashboard([store_files["empty"]], tmp_path / "log", folder=tmp_path) as url:
        assert listening_addresses(int(url.rpartition(":")[2])) == {"127.0.0.1"}


def test_it_listens_elsewhere_when_it_is_asked(
    tmp_path: Path, store_files: dict[str, Path]
) -> None:
    flags = ("--server.address=0.0.0.0",)
    with dashboard([store_files["empty"]], tmp_path / "log", *flags) as url:
        assert listening_addresses(int(url.rpartition(":")[2])) == {"0.0.0.0"}


def test_make_and_the_installed_package_serve_as_the_script_does(tmp_path: Path) -> None:
    """No flag says otherwise, and the wheel holds the settings."""
    root = SCRIPT.parents[1]
    recipe = (root / "Makefile").read_text().split("\ndashboard:")[1].split("\n\n")[0]
    assert "server.address" not in recipe
    assert "streamlit run dashboard" in recipe
    code = (
        "from setuptools import Distribution; d = Distribution(); d.parse_config_files();"
        "b = d.get_command_obj('build_py'); b.ensure_finalized();"
        "print(*[f for p, s, t, names in b.data_files if p == 'dashboard' for f in names])"
    )
    built = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert ".streamlit/config.toml" in built.stdout, built.stderr[-2000:]
    assert os.environ.get("STREAMLIT_SERVER_ADDRESS") is None
