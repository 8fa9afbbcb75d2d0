"""The commands `compare` and `failures`, on a store, as people and scripts read them."""

import io
import json

import pytest
from rich.console import Console

from search.cli.program import run_program
from search.store import Store, open_store
from tests.support.samples import add_study, add_trial, architecture, begin_run, complete_trial

ONE, OTHER = "1f" * 8, "2e" * 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("look") / "store.db"
    with open_store(str(file), create=True) as store:
        fill(store)
    return str(file)


def fill(store: Store) -> None:
    study = add_study(store, "s", protocol_hash=ONE)
    run = begin_run(store, study.id)
    for number, accuracies in enumerate(((0.80, 0.81, 0.82), (0.70, 0.71, 0.69), (0.812,))):
        for repeat, accuracy in enumerate(accuracies):
            complete_trial(store, study.id, run.id, number, accuracy, repeat=repeat)
    for number in range(20, 40):
        trial = add_trial(store, study.id, run.id, number)
        store.trials.start(trial.id, run.id)
        store.trials.finish(trial.id, "failed", f"train loss is nan in epoch {number}")
    other = add_study(store, "t", protocol_hash=OTHER)
    run = begin_run(store, other.id)
    complete_trial(store, other.id, run.id, 1, 0.99)


def ids(*numbers: int) -> list[str]:
    return [architecture(number).id for number in numbers]


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    captured = capsys.readouterr()
    return " ".join(captured.out.split()), " ".join(captured.err.split())


def test_compare_for_people(
    place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert run_program(["compare", *(id_[:9] for id_ in ids(0, 1, 2)), "--store", place]) == 0
    out, err = said(capsys)
    zero, one, two = ids(0, 1, 2)
    assert all(id_ in out for id_ in (zero, one, two))
    assert "81.00%" in out
    assert "99.00%" not in out
    assert "+11.00" in out
    assert f"{zero} is better" in out
    assert "a tie: seeds alone make as much" in out
    assert "block type" in out
    assert f"Results by protocol {ONE} (s)." in err
    assert f"There are results by other protocols, which do not compare: {OTHER} (t)." in err


@pytest.mark.parametrize("columns", [50, 80])
def test_compare_fits_a_narrow_terminal(
    place: str, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(
        "search.cli.compare.stdout_console", lambda: Console(file=written, width=columns)
    )
    assert run_program(["compare", *ids(0, 1), "--store", place]) == 0
    lines = written.getvalue().splitlines()
    assert len(lines) > 20
    assert max(map(len, lines)) <= columns


def test_compare_for_scripts(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["compare", *ids(0, 1), "--store", place, "--json"]
    assert run_program(given) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["id"] for each in found["networks"]] == ids(0, 1)
    assert found["networks"][0]["result"]["repeats"] == 3
    assert found["protocol"]["hash"] == ONE
    (test,) = found["tests"]
    assert test["difference"] == pytest.approx(0.11)
    assert 0 < test["margin"] < 0.11
    assert found["differences"][0]["values"] == ["conv", "prenorm"]
    assert run_program([*given, "--study", "t"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["protocol"]["hash"], found["tests"]) == (OTHER, [])
    assert [each["result"] is None for each in found["networks"]] == [True, False]


def test_failures_for_people(
    place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    assert run_program(["failures", "--store", place]) == 0
    out, _ = said(capsys)
    assert "train loss is nan in epoch …" in out
    assert "How often, by operator" in out
    assert "How often, by params" in out
    assert run_program(["failures", "--store", place, "--study", "t"]) == 0
    assert said(capsys) == ("", "No trial failed, was infeasible or was broken off.")


def test_failures_for_scripts(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_program(["failures", "--store", place, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (kind,) = found["kinds"]
    assert (kind["trials"], kind["state"]) == (20, "failed")
    assert sum(size["failed"] for size in found["sizes"]) == 20
    assert all(0 <= each["interval"][0] <= each["share"] for each in found["operators"])


@pytest.mark.parametrize("command", [["failures"], ["compare", "a", "b"]])
def test_a_study_that_is_none_is_told(
    place: str, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    named = [*command[:1], *(ids(0, 1) if command[1:] else []), "--store", place]
    assert run_program([*named, "--study", "nosuch"]) == 2
    assert "nosuch" in capsys.readouterr().err


def test_best_has_a_table_for_each_protocol(
    place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run_program(["best", "--store", place]) == 0
    out, err = said(capsys)
    assert out.index(f"Protocol {OTHER}, judged after 2 epochs: t") < out.index(
        f"Protocol {ONE}, judged after 2 epochs: s"
    )
    assert "These results are of 2 protocols, a table for each" in err
    assert run_program(["best", "--store", place, "--json", "--top", "1"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["protocol_hash"], row["place"]) for row in rows] == [(OTHER, "1"), (ONE, "1")]
    assert run_program(["best", "--store", place, "--where", "protocol = 1f"]) == 0
    out, err = said(capsys)
    assert "Protocol" not in out
    assert "99.00%" not in out
