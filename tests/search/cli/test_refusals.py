"""What commands say to bad input, to the letter; none of it changes the store.

The commands themselves are in `refusals.txt`. When what is said is meant to change, or there are
more of them, write it anew and look at the difference:

    MIXSPACE_TRANSCRIPT=write python -m pytest tests/search/cli/test_refusals.py
"""

import re
import shlex
from pathlib import Path

import pytest

from search.cli.program import run_program
from search.exit_code import ExitCode
from search.query import best
from search.store import open_store
from tests.search.cli.test_transcript import rows
from tests.support.played_studies import RUNS, check_written, configured

REFUSALS = Path(__file__).with_name("refusals.txt")


def commands() -> list[str]:
    """Those of the file."""
    lines = REFUSALS.read_text().splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]


def refused(command: str, ids: dict[str, str], capsys: pytest.CaptureFixture[str]) -> str:
    """What a command says; FIRST and SECOND are networks of the store."""
    words = [ids.get(word, word) for word in shlex.split(command)]
    code = run_program([*words, "--store", "a.db"])
    found = capsys.readouterr()
    assert code == ExitCode.BAD_INPUT, (command, found)
    assert found.out == "", command
    text = re.sub("-[0-9a-f]{12}/", "-UID/", found.err.replace(str(Path.cwd()), "FOLDER"))
    for name, id_ in ids.items():
        text = text.replace(id_, name)
    return "\n".join([f"$ {command}", *(line.rstrip() for line in text.splitlines())])


def test_bad_input_is_answered_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    configured(tmp_path, monkeypatch)
    monkeypatch.setattr("space.cli.output._PLAIN_WIDTH", 300)
    for command in RUNS[:3]:
        assert run_program([*command, "--store", "a.db"]) == ExitCode.DONE
    with open_store("a.db", create=False) as store:
        found = best(store, study="evolved", top=2)
    ids = {"FIRST": found[0].architecture_id, "SECOND": found[1].architecture_id}
    files, held = sorted(tmp_path.iterdir()), [*rows(tmp_path / "a.db")]
    capsys.readouterr()
    text = "\n\n".join(refused(command, ids, capsys) for command in commands()) + "\n"
    assert sorted(tmp_path.iterdir()) == files
    assert [*rows(tmp_path / "a.db")] == held
    check_written(text, REFUSALS)
