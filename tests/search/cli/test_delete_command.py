"""The command `delete`: it asks, and says what went and what stays."""

import io
import sys
from pathlib import Path

import pytest

from search.cli.program import run_program
from search.store import open_store
from tests.support.samples import add_study, begin_run, complete_trial


@pytest.fixture
def place(tmp_path: Path) -> str:
    file = str(tmp_path / "store.db")
    with open_store(file, create=True) as store:
        config = {"checkpoints": str(tmp_path / "checkpoints")}
        study = add_study(store, "first", config=config)
        run = begin_run(store, study.id)
        for number in (1, 2):
            trial = complete_trial(store, study.id, run.id, number, 0.5)
        store.tags.add(trial.architecture_id, "good")
        store.test_audit.record(
            trial.architecture_id, trial_id=trial.id, protocol_hash="p", accuracy=0.5
        )
        store.runs.end(run.id)
        folder = tmp_path / "checkpoints" / f"first-{study.uid[:12]}"
    folder.mkdir(parents=True)
    (folder / "00000.safetensors").write_text("weights")
    return file


def studies(place: str) -> list[str]:
    with open_store(place, create=False) as store:
        return [study.name for study in store.studies.summaries()]


@pytest.mark.parametrize(("answer", "left"), [("n\n", ["first"]), ("\n", ["first"]), ("y\n", [])])
def test_it_asks(
    place: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    left: list[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    assert run_program(["delete", "first", "--store", place]) == 0
    captured = capsys.readouterr()
    assert "2 trials, 2 epochs, 1 run, 1 network that no other study has" in captured.err
    assert ("Nothing was deleted." in captured.err) == bool(left)
    assert studies(place) == left


def test_a_script_says_yes_and_nobody_else_is_taken_to(
    place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert run_program(["delete", "first", "--store", place]) == 2
    assert "--yes: needed where nobody can be asked" in capsys.readouterr().err
    assert studies(place) == ["first"]
    assert run_program(["delete", "first", "--yes", "--store", place]) == 0
    said = capsys.readouterr().err
    assert "The audit keeps 1 reading of the test split" in said
    assert f"Its checkpoints are still in {tmp_path / 'checkpoints' / 'first-'}" in said
    assert studies(place) == []
    with open_store(place, create=False) as store:
        (reading,) = store.test_audit.readings()
        assert reading.trial_id is None
        assert store.tags.of([reading.architecture_id]) == {reading.architecture_id: ["good"]}
    # What is kept for the audit is shown, without a trial.
    assert run_program(["show", reading.architecture_id, "--store", place]) == 0
    assert run_program(["best", "--store", place, "--json"]) == 0
    assert run_program(["delete", "first", "--yes", "--store", place]) == 2


def test_a_study_that_is_at_work_is_left_alone_before_anybody_is_asked(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(place, create=False) as store:
        begin_run(store, store.studies.get("first").id)
    assert run_program(["delete", "first", "--store", place]) == 2
    said = capsys.readouterr().err
    assert "works on it; stop that run first" in said
    assert "for good" not in said
    assert studies(place) == ["first"]
