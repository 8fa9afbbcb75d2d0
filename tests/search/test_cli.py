"""The command line as a person meets it; nothing here starts Ray."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy.orm import Session

from search.cli.program import run_program
from search.query import SORT_KEYS
from search.store import EpochRecord, open_store
from search.store.models import MetricRow
from search.store.statements import upsert
from tests.search.small import values
from tests.search.test_session import begin, config, run_all
from tests.support.samples import add_study, begin_run, complete_trial


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a finished study of five trials, which takes long to play."""
    folder = tmp_path_factory.mktemp("finished")
    with open_store(str(folder / "tiny.db"), create=True) as opened:
        session = begin(opened, config(folder, initial=["named"]))
        run_all(session)
        opened.runs.end(opened.runs.of_study(session.record.id)[0].id, "the run ended")
    return folder / "tiny.db"


@pytest.fixture
def store(tmp_path: Path, finished: Path) -> str:
    """The same, for a single test."""
    return str(shutil.copy(finished, tmp_path))


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    path = tmp_path / "tiny.yaml"
    content = values(store=str(tmp_path / "new.db"), checkpoints=str(tmp_path / "checkpoints"))
    path.write_text(yaml.safe_dump(content))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run_program(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# --- best -------------------------------------------------------------------------------------


def test_best_as_json(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    where = "dynamics = static and params < 200k"
    arguments = ["best", "--store", store, "--where", where, "--top", "3", "--json"]
    code, out, err = run(capsys, *arguments)
    rows = json.loads(out)
    assert (code, err, len(rows)) == (0, "", 3)
    assert all(row["params"] < 200_000 for row in rows)
    assert not any("ViT" in row["operators"] for row in rows)


@pytest.mark.parametrize(
    ("sort", "title"),
    [
        ("validation_accuracy", "Architectures by accuracy, lowest first"),
        ("-accuracy", "Architectures by accuracy, highest first"),
        ("-flops", "Architectures by macs, highest first"),
        ("params", "Architectures by params, lowest first"),
    ],
)
def test_the_title_of_best_says_what_is_first(
    store: str, capsys: pytest.CaptureFixture[str], sort: str, title: str
) -> None:
    code, out, _ = run(capsys, "best", "--store", store, f"--sort={sort}")
    assert (code, out.splitlines()[0].rstrip()) == (0, title)
    assert "DW-S Conv." in out
    assert "50.00%" in out


def test_the_help_of_best_has_every_key_to_sort_by(capsys: pytest.CaptureFixture[str]) -> None:
    words = " ".join(run(capsys, "best", "--help")[1].split())
    assert f"{', '.join(SORT_KEYS)}; '-' before it: descending" in words


def test_best_of_nothing_says_so(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "best", "--store", store, "--where", "params < 1")
    assert (code, out, err) == (0, "", "No trained architecture fulfils this.\n")


@pytest.mark.parametrize(
    "clause", ["study = quickstrat", "study in (quickstrat, tiny)", "not study != quickstrat"]
)
def test_best_of_a_study_that_is_not_there_names_those_that_are(
    store: str, capsys: pytest.CaptureFixture[str], clause: str
) -> None:
    clause = f"{clause} and params < 1"
    code, out, err = run(capsys, "best", "--store", store, "--where", clause)
    assert (code, out) == (0, "")
    _, said = err.splitlines()
    assert said.startswith("--where: study 'quickstrat' does not exist in ")


@pytest.mark.parametrize("clause", ["not study = x", "study != x", "not study in (x, y)"])
def test_a_study_that_is_excluded_need_not_be_there(
    store: str, capsys: pytest.CaptureFixture[str], clause: str
) -> None:
    code, out, err = run(capsys, "best", "--store", store, "--where", f"{clause} and params < 1")
    assert (code, out, err) == (0, "", "No trained architecture fulfils this.\n")


def test_best_above_every_accuracy_says_why(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "best", "--store", store, "--where", "accuracy > 1")
    assert (code, out) == (0, "")
    assert "no accuracy is above 1" in err
    code, out, err = run(capsys, "best", "--store", store, "--where", "accuracy > 86")
    assert (code, out) == (2, "")
    assert "did you mean 0.86 or 86%?" in err


def test_bad_clause_is_marked_and_all_problems_are_listed(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--where", "parms < 1", "--top", "0", "--sort", "beauty", "--study", "tny"]
    code, out, err = run(capsys, "best", "--store", store, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: 4 problems\n")
    assert "\n    parms < 1\n    ^\n" in err
    assert "did you mean 'tiny'" in err


# --- show, studies ----------------------------------------------------------------------------


def test_show(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    row = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    code, out, err = run(capsys, "show", row["architecture_id"][:10], "--store", store)
    assert (code, err) == (0, "")
    assert f"{row['params']:,} params" in out
    assert "Learning curve" in out
    assert "Trial" in out
    assert "Seeds: initialisation" in out
    plain = json.loads(run(capsys, "show", row["architecture_id"], "--store", store, "--json")[1])
    assert plain["params"] == row["params"]
    assert [e["epoch"] for e in plain["trials"][0]["epochs"]] == [1, 2]
    assert plain["against_random_search"] == {"tiny": None}


def test_best_and_show_say_what_a_training_took(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    names = ("images_per_second", "peak_memory_bytes", "skipped_steps", "fused_mixers")
    assert [row[name] for name in names] == [100.0, None, None, None]
    with open_store(store, create=False) as opened:
        curve = opened.epochs.of_trial(row["trial_id"])
        for epoch, peak, skipped in zip(curve, (3 << 20, 2 << 20), (1, 2), strict=True):
            new: dict[str, Any] = {"images_per_second": 1e3 * epoch.epoch}
            new |= {"peak_memory_bytes": peak, "skipped_steps": skipped, "fused_mixers": skipped}
            opened.write(_writes(row["trial_id"], replace(epoch, **new)))
    again = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    assert [again[name] for name in names] == [1500.0, 3 << 20, 3, 2]
    code, out, _ = run(capsys, "show", row["architecture_id"], "--store", store)
    said = (
        "1,500 training images a second; at most 3 MiB of memory; 3 steps skipped as not finite; "
        "2 token mixers by fused kernels"
    )
    assert (code, " ".join(out.split()).count(f"Measured where it was trained: {said}")) == (0, 1)
    plain = json.loads(run(capsys, "show", row["architecture_id"], "--store", store, "--json")[1])
    (trial,) = plain["trials"]
    assert [trial[name] for name in names] == [1500.0, 3 << 20, 3, 2]
    assert [epoch["skipped_steps"] for epoch in trial["epochs"]] == [1, 2]


def _writes(trial_id: int, epoch: EpochRecord) -> Callable[[Session], object]:
    """Past the store's own way, which leaves ended trials alone."""
    return lambda db: upsert(db, MetricRow, {"trial_id": trial_id, **asdict(epoch)})


def test_show_of_an_unknown_id(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "show", "zebra", "--store", store)
    assert (code, out) == (2, "")
    assert err.startswith("error: architecture: 'zebra'")


def test_show_names_the_source_of_a_reused_result(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store(store, create=False) as opened:
        second = begin(opened, config(tmp_path, initial=["named"], study="second"))
        run_all(second)
        trial = opened.trials.of_study(second.record.id)[0]
    assert trial.source_trial_id is not None
    out = " ".join(run(capsys, "show", trial.architecture_id, "--store", store)[1].split())
    said = "taken over from trial 0 of study tiny, same protocol"
    assert out.count(f"History: epochs, and their time of training, {said}") == 1
    plain = json.loads(run(capsys, "show", trial.architecture_id, "--store", store, "--json")[1])
    sources = {each["study"]: each["source_study"] for each in plain["trials"]}
    assert sources == {"tiny": None, "second": "tiny"}


def test_studies(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "studies", "--store", store)
    assert (code, err) == (0, "")
    assert "tiny" in out
    assert "complete" in out
    assert "5/5" in out
    (study,) = json.loads(run(capsys, "studies", "--store", store, "--json")[1])
    assert study["counts"]["complete"] == 5


@pytest.mark.parametrize("rule", ["last", "best"])
@pytest.mark.parametrize("command", [["best"], ["studies"], ["best", "--study", "s", "--pareto"]])
def test_what_is_to_be_known_of_accuracies_is_said_beside_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str], rule: str
) -> None:
    """Those of the best epoch are optimistic; what guessing scores is known of the data."""
    path = str(tmp_path / "s.db")
    told = {"chance": 0.564, "validation_images": 10, "train_images": 40, "remarks": []}
    objectives = {
        "objectives": {"validation_accuracy": "maximise", "macs": "minimise"},
        "data": told,
    }
    with open_store(path, create=True) as store:
        study = add_study(store, "s", protocol={"judged_by": rule}, objective=objectives)
        complete_trial(store, study.id, begin_run(store, study.id).id, 0, 0.564)
    code, _, err = run(capsys, *command, "--store", path)
    assert code == 0
    assert ("they are optimistic (protocol.judged_by: best)" in err) is (rule == "best")
    chance = "Guessing the commonest class scores 56.40% of the 10 validation images."
    assert (chance in err) is (command != ["studies"])
    (row,) = json.loads(run(capsys, *command, "--store", path, "--json")[1])
    assert row["judged_by"] == rule


@pytest.mark.parametrize("command", [["best"], ["show", "ab"], ["studies"]])
def test_a_store_that_is_not_there(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *command, "--store", str(tmp_path / "absent.db"))
    assert (code, out) == (2, "")
    assert err.startswith("error: store: there is no store")
    assert list(tmp_path.iterdir()) == []


def test_the_store_may_come_from_the_environment(
    store: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXSPACE_STORE", store)
    assert run(capsys, "studies")[0] == 0


# --- run: what is refused before Ray starts ---------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["trials=0", "protocol.epochs=-1"], "2 problems"),
        (["space.input.size=32"], "is 32, and fashion-mnist has 28"),
        (["space.limits={params: 10}"], "no architecture of this space is feasible"),
        (["data.source=full", "data.folder=/absent"], "/absent"),
        (["data={name: image-folder, folder: /absent}", "protocol={}"], "/absent"),
        (["store=mysql://x"], "unknown scheme 'mysql'"),
        (["store=/absent/x.db"], "the folder /absent does not exist"),
        (["space.mixers=[{operator: convolotion}]"], "no operator is named 'convolotion'"),
    ],
)
def test_bad_input_is_exit_code_2_and_writes_nothing(
    configuration: str,
    changes: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = [part for change in changes for part in ("--set", change)]
    code, out, err = run(capsys, "run", configuration, *options)
    assert (code, out) == (2, ""), err
    assert message in err
    assert "Starting Ray" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.yaml"]


def test_operators_that_there_are_not_are_refused_before_any_trial(
    configuration: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("space.operator_choice._chosen", None)
    monkeypatch.setenv("MIXSPACE_OPERATORS", "fast")
    code, out, err = run(capsys, "run", configuration, "--set", "trials=2")
    assert (code, out) == (2, "")
    assert "MIXSPACE_OPERATORS: 'fast' is not allowed; must be one of auto, plain, fused" in err
    assert "Starting Ray" not in err


def test_a_password_is_never_shown(configuration: str, capsys: pytest.CaptureFixture[str]) -> None:
    store = "postgresql://user:s3cret@127.0.0.1:1/none"
    code, out, err = run(capsys, "run", configuration, "--store", store)
    assert code == 2
    assert "127.0.0.1" in err
    assert "s3cret" not in out + err


def test_a_study_that_is_there_is_refused(
    store: str, configuration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(capsys, "run", configuration, "--store", store)
    assert code == 2
    assert "go on with it by --resume, or begin another by --study NAME" in err


def test_resuming_with_another_protocol_is_refused(
    store: str, configuration: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--store", store, "--resume", "--set", "protocol.epochs=9"]
    code, _, err = run(capsys, "run", configuration, *arguments)
    assert code == 2
    assert "protocol.epochs: the study was made with 2; got 9" in err


def test_a_ray_that_does_not_answer(
    configuration: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a process of its own: Ray keeps what it is told of an address."""
    command = [sys.executable, "-m", "search", "run", configuration]
    environment = {"RAY_ADDRESS": "127.0.0.1:1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    found = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False, timeout=120
    )
    assert found.returncode == 2, found.stderr
    assert "RAY_ADDRESS: no Ray answers at 127.0.0.1:1" in found.stderr
    assert "Traceback" not in found.stderr


# --- the program ------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [[], ["run"], ["methods"], ["best"], ["show"], ["studies"]])
def test_help_teaches_by_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, *command, "--help")
    assert code == 0
    assert "python -m search" in out


def test_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "fly")[0] == 2
    assert run(capsys, "best", "--top", "many")[0] == 2
    assert run(capsys, "run")[0] == 2


def test_looking_imports_neither_torch_nor_ray(store: str) -> None:
    program = (
        "import sys; from search.cli.program import run_program; "
        f"code = run_program(['best', '--store', {store!r}]); "
        "assert not {'torch', 'ray', 'optuna'} & set(sys.modules), 'heavy'; sys.exit(code)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_reader_that_has_enough_is_no_error(store: str) -> None:
    command = f"{sys.executable} -m search best --store {store} --json | head -1"
    found = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


READING = [["best"], ["best", "--json"], ["show", "ID"], ["show", "ID", "--json"]]
READING += [["studies"], ["studies", "--json"]]


@pytest.mark.thorough
@pytest.mark.parametrize("command", [*READING, ["--help"], ["--version"], ["best", "--help"]])
def test_a_reader_that_has_left_is_no_error(
    command: list[str], store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    row = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    words = [row["architecture_id"] if word == "ID" else word for word in command]
    reader, writer = os.pipe()
    os.close(reader)
    found = subprocess.run(
        [sys.executable, "-m", "search", *words],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=os.environ | {"MIXSPACE_STORE": store},
        text=True,
        check=False,
        timeout=120,
    )
    os.close(writer)
    assert (found.returncode, found.stderr) == (0, "")


def test_the_version_needs_no_installed_package(tmp_path: Path) -> None:
    """A source tree, and the working directory of a Ray job, have no package metadata."""
    program = (
        "import importlib.metadata as m\n"
        "def absent(name): raise m.PackageNotFoundError(name)\n"
        "m.version = absent\n"
        "from search.cli.program import run_program\n"
        "raise SystemExit(run_program(['--version']))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "mixspace, version 0\n", "")


@pytest.mark.parametrize("width", [50, 80, 120, 200])
@pytest.mark.parametrize("command", [["best"], ["show", "ID"], ["studies"]])
def test_tables_fit_the_terminal(
    command: list[str],
    width: int,
    store: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = json.loads(run(capsys, "best", "--store", store, "--json")[1])[0]
    words = [row["architecture_id"] if word == "ID" else word for word in command]
    monkeypatch.setattr("space.cli.output._PLAIN_WIDTH", width)
    code, out, _ = run(capsys, *words, "--store", store)
    telling = {
        "best": ["#", "architecture", "accuracy", "token mixers", row["operators"]],
        "show": ["stage", "width", "depth", "epoch", "validation loss", "50.00%"],
        "studies": ["study", "state", "done", "best", "tiny", "complete", "5/5"],
    }
    assert code == 0
    assert "…" not in out
    assert all(len(line) <= width for line in out.splitlines())
    assert all(word in out for word in telling[command[0]]), out
