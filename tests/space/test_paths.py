"""Paths that people write: at home, or refused in one line."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from space import InputError
from space.input.paths import (
    LONGEST_NAME,
    LONGEST_PATH,
    ROOM,
    Folder,
    given_path,
    shown_path,
    written_path,
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_tilde_is_the_home(home: Path) -> None:
    assert written_path("~") == home
    assert written_path("~/a/b") == written_path(Path("~/a/b")) == home / "a" / "b"
    assert written_path("a/~/b") == Path("a/~/b")
    assert written_path("/x") == Path("/x")
    assert written_path("x") == Path("x")


def test_a_file_of_that_name_is_read_as_itself_again(home: Path) -> None:
    written = written_path("./~")
    assert written == home.parent / "~"
    assert written_path(str(written)) == written


def test_a_home_that_nobody_has_is_refused_with_a_way_out(home: Path) -> None:
    with pytest.raises(ValueError, match=r"nobody's home is ~none-such; .* is \./~none-such"):
        written_path("~none-such/x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be the text of a path"),
        (None, "must be the text of a path"),
        (True, "must be the text of a path"),
        (3, "must be the text of a path"),
        (b"x", "must be the text of a path"),
        ("a\0b", "NUL"),
        ("a\ud800", "UTF-8"),
        ("a\udcff/b", "UTF-8"),
        ("a/" + "b" * (LONGEST_NAME + 1), "at most 255 bytes a name"),
        ("a/" + "é" * (LONGEST_NAME // 2 + 1), "at most 255 bytes a name"),
        ("/" + "a/" * LONGEST_PATH, "at most 4,095 bytes"),
    ],
)
def test_what_no_file_system_takes_is_refused_in_one_line(text: object, message: str) -> None:
    with pytest.raises(InputError) as refused:
        given_path(text, "here")
    (problem,) = refused.value.problems
    assert problem.where == "here"
    assert message in problem.message
    assert problem.message.isprintable()
    assert len(problem.message) < 500


def test_a_folder_leaves_room_for_what_is_put_into_it() -> None:
    path = "/" + "/".join(["a" * 100] * ((LONGEST_PATH - ROOM) // 101 + 2))
    assert written_path(path) == Path(path)
    with pytest.raises(ValueError, match="too long"):
        written_path(path, ROOM)


def test_the_working_folder_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = "/".join(["b" * 200] * 19)
    written_path(below)
    (tmp_path / ("c" * 250)).mkdir()
    monkeypatch.chdir(tmp_path / ("c" * 250))
    with pytest.raises(ValueError, match="too long"):
        written_path(below)


@given(st.text(st.characters(), max_size=300) | st.text("~/.ab\0\ud800", max_size=12))
@settings(max_examples=150, deadline=None)
def test_any_text_is_a_path_that_may_be_asked_for_or_is_refused(text: str) -> None:
    assert shown_path(text).isprintable()
    try:
        path = written_path(text)
    except ValueError:
        return
    os.path.lexists(path)
    assert written_path(str(path)) == path


class _Place(BaseModel):
    folder: Folder | None = None


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=100))
def test_a_configuration_with_a_folder_travels_as_json(text: str) -> None:
    """As the one of the data does to a worker."""
    place = _Place.model_validate({"folder": text if "~" not in text else "~/x"})
    assert isinstance(place.folder, Path)
    assert _Place.model_validate_json(place.model_dump_json()) == place
    assert _Place.model_validate(place.model_dump(mode="json")) == place
