"""`export`: which training is taken, what the model card has from the store, what is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

import mixspace
from search.cli.program import run_program
from search.config import Config
from search.driver.checkpoints import Checkpoints
from search.handover.reproduction import text_without_places, without_places
from search.query import TrainedResult, trained_results
from search.store import StudyRecord, TrialRecord, open_store
from space import InputError
from tests.docs.workshop import without_ray
from tests.search.small import values
from tests.support.made_up_meter import DEVICE, MadeUpMeter, figure
from trainers import Protocol, open_data
from trainers.evaluation import score
from trainers.latency import LatencySpec

STORE = ["--store", "a.db"]
FULL = "tiny-retrained"
FEW = ["--without", "onnx", "--without", "pt2"]
NO_PROGRAMS = ["onnx", "pt2"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A search, whose best was trained in full with two seeds and tested; really trained."""
    folder = tmp_path_factory.mktemp("finished")
    content = values(trials=3, protocol={"epochs": 2, "batch_size": 50, "warmup_epochs": 0.5})
    (folder / "a.yaml").write_text(yaml.safe_dump(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        without_ray(patch, folder)
        assert run_program(["run", "a.yaml", *STORE]) == 0
        assert run_program(["retrain", "--top", "1", "--seeds", "2", *STORE]) == 0
        assert run_program(["test", "--study", FULL, *STORE]) == 0
    return folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, in which the test works."""
    folder = shutil.copytree(finished, tmp_path / "copy")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def here(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder itself, for tests that change nothing of it."""
    monkeypatch.chdir(finished)
    return finished


def rows(study: str) -> tuple[StudyRecord, list[TrialRecord]]:
    with open_store("a.db", create=False) as store:
        found = store.studies.get(study)
        return found, store.trials.of_study(found.id)


def retrained() -> list[TrainedResult]:
    _, trials = rows(FULL)
    with open_store("a.db", create=False) as store:
        return trained_results(store, trials[0].architecture_id)


def export(*words: str) -> int:
    return run_program(["export", *words, *STORE, *FEW])


def test_full_trainings_come_before_those_of_the_search(
    here: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = retrained()
    id_ = results[0].architecture_id
    assert [result.retrained for result in results] == [False, True, True]
    best = max(results[1:], key=lambda result: result.validation_accuracy or 0)
    assert export(id_[:6], "--to", str(tmp_path / "to"), "--json") == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["architecture"] == id_
    assert found["folder"] == str(tmp_path / "to")
    assert found["opset"] is None
    assert found["parities"].keys() == {"network.py"}
    assert {path.name for path in (tmp_path / "to").iterdir()} == {*found["files"], "export.json"}
    assert said.err.splitlines()[0] == f"weights of trial {best.trial} of study {FULL}"


def test_the_weights_are_those_of_the_trial(here: Path, tmp_path: Path) -> None:
    """Its stored accuracy, on the validation images of its study."""
    study, trials = rows("tiny")
    config = Config.from_stored(study.config | {"store": "a.db"})
    data, cpu = open_data(config.data, Protocol.from_stored(study.protocol)), torch.device("cpu")
    for trial in trials[:2]:
        done = mixspace.export(
            trial.architecture_id,
            tmp_path / str(trial.number),
            store="a.db",
            study="tiny",
            without=NO_PROGRAMS,
        )
        network = mixspace.load(done.folder)
        assert score(network, data.validation_batches(), data.protocol, cpu)[1] == trial.accuracy
        assert network.classes[9] == "Ankle boot"
        assert network.architecture.id == trial.architecture_id


def test_a_study_exports_its_best(here: Path, tmp_path: Path) -> None:
    study = mixspace.Study("tiny", "a.db")
    done = study.export(tmp_path / "best", without=NO_PROGRAMS)
    wanted = study.best(top=1)[0]
    assert done.architecture_id == wanted.architecture_id
    manifest = json.loads((done.folder / "export.json").read_text())
    assert manifest["origin"] == f"trial {wanted.trial} of study tiny"
    weights = study.load(wanted.architecture_id).state_dict()
    found = mixspace.load(done.folder).state_dict()
    assert all(torch.equal(tensor, found[name]) for name, tensor in weights.items())


def test_the_card_has_what_the_store_knows(here: Path, tmp_path: Path) -> None:
    results = retrained()
    full = [result for result in results if result.retrained]
    done = mixspace.export(
        full[0].architecture_id, tmp_path / "to", store="a.db", without=NO_PROGRAMS
    )
    card = (done.folder / "README.md").read_text()
    table = [line.split(" | ") for line in card.splitlines() if line.startswith("| validation (")]
    tests = [line.split(" | ") for line in card.splitlines() if line.startswith("| test (")]
    first, several, own = table
    assert first[1] == "search in study tiny"
    assert first[2] == f"{100 * (results[0].validation_accuracy or 0):.2f}%"
    accuracies = [result.validation_accuracy or 0 for result in full]
    assert several[1] == f"full training in study {FULL}"
    assert several[2].startswith(f"{50 * sum(accuracies):.2f}% ± ")
    assert several[3] == "2"
    assert own[1] == f"full training in study {FULL}, **these weights**"
    assert own[2] == f"{100 * max(accuracies):.2f}%"
    tested = [result.test.accuracy or 0 for result in full if result.test is not None]
    assert len(tested) == 2
    assert [line[2].partition(" ")[0] for line in tests] == [
        f"{50 * sum(tested):.2f}%",
        f"{100 * tested[accuracies.index(max(accuracies))]:.2f}%",
    ]
    assert {line[0] for line in tests} == {"| test (2,000)"}
    study, trials = rows("tiny")
    assert study.protocol["content_hash"] in card
    assert "| the search, study tiny | 3 |" in card
    seconds = sum(trial.seconds for trial in trials)
    assert f"{seconds / 3600:.3g} CPU core-hours" in card
    assert "Licence of the training data: MIT (Fashion-MNIST" in card
    assert "No latency was measured." in card
    assert "kWh" not in card
    front = yaml.safe_load(card.split("---\n")[1])
    splits = [result["dataset"]["split"] for result in front["model-index"][0]["results"]]
    assert splits == ["validation", "test"]


def test_places_of_this_machine_are_not_on_the_card() -> None:
    data = {"folder": "/somewhere/my pictures", "name": "image-folder", "labels": "labels.csv"}
    said = "the classes are those of /somewhere/my pictures/labels.csv"
    assert text_without_places(said, data) == "the classes are those of my pictures/labels.csv"
    assert without_places(data)["folder"] == "my pictures"


def test_measured_latencies_of_the_store_are_on_the_card(copy: Path, tmp_path: Path) -> None:
    """Of each device the one that counts."""
    _, trials = rows("tiny")
    id_, setting = trials[0].architecture_id, MadeUpMeter.setting()
    with open_store("a.db", create=False) as store:
        store.latencies.add_setting(setting, LatencySpec().to_dict(), DEVICE.to_dict())
        for milliseconds, reasons in ((3.0, []), (2.5, []), (9.0, ["busy"])):
            measured = figure(milliseconds, reasons).to_dict()
            store.latencies.add(setting, id_, measured, "a test")
    done = mixspace.export(id_, tmp_path / "to", store="a.db", study="tiny", without=NO_PROGRAMS)
    card = (done.folder / "README.md").read_text()
    (row,) = [line for line in card.splitlines() if line.startswith("| a made-up device")]
    said = "2 cores, driver 1; torch 1; 1 thread | eager | float32 | 1 | 2.5 ms | "
    assert said in row
    assert "No latency was measured" not in card
    assert "not quiet" not in card


def test_the_configurations_beside_it_are_those_of_the_search(here: Path, tmp_path: Path) -> None:
    """Read as `run` and `retrain` read them, and of no folder of this machine."""
    _, trials = rows(FULL)
    done = mixspace.export(
        trials[0].architecture_id, tmp_path / "to", store="a.db", without=NO_PROGRAMS
    )
    study, _ = rows("tiny")
    read = yaml.safe_load((done.folder / "search.yaml").read_text())
    assert not {"store", "checkpoints"} & read.keys()
    config = Config.from_dict(read | {"store": "a.db"})
    assert config.protocol.hash == study.protocol_hash
    assert config.search_space.to_dict() == study.space
    full, _ = rows(FULL)
    protocol = yaml.safe_load((done.folder / "protocol.yaml").read_text())
    assert Protocol.from_dict(protocol).hash == full.protocol_hash
    card = (done.folder / "README.md").read_text()
    assert "python -m search run search.yaml --study tiny\n" in card
    id_ = trials[0].architecture_id
    retrain = f"retrain {id_} --study tiny --protocol protocol.yaml --seeds 2 --name {FULL}\n"
    assert f"python -m search {retrain}" in card


# --- refused --------------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert export(*words, "--to", "to") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert not Path("to").exists()
    return said.err.removeprefix("error: ").strip()


def test_what_is_not_there_is_refused(copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, trials = rows("tiny")
    id_ = trials[0].architecture_id
    assert "no architecture's id begins with 'ffff0000'" in refused(capsys, "ffff0000")
    assert "'none' does not exist" in refused(capsys, id_, "--study", "none")
    said = refused(capsys, id_, "--trial", "77")
    assert said == f"--trial: no complete trial 77 of architecture {id_}"
    assert refused(capsys) == "architecture: name an architecture, or --study NAME for its best"
    untrained = next(t for t in trials if t.architecture_id != rows(FULL)[1][0].architecture_id)
    said = refused(capsys, untrained.architecture_id, "--study", FULL)
    assert f"has no complete trial in {FULL!r}; only what is complete is exported" in said


def test_an_unfinished_trial_says_what_it_is(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sqlalchemy import update

    from search.store.models import TrialRow

    full = rows(FULL)[1][0].architecture_id
    trial = next(each for each in rows("tiny")[1] if each.architecture_id != full)
    with open_store("a.db", create=False) as store:
        change = {"state": "pruned", "reason": "worse than the median"}
        store.write(
            lambda connection: connection.execute(
                update(TrialRow).where(TrialRow.id == trial.id).values(**change)
            )
        )
    said = refused(capsys, trial.architecture_id, "--trial", str(trial.number))
    assert f"--trial: {trial.number} is pruned (worse than the median); only what is" in said
    assert "has no complete trial" in refused(capsys, trial.architecture_id)


def test_a_number_of_several_studies_needs_the_study(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = retrained()
    id_ = results[0].architecture_id
    search, number = results[0], results[0].trial
    with open_store("a.db", create=False) as store:
        from sqlalchemy import update

        from search.store.models import TrialRow

        free = max(trial.number for trial in rows(FULL)[1]) + number + 10
        for trial_id in (search.trial_id, results[1].trial_id):
            store.write(
                lambda connection, id_=trial_id: connection.execute(
                    update(TrialRow).where(TrialRow.id == id_).values(number=free)
                )
            )
    said = refused(capsys, id_, "--trial", str(free))
    assert said == f"--trial: {free} is a trial of {id_} in tiny, {FULL}; name one by --study NAME"


def test_trainings_that_do_not_compare_are_not_chosen_from(
    copy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ray(monkeypatch, copy)
    id_ = retrained()[0].architecture_id
    words = ["retrain", id_, "--study", "tiny", "--seeds", "1", "--name", "longer"]
    assert run_program([*words, "--set", "protocol.epochs=3", *STORE]) == 0
    said = refused(capsys, id_)
    assert said == (
        f"--study: {id_} was trained under protocols that do not compare, in {FULL}, longer; "
        "name one by --study NAME"
    )
    assert export(id_, "--study", "longer", "--to", "to") == 0


def test_weights_that_are_gone_or_of_another_are_refused(
    copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    study, trials = rows("tiny")
    with open_store("a.db", create=False) as store:  # it is no copy to which the first one is known
        store.studies.set_checkpoints(study.id, None)
    study, trials = rows("tiny")
    files = [Checkpoints.of(study, "a.db").find(trial) for trial in trials]
    first, second = (file for file in files[:2] if file is not None)
    id_ = trials[0].architecture_id
    first.write_bytes(second.read_bytes())
    words = (id_, "--study", "tiny")
    assert "was written for architecture" in refused(capsys, *words)
    first.write_bytes(second.read_bytes()[:1000])
    assert "is corrupt" in refused(capsys, *words)
    torch.save({}, first)
    assert "a pickle, which may run code; only safetensors are read" in refused(capsys, *words)
    first.unlink()
    assert "checkpoint: the weights of trial 0" in refused(capsys, *words)


@pytest.mark.parametrize(
    "wrong",
    [
        {"architecture_id": 7},
        {"study": 7},
        {"trial": "3"},
        {"without": "onnx"},
        {"force": 1},
        {"store": 7},
    ],
)
def test_arguments_of_another_kind_are_refused(wrong: dict[str, Any], tmp_path: Path) -> None:
    (name,) = wrong
    with pytest.raises(InputError, match=f"^{name}: must be "):
        mixspace.export(**{"architecture_id": "a", "to": tmp_path / "to"} | wrong)


# --- the names of the classes ---------------------------------------------------------------------


def _forget_names(store_file: str) -> None:
    from sqlalchemy import update

    from search.store.models import StudyRow

    with open_store(store_file, create=False) as store:
        objective = dict(store.studies.get("tiny").objective)
        objective["data"] = {k: v for k, v in objective["data"].items() if k != "class_names"}
        store.write(
            lambda connection: connection.execute(
                update(StudyRow).where(StudyRow.name == "tiny").values(objective=objective)
            )
        )


def test_a_store_that_has_no_names_takes_those_of_the_data(copy: Path) -> None:
    """As of an earlier release."""
    assert rows("tiny")[0].objective["data"]["class_names"][0] == "T-shirt/top"
    _forget_names("a.db")
    done = mixspace.Study("tiny", "a.db").export(copy / "to", without=NO_PROGRAMS)
    assert mixspace.load(done.folder).classes[0] == "T-shirt/top"


def test_where_the_data_are_gone_too_classes_are_numbers(
    copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _forget_names("a.db")

    def gone(*_: object) -> Any:
        raise InputError.of("data.folder", "photos is not a folder")

    monkeypatch.setattr("search.handover.hand_over.data_shape", gone)
    id_ = rows("tiny")[1][0].architecture_id
    assert export(id_, "--study", "tiny", "--to", "to") == 0
    said = capsys.readouterr().err
    assert "the names of the classes are not known, and are numbers: data.folder: photos" in said
    assert mixspace.load("to").classes == tuple("0123456789")
