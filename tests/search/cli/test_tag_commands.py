"""The commands `tag` and `note`, and where what they wrote is read again."""

import json
from pathlib import Path
from typing import Any

import pytest

from search.cli.program import run_program
from search.store import open_store
from tests.support.samples import add_study, architecture, begin_run, complete_trial

FIRST, SECOND = architecture(1).id, architecture(2).id


@pytest.fixture
def place(tmp_path: Path) -> str:
    file = str(tmp_path / "store.db")
    with open_store(file, create=True) as store:
        study = add_study(store, "a/b")
        run = begin_run(store, study.id)
        for number in (1, 2):
            complete_trial(store, study.id, run.id, number, number / 10)
    return file


def plain(capsys: pytest.CaptureFixture[str], *command: str) -> Any:
    capsys.readouterr()
    assert run_program([*command, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_tags_come_and_go_and_are_found(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--store", place)
    assert run_program(["best", *at]) == 0
    assert "tags" not in capsys.readouterr().out
    assert run_program(["tag", FIRST[:8], "to ship", *at]) == 0
    assert capsys.readouterr().err == f"{FIRST}: to ship\n"
    assert run_program(["tag", "a/b/0", "good", *at]) == 0  # trial 0 of study a/b is FIRST
    assert run_program(["tag", "a/b/0", "good", *at]) == 0
    rows = plain(capsys, "best", *at)
    assert {row["architecture_id"]: row["tags"] for row in rows} == {
        FIRST: ["good", "to ship"],
        SECOND: [],
    }
    found = plain(capsys, "best", "--where", "tag = 'to ship'", *at)
    assert [row["architecture_id"] for row in found] == [FIRST]
    assert run_program(["best", *at]) == 0
    assert "good, to ship" in " ".join(capsys.readouterr().out.split())
    assert run_program(["tag", FIRST, "to ship", "--remove", *at]) == 0
    assert plain(capsys, "show", FIRST, *at)["tags"] == ["good"]


def test_notes_are_shown_with_their_ids(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    at = ("--store", place)
    assert run_program(["note", "a/b/1", "diverges\x1b[31m early", *at]) == 0
    assert run_program(["note", SECOND, "better with a longer warm-up", *at]) == 0
    assert capsys.readouterr().err == f"{SECOND}: 1 note\n{SECOND}: 2 notes\n"
    assert run_program(["tag", SECOND, "odd", *at]) == 0
    assert run_program(["show", SECOND, *at]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "Tags: odd" in shown
    assert "diverges\\x1b[31m early" in shown
    first, second = plain(capsys, "show", SECOND, *at)["notes"]
    assert second["text"] == "better with a longer warm-up"
    assert run_program(["note", SECOND, "--remove", str(first["id"]), *at]) == 0
    assert plain(capsys, "show", SECOND, *at)["notes"] == [second]
    assert plain(capsys, "show", FIRST, *at)["notes"] == []


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["tag", FIRST, "good", "--remove"], "tag: 'good' is none of its tags: no tags"),
        (["tag", FIRST, "it's"], "cannot be one; allowed are 1 to 50 printable"),
        (["tag", "0000", "good"], "no architecture's id begins with '0000'"),
        (["tag", "a/b/9", "good"], "trial: study 'a/b' has no trial 9"),
        (["tag", "c/1", "good"], "study: 'c' does not exist"),
        (["note", FIRST], "give either a text to write down, or --remove ID"),
        (["note", FIRST, "a", "--remove", "1"], "give either a text to write down"),
        (["note", FIRST, "--remove", "7"], f"--remove: {FIRST} has no note 7; it has none"),
    ],
)
def test_mistakes_are_told(
    place: str, capsys: pytest.CaptureFixture[str], command: list[str], said: str
) -> None:
    assert run_program([*command, "--store", place]) == 2
    assert said in capsys.readouterr().err


def test_no_store_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["tag", FIRST, "a", "--store", str(tmp_path / "none.db")]) == 2
    assert list(tmp_path.iterdir()) == []
