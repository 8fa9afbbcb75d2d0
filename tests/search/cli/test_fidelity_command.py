"""`search fidelity` as a person meets it."""

import json
from pathlib import Path

import pytest

from search.cli.program import run_program
from search.store import open_store
from tests.query.curves import study_of, train


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("fidelity") / "mixspace.db")
    with open_store(path, create=True) as opened:
        for name, epochs in (("short", 2), ("long", 4)):
            study = study_of(opened, name, epochs)
            for number in range(24):
                train(opened, study, number, epochs=epochs, by_size=True)
        train(opened, opened.studies.get("long"), 24, epochs=1, pruned=True)
    return path


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, str]:
    monkeypatch.setenv("COLUMNS", "300")
    code = run_program(["fidelity", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_it_prints_what_each_proxy_is_worth(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, "long", "--store", store)
    assert code == 0
    assert "long: Kendall's τ with the validation accuracy after 4 epochs" in out
    ranks = out.partition("What choosing by it costs")[0]
    lines = {line.strip("│ ").split("│")[0].strip(): line for line in ranks.splitlines()}
    assert "cannot tell" in lines["accuracy after 3 epochs"]  # size tells all but a little
    assert "– (n = 3)" in lines["accuracy after 3 epochs"]  # of the best tenth
    assert {"params", "macs", "train loss after 1 epoch"} <= lines.keys()
    assert "regret at 1" in out
    assert "Ceiling: not known: 0 architectures trained with several seeds" in err
    assert "Of long 1 trial was stopped early and is not here." in err


def test_what_orders_worse_than_size_is_named_and_left_out(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capsys, monkeypatch, "long", "--store", store, "--json")
    (found,) = json.loads(out)
    verdicts = {row["proxy"]: row["beats_size"] for row in found["rows"]}
    worse = [name for name, verdict in verdicts.items() if verdict == "no"]
    _, out, err = run(capsys, monkeypatch, "long", "--store", store)
    assert code == 0
    assert {"training_bytes", "seconds an epoch"} <= {*worse}  # the merits are those of params
    assert f"Left out, as params or MACs order better: {', '.join(worse)} (--all)." in err
    assert not any(name in out for name in worse)
    _, out, err = run(capsys, monkeypatch, "long", "--store", store, "--all")
    assert all(name in out for name in worse)
    assert "Left out" not in err


def test_a_study_is_held_to_another(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = run(capsys, monkeypatch, "short", "--full", "long", "--store", store)
    assert code == 0
    assert "accuracy after 2 epochs of short" in out
    assert "24 of 24 networks of long are in both." in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["short", "long", "--full", "long"], "--full: takes one STUDY beside it; got short, long"),
        (["short", "--full", "short"], "--full: 'short' has the protocol of 'short'"),
        (["gone"], "study: 'gone' does not exist"),
        (["short", "--full", "gone"], "study: 'gone' does not exist"),
        ([], "Missing argument 'STUDY...'"),
    ],
)
def test_what_cannot_be_told_is_refused(
    arguments: list[str],
    said: str,
    store: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out, err = run(capsys, monkeypatch, *arguments, "--store", store)
    assert (code, out) == (2, "")
    assert said in err


def test_several_studies_of_two_protocols_have_two_ledgers(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, _ = run(capsys, monkeypatch, "short", "long", "--store", store, "--json")
    found = json.loads(out)
    assert code == 0
    assert [each["studies"] for each in found] == [["short"], ["long"]]
    assert all("several protocols" in each["notes"][0] for each in found)
    assert {row["n"] for each in found for row in each["rows"]} == {24}


def test_python_has_the_same_figures(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    import mixspace

    table = mixspace.Study("long", store).fidelity()
    assert run_program(["fidelity", "long", "--store", store, "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert list(table["proxy"]) == [row["proxy"] for row in found["rows"]]
    for (_, mine), row in zip(table.iterrows(), found["rows"], strict=True):
        assert mine["n"] == row["n"]
        for column, part in {"tau": "overall", "within_families": "within"}.items():
            assert mine[column] == pytest.approx(row[part]["tau"], nan_ok=True)
            assert mine[f"{column}_low"] == pytest.approx(row[part]["low"], nan_ok=True)
        assert mine["regret_1_of_6"] == pytest.approx(row["picks"][0]["regret"])
    assert table.attrs["ceiling"]["n"] == 0
    assert table.attrs["notes"] == found["notes"]
    held = mixspace.Study("short", store).fidelity(full="long")
    assert held.attrs["full"] == "validation accuracy of long, after 4 epochs"
    with pytest.raises(mixspace.InputError, match="full: must be a text, the name of a study"):
        mixspace.Study("short", Path(store)).fidelity(full=3)  # type: ignore[arg-type]
