"""A newcomer who copies the printed lines comes from a search to a file; really trained."""

import io
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from search.cli import run as run_module
from search.cli import test as test_module
from search.cli.program import run_program
from search.store import open_store
from tests.docs.workshop import without_ray
from tests.search.small import values
from tests.search.without_ray import execute, printed

PROTOCOL = {"epochs": 1, "batch_size": 50, "warmup_epochs": 0.5}
FEW = " --without onnx --without pt2"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a configuration; what is run in it trains for real."""
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(values(trials=2, protocol=PROTOCOL)))
    monkeypatch.chdir(tmp_path)
    without_ray(monkeypatch, tmp_path)
    return tmp_path


@pytest.mark.parametrize("store", [[], ["--store", "st ore.db"]])
def test_each_command_ends_with_the_next_one(
    store: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    full = ["best", "--study", "tiny-retrained", *store]
    (folder / "shipped").mkdir()  # of something else: nothing is written over
    assert run_program(["run", "a.yaml", *store]) == 0
    out = capsys.readouterr().out
    assert execute(printed(out, "Best")) == 0
    retrain = printed(capsys.readouterr().err, "Retrain")
    assert retrain == printed(out, "Retrain")

    assert execute(retrain + " --seeds 2") == 0
    out = capsys.readouterr().out
    assert run_program(full) == 0
    test = printed(capsys.readouterr().err, "Test")
    assert test == printed(out, "Test")

    assert execute(test) == 0
    export = printed(capsys.readouterr().out, "Export")
    assert run_program(full) == 0
    assert printed(capsys.readouterr().err, "Export") == export
    assert execute(retrain + " --seeds 2") == 0  # nothing is left to train, and nothing to test
    assert printed(capsys.readouterr().out, "Export") == export

    assert execute(export + FEW) == 0
    assert "python shipped-2/infer.py PICTURE" in capsys.readouterr().out
    assert (folder / "shipped-2" / "infer.py").is_file()


def test_a_clause_goes_on_and_another_order_recommends_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run", "a.yaml"]) == 0
    clause = "params < 1G and depth >= 1"
    assert run_program(["best", "--study", "tiny", "--where", clause]) == 0
    retrain = printed(capsys.readouterr().err, "Retrain")
    assert retrain.endswith(f"--where '{clause}'")
    assert execute(retrain + " --seeds 2") == 0
    for words in (["--study", "tiny", "--sort", "params"], []):
        capsys.readouterr()
        assert run_program(["best", *words]) == 0
        assert "Retrain:" not in capsys.readouterr().err


def test_what_was_tested_by_its_id_is_exported_by_its_id(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["run", "a.yaml"]) == 0
    with open_store("mixspace.db", create=False) as store:
        trials = store.trials.of_study(store.studies.get("tiny").id)
    worst = min(trials, key=lambda trial: trial.accuracy or 0).architecture_id
    capsys.readouterr()
    assert run_program(["test", worst, "--study", "tiny"]) == 0
    export = printed(capsys.readouterr().out, "Export")
    assert export == f"python -m search export {worst} --study tiny --to shipped"


def test_no_terminal_is_too_narrow_for_a_command(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = io.StringIO()
    narrow = Console(file=shown, width=40, highlight=False)
    for module in (run_module, test_module):
        monkeypatch.setattr(module, "stdout_console", lambda: narrow)
    long = "a-study-with-a-name-that-alone-is-longer-than-the-terminal"
    assert run_program(["run", "a.yaml", "--study", long]) == 0
    retrain = printed(shown.getvalue(), "Retrain")
    assert retrain == f"python -m search retrain --top 1 --study {long}"
    assert run_program(["test", "--study", long]) == 0
    export = printed(shown.getvalue(), "Export")
    assert export == f"python -m search export --study {long} --to shipped"
