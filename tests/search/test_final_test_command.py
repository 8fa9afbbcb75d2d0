"""`test`: one audited reading for each finished training, of real weights; nothing starts Ray."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import yaml
from sqlalchemy import update

import mixspace
from search.cli.program import run_program
from search.driver.checkpoints import Checkpoints
from search.query import trained_results_of_study, wilson_interval
from search.runner.final_test import to_test
from search.store import Store, TestReadingRecord, TrialState, open_store
from search.store.models import TrialRow
from space import Architecture, InputError
from tests.docs.workshop import without_ray
from tests.search.small import values as small_values
from trainers import DataConfig, TestSplitLocked, final_test, lock_test_split
from trainers.data import opening
from trainers.data.kinds import fashion_mnist
from trainers.data.labelled_images import LabelledImages

STORE = ["--store", "a.db"]
FULL = "tiny-retrained"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a search of two networks, both trained in full with two seeds."""
    folder = tmp_path_factory.mktemp("finished")
    protocol = {"epochs": 1, "batch_size": 50, "warmup_epochs": 0.5}
    (folder / "a.yaml").write_text(yaml.safe_dump(small_values(trials=2, protocol=protocol)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        without_ray(patch, folder)
        assert run_program(["run", "a.yaml", *STORE]) == 0
        longer = ["--set", "protocol.epochs=2"]
        assert run_program(["retrain", "--top", "2", "--seeds", "2", *longer, *STORE]) == 0
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, which is the working folder; what is run there trains for real."""
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    monkeypatch.chdir(copy)
    without_ray(monkeypatch, copy)
    return copy


def readings() -> list[TestReadingRecord]:
    with open_store("a.db", create=False) as store:
        return store.test_audit.readings()


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    before = readings()
    assert run_program(["test", *words, *STORE]) == 2
    assert readings() == before
    return capsys.readouterr().err


def files(store: Store, study: str = FULL) -> dict[int, Path]:
    """The checkpoints of a study by its trials' numbers."""
    record = store.studies.get(study)
    places = Checkpoints.of(record, store.url)
    found = {trial.number: places.find(trial) for trial in store.trials.of_study(record.id)}
    return {number: path for number, path in found.items() if path is not None}


def test_each_seed_of_the_best_is_read_once_and_written_down(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["test", "--study", FULL, *STORE, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    (row,) = found["rows"]
    first, second = readings()
    assert (first.images, first.chance, first.device) == (2000, 0.1, "cpu")
    accuracies = [first.accuracy, second.accuracy]
    assert row["test"]["accuracy"]["mean"] == pytest.approx(np.mean(accuracies))  # type: ignore[arg-type]
    assert row["test"]["accuracy"]["trainings"] == 2
    low, high = wilson_interval(row["test"]["accuracy"]["mean"], 2000)
    assert (row["test"]["low"], row["test"]["high"]) == (low, high)
    assert row["search"]["trainings"] == 1
    assert (found["search"], found["candidates"]) == ("tiny", 2)
    assert "1 of 2: trial " in err

    with open_store("a.db", create=False) as store:
        for result in trained_results_of_study(store, FULL):
            if result.architecture_id != row["architecture_id"]:
                assert result.readings == ()
                continue
            network = Architecture.from_json(store.architectures.get(result.architecture_id).json)
            config = mixspace.Study(FULL, "a.db").config
            by_hand = final_test(
                network,
                files(store)[result.trial],
                config.protocol,
                config.data,
                lambda reading: None,
            )
            assert result.test is not None
            assert result.test.accuracy == by_hand


def test_a_second_reading_is_refused_unless_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--study", FULL, "--top", "1"]
    assert run_program(["test", *words, *STORE]) == 0
    shown = capsys.readouterr().out
    said = refused(capsys, *words)
    assert "one reading is what makes it a test; --again reads it once more" in said
    assert run_program(["test", *words, "--again", *STORE]) == 0
    again = capsys.readouterr().out
    assert "The test was read 4 times for 2 trainings" in " ".join(again.split())
    assert len({reading.accuracy for reading in readings()}) <= 2
    assert "read 4 times" not in shown


def test_seeds_that_are_added_are_read_and_the_others_left(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_program(["test", "--study", FULL, "--top", "2", *STORE]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Take the winner by validation" in out
    assert "Guessing the commonest class scores 10.00% of the 2,000 test images." in out
    (best,) = mixspace.Study(FULL, "a.db").best(top=1)
    more = ["retrain", best.architecture_id, "--seeds", "3", "--study", "tiny", *STORE]
    assert run_program(more) == 0
    assert run_program(["test", best.architecture_id, "--study", FULL, *STORE]) == 0
    assert "2 of 3 trainings were tested before" in capsys.readouterr().err
    assert len(readings()) == 5
    for command in (["best", "--study", FULL], ["show", best.architecture_id]):
        assert run_program([*command, *STORE]) == 0
        assert "test" in capsys.readouterr().out
    assert run_program(["best", "--study", FULL, *STORE, "--json"]) == 0
    tests = [row["test"]["accuracy"]["trainings"] for row in json.loads(capsys.readouterr().out)]
    assert sorted(tests) == [2, 3]


def test_full_trainings_are_meant_where_a_search_has_the_network_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (best,) = mixspace.Study(FULL, "a.db").best(top=1)
    assert run_program(["test", best.architecture_id[:8], *STORE]) == 0
    with open_store("a.db", create=False) as store:
        assert len(trained_results_of_study(store, FULL)[0].readings) <= 1
        assert all(not each.readings for each in trained_results_of_study(store, "tiny"))
    assert run_program(["test", "--study", "tiny", *STORE]) == 0
    err = capsys.readouterr().err
    assert "note: 'tiny' is a search: what is tested was chosen, and not trained anew" in err


def test_what_breaks_off_leaves_a_reading_without_an_accuracy(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("trainers.evaluation.score", broken)
        assert run_program(["test", "--study", FULL, *STORE]) == 130
    (reading,) = readings()
    assert reading.accuracy is None
    assert run_program(["test", "--study", FULL, *STORE]) == 0  # the other seed
    assert len(readings()) == 2
    assert "it broke off" in refused(capsys, "--study", FULL)


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def another(path: Path) -> None:
    others = [file for file in path.parent.glob("*.safetensors") if file.name[6:] != path.name[6:]]
    shutil.copy(others[0], path)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (Path.unlink, "the weights of trial"),
        (damaged, "is corrupt"),
        (another, "was written for architecture"),
    ],
)
def test_weights_that_are_not_whole_are_refused_before_anything_is_read(
    spoil: Callable[[Path], None], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_store("a.db", create=False) as store:
        store.studies.set_checkpoints(store.studies.get(FULL).id, None)  # those of this folder
        spoil(files(store)[0])
    assert said in refused(capsys, "--study", FULL, "--top", "2")


def test_what_cannot_be_tested_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (best,) = mixspace.Study(FULL, "a.db").best(top=1)
    id_ = best.architecture_id
    assert run_program(["run", "a.yaml", "--study", "twin", "--set", "trials=3", *STORE]) == 0
    known = {each.architecture_id for each in mixspace.Study(FULL, "a.db").best()}
    foreign = next(
        row.architecture_id
        for row in mixspace.Study("twin", "a.db").best()
        if row.architecture_id not in known
    )
    capsys.readouterr()
    for words, said in (
        ([], "architecture: name architectures by their ids, or a study by --study NAME"),
        ([id_, "--top", "1"], f"--top: does not go with ids ({id_})"),
        (["00"], "architecture: no architecture's id begins with '00'"),
        ([foreign, "--study", FULL], f"{foreign} has no complete trial in '{FULL}'"),
        ([id_, foreign, "--study", FULL], "only those are tested"),
        (["--study", "lost"], "'lost' does not exist"),
        (["--study", FULL, "--device", "cuda:77"], "device: 'cuda:77' cannot be used here"),
        (["--study", FULL, "--device", "tpu"], "device: 'tpu' cannot be used here"),
        (["--study", FULL, "--set", "protocol.epochs=3"], "protocol.epochs stays as it is"),
        (["--study", FULL, "--set", "data.folder=x"], "data"),
    ):
        assert said in refused(capsys, *words), words
    with open_store("a.db", create=False) as store:  # as if it had been stopped early
        stopped = update(TrialRow).where(TrialRow.study_id == store.studies.get("twin").id)
        values = {"state": TrialState.PRUNED, "reason": "rung"}
        store.write(lambda connection: connection.execute(stopped.values(values)))
    assert "'twin' has no complete trial to test" in refused(capsys, "--study", "twin")


def test_changed_images_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fashion_mnist.load_part

    def other(config: DataConfig, part: Literal["train", "test"]) -> LabelledImages:
        found = whole(config, part)
        return replace(found, labels=np.roll(found.labels, 1))

    monkeypatch.setattr(fashion_mnist, "load_part", other)
    said = refused(capsys, "--study", FULL)
    assert "protocol.content_hash: pinned to" in said


def test_nothing_is_tested_while_a_search_runs(folder: Path) -> None:
    test = to_test("a.db", study=FULL)
    with lock_test_split():
        with pytest.raises(TestSplitLocked):
            to_test("a.db", study=FULL)
        with pytest.raises(TestSplitLocked):
            test.run(print)
    assert readings() == []


def test_from_python_it_is_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    full = mixspace.Study(FULL, "a.db")
    found = full.test(progress=False)
    assert found.rows[0].test is not None
    assert found.rows[0].test.accuracy.trainings == 2
    assert "".join(capsys.readouterr()) == ""
    with pytest.raises(InputError, match="again=True reads it once more"):
        full.test()
    with pytest.raises(InputError, match="ids: must be a list of the beginnings of ids"):
        full.test("abcd")
    with pytest.raises(InputError, match=r"top: does not go with ids"):
        full.test([found.rows[0].architecture_id], top=1)


def test_the_audit_comes_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The images are opened, and handed out only when the store has the reading."""
    order: list[str] = []
    batches = opening.InMemoryImages.whole_batches

    def handed(self: opening.InMemoryImages) -> object:
        order.append(f"{len(readings())} readings written")
        return batches(self)

    monkeypatch.setattr(opening.InMemoryImages, "whole_batches", handed)
    assert run_program(["test", "--study", FULL, *STORE]) == 0
    assert order == ["1 readings written", "2 readings written"]


def test_the_interval_is_wilsons() -> None:
    """Against roots of the equation that defines it."""
    for share, number in ((0.0, 10), (0.5, 100), (0.873, 10_000), (1.0, 7)):
        low, high = wilson_interval(share, number)
        assert 0 <= low <= share <= high <= 1
        for end in (low, high):
            if 0 < end < 1:
                deviation = abs(share - end) / np.sqrt(end * (1 - end) / number)
                assert deviation == pytest.approx(1.959964, abs=1e-5)
